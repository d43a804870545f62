import { resolveType, type AvroNames, type AvroSchema } from './avro-types.ts'

export type Checked = { readonly ok: true } | { readonly ok: false; readonly reason: string }

/** Longest encoded event that is decoded at all; the gateway accepts 256 KiB. */
const MAX_BYTES = 1024 * 1024
/** Items of all arrays and maps of one event together: what a decoder may allocate for. */
const MAX_ITEMS = 262_144
/** Values in one item or record once every named type is written out: references can double them at every level and take no bytes. */
const MAX_VALUES = 2_000

/** Where the scan stands. One per guard: scans are synchronous. */
interface Scan {
  bytes: Uint8Array
  at: number
  items: number
  reason: string
}

/** Moves over one encoded value. False = it breaks a bound, `reason` says which. */
type Step = (scan: Scan) => boolean

/** A type's step, the fewest bytes a value of it takes, and how many values it is made of. */
interface Part {
  readonly step: Step
  readonly least: number
  readonly values: number
}

const OK: Checked = { ok: true }
const NOTHING: Uint8Array = new Uint8Array(0)

/**
 * A pre-scan for values written with this schema: checks every length, count and index against the bytes left before a decoder allocates for
 * it, because a count of five bytes can end the process (security reference 3). The guard never throws, whatever the bytes. Throws here for a
 * schema that cannot be guarded: recursion (depth is unbounded), array items that take no bytes (the count is), more than 2 000 values.
 */
export function createGuard(schema: unknown): (bytes: Uint8Array, offset: number) => Checked {
  const { step, least } = compile(schema as AvroSchema, '', new Map(), new Map())
  const scan: Scan = { bytes: NOTHING, at: 0, items: 0, reason: '' }
  return (bytes, offset) => {
    const length = bytes.length - offset
    if (!(length >= least && offset >= 0)) return { ok: false, reason: 'ends too early' }
    if (length > MAX_BYTES) return { ok: false, reason: 'too long' }
    scan.bytes = bytes
    scan.at = offset
    scan.items = MAX_ITEMS
    const ok = step(scan)
    // A fetch answer of the broker lives as long as any view of it.
    scan.bytes = NOTHING
    if (!ok) return { ok: false, reason: scan.reason }
    return scan.at === bytes.length ? OK : { ok: false, reason: 'bytes behind the end' }
  }
}

/** `parts` holds the records compiled so far by name; `undefined` = still under way. */
function compile(schema: AvroSchema, namespace: string, names: AvroNames, parts: Map<string, Part | undefined>): Part {
  const node = resolveType(schema, namespace, names)
  const inner = (type: AvroSchema): Part => compile(type, node.namespace, names, parts)
  if ('branches' in node) return union(node.branches.map(inner))
  switch (node.kind) {
    case 'null': return { step: stay, least: 0, values: 1 }
    case 'boolean': return fixed(1)
    case 'int': return { step: skipInt, least: 1, values: 1 }
    case 'long': return { step: skipLong, least: 1, values: 1 }
    case 'float': return fixed(4)
    case 'double': return fixed(8)
    case 'bytes':
    case 'string': return { step: skipBlob, least: 1, values: 1 }
    case 'fixed': return fixed(node.schema.size ?? 0)
    case 'enum': return enumeration(node.schema.symbols?.length ?? 0)
    case 'array': return blocks(inner(node.schema.items ?? 'null'))
    case 'map': return blocks(record([{ step: skipBlob, least: 1, values: 1 }, inner(node.schema.values ?? 'null')]))
    case 'record': {
      const name = node.fullName ?? ''
      const known = parts.get(name)
      if (known !== undefined) return known
      if (parts.has(name)) throw new Error(`${name} contains itself: an unbounded depth cannot be guarded`)
      parts.set(name, undefined)
      const part = record((node.schema.fields ?? []).map((field) => inner(field.type)))
      parts.set(name, part)
      return part
    }
    default: throw new Error(`unknown Avro type ${node.kind}`)
  }
}

