import { resolveType, type AvroField, type AvroNames, type AvroSchema } from './avro-types.ts'

type Render = (value: unknown) => unknown
/** Whether a field stands in the JSON form at all. */
type Keep = (field: AvroField) => boolean

const DAY_MS = 86_400_000
const SHANGHAI_MS = 8 * 3_600_000

type JsonWriter = (record: object) => Record<string, unknown>

const renderers = new WeakMap<object, JsonWriter>()

/**
 * A decoded record in the JSON form in which it was published: dates `YYYY-MM-DD`, instants RFC 3339 in +08:00 (to the second where no
 * milliseconds are given), bytes lower-case hex, amounts in fen. Absent optional fields are null.
 */
export function toJson(contract: { readonly schema: unknown }, record: object): Record<string, unknown> {
  let render = renderers.get(contract)
  if (render === undefined) {
    render = jsonWriter(contract, () => true)
    renderers.set(contract, render)
  }
  return render(record)
}

/** The same form with only the fields that `keep` says, in the record and in the records in it; compiled once, so keep the answer. */
export function jsonWriter(contract: { readonly schema: unknown }, keep: Keep): JsonWriter {
  return compile(contract.schema as AvroSchema, '', new Map(), keep) as JsonWriter
}

/** `YYYY-MM-DD` of days since 1970-01-01. */
export function dateText(days: number): string {
  // Days since 0000-03-01, so that the leap day is the last of its year and of its 400-year era.
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** RFC 3339 with the offset of Asia/Shanghai, of milliseconds since 1970, UTC. */
export function instantText(ms: number): string {
  const local = ms + SHANGHAI_MS
  const days = Math.floor(local / DAY_MS)
  const time = local - days * DAY_MS
  const fraction = time % 1000
  const seconds = Math.floor(time / 1000)
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  return `${dateText(days)}T${clock}${fraction === 0 ? '' : `.${pad(fraction, 3)}`}+08:00`
}

/** The renderer of a type; `undefined` = the value stands as it is. */
function compile(schema: AvroSchema, namespace: string, names: AvroNames, keep: Keep): Render {
  return part(schema, namespace, names, keep) ?? ((value) => value)
}

function part(schema: AvroSchema, namespace: string, names: AvroNames, keep: Keep): Render | undefined {
  const node = resolveType(schema, namespace, names)
  if ('branches' in node) {
    const others = node.branches.filter((branch) => branch !== 'null')
    if (others.length !== 1) throw new Error('a union must be of null and one other type')
    return orNull(part(others[0]!, node.namespace, names, keep))
  }
  switch (node.kind) {
    case 'int': return node.schema.logicalType === 'date' ? (value) => dateText(value as number) : undefined
    case 'long': return node.schema.logicalType === 'timestamp-millis' ? (value) => instantText(value as number) : undefined
    case 'bytes':
    case 'fixed': return hex
    case 'array': {
      const item = part(node.schema.items ?? 'null', node.namespace, names, keep)
      return item === undefined ? undefined : (value) => (value as unknown[]).map(item)
    }
    case 'map': throw new Error('maps have no JSON form here')
    case 'record': {
      // Fields left out are resolved too: a type may be defined in one of them.
      const fields = (node.schema.fields ?? []).map((field) => ({ name: field.name, kept: keep(field), render: part(field.type, node.namespace, names, keep) }))
      return record(fields.filter(({ kept }) => kept))
    }
    default: return undefined
  }
}

function record(fields: readonly { readonly name: string; readonly render: Render | undefined }[]): Render {
  return (value) => {
    const from = value as Record<string, unknown>
    const json: Record<string, unknown> = {}
    for (const { name, render } of fields) json[name] = render === undefined ? (from[name] ?? null) : render(from[name])
    return json
  }
}

function orNull(render: Render | undefined): Render | undefined {
  return render === undefined ? undefined : (value) => (value === null || value === undefined ? null : render(value))
}

function hex(value: unknown): string {
  const bytes = value as Uint8Array
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}
