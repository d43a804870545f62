import { hash } from 'node:crypto'

/** What the same fact may differ in when a source hands it over again. */
const NOT_BODY: ReadonlySet<string> = new Set(['eventId', 'version', 'recordedAt', 'filePosition'])
const NOTHING: ReadonlySet<string> = new Set()

/**
 * SHA-256 (32 bytes) over what a decoded record says, without eventId, version, recordedAt and filePosition: two versions with the same hash are
 * the same fact. Its text is JSON with the fields sorted by name at every level, without nulls and empty arrays, bytes as lower-case hex; so
 * a plain object and a decoded instance agree, and an optional field added to a contract changes the hash of no record without it.
 */
export function bodyHash(record: Record<string, unknown>): Buffer {
  // By way of a text: a buffer asked for has memory of its own, which costs more than the hash; these share theirs.
  const parts: string[] = []
  writeRecord(record, NOT_BODY, parts)
  return Buffer.from(hash('sha256', parts.join(''), 'binary'), 'latin1')
}

function writeRecord(record: Record<string, unknown>, without: ReadonlySet<string>, parts: string[]): void {
  parts.push('{')
  let first = true
  for (const { name, label, next } of sortedFields(record)) {
    const value = record[name]
    if (value === null || value === undefined || without.has(name)) continue
    if (Array.isArray(value) && value.length === 0) continue
    parts.push(first ? label : next)
    first = false
    writeValue(value, parts)
  }
  parts.push('}')
}

function writeValue(value: unknown, parts: string[]): void {
  if (typeof value === 'string') parts.push(JSON.stringify(value))
  else if (value === null || value === undefined) parts.push('null')
  else if (typeof value !== 'object') parts.push(String(value))
  else if (value instanceof Uint8Array) parts.push(`"${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}"`)
  else if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      parts.push(at === 0 ? '[' : ',')
      writeValue(value[at], parts)
    }
    parts.push(value.length === 0 ? '[]' : ']')
  } else writeRecord(value as Record<string, unknown>, NOTHING, parts)
}

interface Field {
  readonly name: string
  /** `"name":` */
  readonly label: string
  /** The same behind another field. */
  readonly next: string
}

interface Order {
  readonly names: readonly string[]
  readonly sorted: readonly Field[]
}

/** Orders of fields seen lately; records of one contract share theirs, so a handful is enough. */
const orders: Order[] = []
const MAX_ORDERS = 64

function sortedFields(record: Record<string, unknown>): readonly Field[] {
  const names = Object.keys(record)
  for (const order of orders) if (sameNames(order.names, names)) return order.sorted
  const sorted = names.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => ({ name, label: `${JSON.stringify(name)}:`, next: `,${JSON.stringify(name)}:` }))
  if (orders.length === MAX_ORDERS) orders.shift()
  orders.push({ names, sorted })
  return sorted
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  // The last names differ soonest: contracts begin with the same envelope.
  for (let at = a.length - 1; at >= 0; at--) if (a[at] !== b[at]) return false
  return true
}
