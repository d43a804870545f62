import { type AvroNames, type AvroSchema, resolveType } from '@hub/schemas/avro-types'

/** A number in an encoded value that something is built by. */
export interface Site {
  readonly at: number
  readonly length: number
  readonly what: 'number' | 'length' | 'block count' | 'block size' | 'union index' | 'enum index'
}

/** Walks a good value and tells where its numbers, lengths, counts and indexes are. */
export function sitesOf(schema: unknown, bytes: Buffer, offset: number): Site[] {
  const sites: Site[] = []
  const names: AvroNames = new Map()
  let at = offset

  function read(what: Site['what']): number {
    const from = at
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!
      value += (byte & 0x7f) * factor
      if (byte < 0x80) break
    }
    sites.push({ at: from, length: at - from, what })
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  function pass(length: number): void {
    at += length
  }

  function walk(type: AvroSchema, namespace: string): void {
    const node = resolveType(type, namespace, names)
    if ('branches' in node) return walk(node.branches[read('union index')]!, node.namespace)
    switch (node.kind) {
      case 'null': return
      case 'boolean': at += 1; return
      case 'float': at += 4; return
      case 'double': at += 8; return
      case 'int':
      case 'long': read('number'); return
      case 'enum': read('enum index'); return
      case 'fixed': at += node.schema.size ?? 0; return
      case 'bytes':
      case 'string': pass(read('length')); return
      case 'record':
        for (const field of node.schema.fields ?? []) walk(field.type, node.namespace)
        return
      case 'array':
      case 'map':
        for (let count = read('block count'); count !== 0; count = read('block count')) {
          if (count < 0) read('block size')
          for (let i = 0; i < Math.abs(count); i++) {
            if (node.kind === 'map') pass(read('length'))
            walk(node.schema.items ?? node.schema.values ?? 'null', node.namespace)
          }
        }
    }
  }

  walk(schema as AvroSchema, '')
  return sites
}

/** A whole number in Avro's variable length. */
export function varint(value: bigint): Buffer {
  let rest = value >= 0n ? value * 2n : -value * 2n - 1n
  const bytes: number[] = []
  for (; rest >= 0x80n; rest /= 128n) bytes.push(Number(rest % 128n) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}
