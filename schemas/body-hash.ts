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
  return Buffer.from(hash('sha256', canonical(record, NOT_BODY), 'binary'), 'latin1')
}

function canonical(record: Record<string, unknown>, without: ReadonlySet<string>): string {
  let text = ''
  for (const { name, label } of sortedFields(record)) {
    const value = record[name]
    if (value === null || value === undefined || without.has(name)) continue
    if (Array.isArray(value) && value.length === 0) continue
    text += text === '' ? label : `,${label}`
    text += render(value)
  }
  return `{${text}}`
}

function render(value: unknown): string {
  switch (typeof value) {
    case 'string': return JSON.stringify(value)
    case 'number':
    case 'boolean':
    case 'bigint': return String(value)
  }
  if (value instanceof Uint8Array) return `"${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}"`
  if (Array.isArray(value)) return `[${value.map(render).join()}]`
  return value === null || value === undefined ? 'null' : canonical(value as Record<string, unknown>, NOTHING)
}

interface Field {
  readonly name: string
  /** `"name":` */
  readonly label: string
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
  const sorted = names.toSorted((a, b) => (a < b ? -1 : 1)).map((name) => ({ name, label: `${JSON.stringify(name)}:` }))
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
