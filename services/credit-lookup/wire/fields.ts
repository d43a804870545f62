import { shapeOf, type RecordShape, type Shape } from '@hub/schemas/avro-schema'
import type { Contract } from '@hub/schemas/contracts'
import type { Wire } from './wire.ts'

type Values = Record<string, unknown>
type Read = (wire: Wire) => unknown
type Skip = (wire: Wire) => void

/** Codes and the like come again and again: this many short texts of a field are kept instead of made. */
const KNOWN_TEXTS = 16
const LONGEST_KNOWN = 24

/**
 * A function that reads some fields of a record from its Avro bytes, in its Avro form, and steps over the rest.
 * @param paths `until`, `penalty.publicUntil`; of arrays and bytes none
 */
export function fieldsReader(contract: Contract, paths: readonly string[]): (wire: Wire) => Values {
  return someOf(shapeOf(contract.schema), paths)
}

function someOf({ fields }: RecordShape, paths: readonly string[], whole = false): (wire: Wire) => Values {
  const steps = fields.map(({ field: { name }, shape }) => {
    const below = paths.flatMap((path) => (path.startsWith(`${name}.`) ? [path.slice(name.length + 1)] : []))
    return { name, read: paths.includes(name) ? valueOf(shape) : below.length > 0 ? orNull(shape, someOf(shape.record!, below, true)) : undefined, skip: skipOf(shape) }
  })
  // What comes after the last of them is of no interest, except where another record goes on behind.
  const last = whole ? steps.length : steps.findLastIndex(({ read }) => read !== undefined) + 1
  return (wire) => {
    const values: Values = {}
    for (let n = 0; n < last; n++) {
      const { name, read, skip } = steps[n]!
      if (read === undefined) skip(wire)
      else values[name] = read(wire)
    }
    return values
  }
}

function valueOf(shape: Shape): Read {
  switch (shape.kind) {
    case 'string': return orNull(shape, textReader())
    case 'boolean': return orNull(shape, (wire) => wire.bytes[wire.at++] === 1)
    case 'int': case 'long': case 'date': case 'instant': return orNull(shape, (wire) => wire.long())
    default: throw new Error(`a ${shape.kind} is not read alone`)
  }
}

function textReader(): Read {
  const known: { readonly bytes: Buffer; readonly text: string }[] = []
  return (wire) => {
    const length = wire.long()
    const from = wire.at
    wire.at += length
    if (length > LONGEST_KNOWN) return wire.bytes.toString('utf8', from, wire.at)
    for (const { bytes, text } of known) if (isThere(bytes, wire.bytes, from, length)) return text
    const text = wire.bytes.toString('utf8', from, wire.at)
    if (known.length < KNOWN_TEXTS) known.push({ bytes: Buffer.from(wire.bytes.subarray(from, wire.at)), text })
    return text
  }
}

function isThere(wanted: Buffer, bytes: Buffer, from: number, length: number): boolean {
  if (wanted.length !== length) return false
  for (let n = 0; n < length; n++) if (wanted[n] !== bytes[from + n]) return false
  return true
}

function orNull({ nullable }: Shape, read: Read): Read {
  return nullable ? (wire) => (wire.long() === 0 ? null : read(wire)) : read
}

/** Steps over a value. */
export function skipOf(shape: Shape): Skip {
  const skip = skipValue(shape)
  return shape.nullable ? (wire) => { if (wire.long() !== 0) skip(wire) } : skip
}

function skipValue({ kind, record, items }: Shape): Skip {
  switch (kind) {
    case 'boolean': return (wire) => { wire.at++ }
    case 'string': case 'bytes': return (wire) => {
      const length = wire.long()
      wire.at += length
    }
    case 'record': {
      const skips = record!.fields.map(({ shape }) => skipOf(shape))
      return (wire) => { for (const skip of skips) skip(wire) }
    }
    case 'array': {
      const skip = skipOf(items!)
      return (wire) => {
        for (let count = wire.long(); count !== 0; count = wire.long()) {
          if (count < 0) {
            const length = wire.long()
            wire.at += length
          } else for (; count > 0; count--) skip(wire)
        }
      }
    }
    default: return (wire) => { wire.long() }
  }
}
