import type { Kind, RecordShape, Shape } from './avro-schema.ts'

const TYPES: Partial<Record<Kind, string>> = { string: 'string', boolean: 'boolean', int: 'number', long: 'number', bytes: 'Buffer', date: 'number', instant: 'number' }
const UNITS: Partial<Record<Kind, string>> = { date: ' Days since 1970-01-01.', instant: ' Milliseconds UTC.' }

/** TypeScript interfaces of a contract's Avro form; nested records carry the contract's name in front. */
export function renderInterfaces(doc: string, shape: RecordShape): string {
  const records = new Map<string, string>()
  renderRecord(shape, shape.name, doc)
  return `\n${[...records.values()].join('\n')}`

  function renderRecord(record: RecordShape, name: string, text: string | undefined): void {
    if (records.has(name)) return
    records.set(name, '')
    const lines = record.fields.map(({ field, shape: type }) => `  /** ${field.doc}.${UNITS[type.kind] ?? ''} */\n  ${field.name}: ${typeOf(type)}\n`)
    records.set(name, `${text === undefined ? '' : `/** ${text} */\n`}export interface ${name} {\n${lines.join('')}}\n`)
  }

  function typeOf(type: Shape): string {
    if (type.nullable) return `${typeOf({ ...type, nullable: false })} | null`
    if (type.items !== undefined) return `${typeOf(type.items)}[]`
    if (type.record === undefined) return TYPES[type.kind]!
    const name = shape.name + type.record.name
    renderRecord(type.record, name, undefined)
    return name
  }
}