function record(parts: readonly Part[]): Part {
  const steps = parts.map(({ step }) => step).filter((step) => step !== stay)
  return counted({
    least: parts.reduce((sum, part) => sum + part.least, 0),
    values: parts.reduce((sum, part) => sum + part.values, 1),
    step(scan) {
      for (let i = 0; i < steps.length; i++) if (!steps[i]!(scan)) return false
      return true
    },
  })
}

function union(branches: readonly Part[]): Part {
  const steps = branches.map(({ step }) => step)
  return {
    least: 1 + Math.min(...branches.map(({ least }) => least)),
    values: Math.max(...branches.map(({ values }) => values)),
    step(scan) {
      const index = readCount(scan)
      const step = steps[index]
      return step === undefined ? fail(scan, 'union index') : step(scan)
    },
  }
}

function enumeration(symbols: number): Part {
  return {
    least: 1,
    values: 1,
    step(scan) {
      const index = readCount(scan)
      return (index >= 0 && index < symbols) || fail(scan, 'enum index')
    },
  }
}

function fixed(size: number): Part {
  return { least: size, values: 1, step: (scan) => skip(scan, size) }
}

/** Arrays and maps: blocks of a count and items, or of a negative count, a byte size and items; a count of zero ends them. */
function blocks({ step, least, values }: Part): Part {
  if (least === 0) throw new Error('array items that take no bytes cannot be guarded')
  return {
    least: 1,
    values,
    step(scan) {
      for (;;) {
        let count = readCount(scan)
        if (count === 0) return true
        if (count !== count) return fail(scan, 'block count')
        let end = -1
        if (count < 0) {
          count = -count
          const size = readCount(scan)
          if (!(size >= 0 && size <= scan.bytes.length - scan.at)) return fail(scan, 'block size')
          end = scan.at + size
        }
        if (count * least > scan.bytes.length - scan.at || count > scan.items) return fail(scan, 'block count')
        scan.items -= count
        for (let i = 0; i < count; i++) if (!step(scan)) return false
        if (end >= 0 && scan.at !== end) return fail(scan, 'block size')
      }
    },
  }
}

function counted(part: Part): Part {
  if (part.values > MAX_VALUES) throw new Error(`more than ${MAX_VALUES} values in one record cannot be guarded`)
  return part
}

function stay(): boolean {
  return true
}

function skip(scan: Scan, length: number): boolean {
  if (length > scan.bytes.length - scan.at) return fail(scan, 'ends too early')
  scan.at += length
  return true
}

function skipBlob(scan: Scan): boolean {
  const { bytes, at } = scan
  const first = bytes[at]
  // Lengths below 64 take one byte, and most are.
  if (first !== undefined && first < 0x80 && (first & 1) === 0) {
    const end = at + 1 + (first >> 1)
    if (end > bytes.length) return fail(scan, 'length')
    scan.at = end
    return true
  }
  const length = readCount(scan)
  if (!(length >= 0 && length <= bytes.length - scan.at)) return fail(scan, 'length')
  scan.at += length
  return true
}

function skipInt(scan: Scan): boolean {
  const { bytes } = scan
  let at = scan.at
  for (let length = 1; length <= 5; length++) {
    const byte = bytes[at++]
    if (byte === undefined) return fail(scan, 'ends too early')
    if (byte < 0x80) {
      scan.at = at
      return length < 5 || byte < 0x10 || fail(scan, 'int')
    }
  }
  return fail(scan, 'int')
}

function skipLong(scan: Scan): boolean {
  const { bytes } = scan
  let at = scan.at
  for (let length = 1; length <= 10; length++) {
    const byte = bytes[at++]
    if (byte === undefined) return fail(scan, 'ends too early')
    if (byte < 0x80) {
      scan.at = at
      return true
    }
  }
  return fail(scan, 'long')
}

/** A zigzag number that counts something; NaN when it ends too early or takes more than five bytes, far above any bound here. */
function readCount(scan: Scan): number {
  const { bytes } = scan
  let factor = 1
  let value = 0
  for (let length = 1; length <= 5; length++) {
    const byte = bytes[scan.at++]
    if (byte === undefined) return NaN
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    factor *= 128
  }
  return NaN
}

function fail(scan: Scan, reason: string): false {
  scan.reason = reason
  return false
}
