import type { Field, RecordShape, Shape } from './avro-schema.ts'
import { CODES } from './codes.ts'
import { FILLED_IN } from './read-envelope.ts'
import type { DataStream } from './streams.ts'

interface EventContract {
  readonly stream: DataStream
  readonly doc: string
  readonly shape: RecordShape
}

/**
 * TypeScript interfaces of the events in their JSON form, as a publisher sends them: dates `YYYY-MM-DD`, instants RFC 3339, what the gateway
 * fills in and what may be absent optional, closed code tables as unions. Last, the events of each stream.
 */
export function renderEvents(contracts: readonly EventContract[]): string {
  const interfaces = contracts.map(({ doc, shape }) => renderEvent(shape, doc))
  const streams = [...Map.groupBy(contracts, ({ stream }) => stream)]
    .map(([stream, own]) => `  '${stream}': ${own.map(({ shape }) => `${shape.name}Event`).join(' | ')}\n`)
  return `\n${interfaces.join('\n')}\n/** What may be published in each stream: a record's new version, or the event that ends it. */\nexport interface EventsByStream {\n${streams.join('')}}\n`
}

function renderEvent(shape: RecordShape, doc: string): string {
  const records = new Map<string, string>()
  renderRecord(shape, `${shape.name}Event`, doc, FILLED_IN)
  return [...records.values()].join('\n')

  function renderRecord(record: RecordShape, name: string, text: string | undefined, filledIn: ReadonlySet<string>): void {
    if (records.has(name)) return
    records.set(name, '')
    const lines = record.fields.map(({ field, shape: type }) => {
      const optional = type.nullable || field.default !== undefined || filledIn.has(field.name)
      return `  /** ${field.doc}. */\n  ${field.name}${optional ? '?' : ''}: ${typeOf(field, type)}\n`
    })
    records.set(name, `${text === undefined ? '' : `/** ${text} */\n`}export interface ${name} {\n${lines.join('')}}\n`)
  }

  function typeOf(field: Field, type: Shape): string {
    if (type.nullable) return `${typeOf(field, { ...type, nullable: false })} | null`
    if (type.items !== undefined) return `(${typeOf(field, type.items)})[]`
    if (type.record !== undefined) {
      const name = `${shape.name}Event${type.record.name}`
      renderRecord(type.record, name, undefined, new Set())
      return name
    }
    if (type.kind === 'boolean') return 'boolean'
    if (type.kind === 'int' || type.kind === 'long') return 'number'
    const table = field.codes === undefined ? undefined : CODES[field.codes]
    return type.kind === 'string' && table?.closed ? Object.keys(table.codes).map((code) => `'${code}'`).join(' | ') : 'string'
  }
}
