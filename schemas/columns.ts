import type { Field, Kind, RecordShape, Shape } from './avro-schema.ts'
import { dateText } from './record-json.ts'
import { REGIONS } from './streams.ts'

export type PgType = 'text' | 'numeric' | 'int8' | 'int4' | 'bool' | 'date' | 'timestamptz'

/** A value of a typed column: a date as `YYYY-MM-DD`, an instant in ms UTC. */
export type ColumnValue = string | number | boolean | null

type Values = Record<string, unknown>

/** Where a column's value stands in a record. */
export interface ColumnSource {
  readonly column: string
  readonly pgType: PgType
  /** @param record its Avro form */
  readonly read: (record: Values) => ColumnValue
}

const PG_TYPES: Partial<Record<Kind, PgType>> = { string: 'text', boolean: 'bool', int: 'int4', long: 'int8', date: 'date', instant: 'timestamptz' }

/** The columns that a contract's attributes name, in the order of its fields; a column fed by several fields comes several times. */
export function columnSources(shape: RecordShape): ColumnSource[] {
  return shape.fields.flatMap(({ field, shape: type }) => sourcesOf(field, type))
}

function sourcesOf(field: Field, shape: Shape): ColumnSource[] {
  const { name } = field
  const sources: ColumnSource[] = []
  if (field.column !== undefined) sources.push(source(field.column, shape, (record) => record[name]))
  for (const [nested, column] of Object.entries(field.columns ?? {})) {
    sources.push(source(column, nestedShape(field, shape.record, nested), (record) => (record[name] as Values | null)?.[nested]))
  }
  for (const [role, columns] of Object.entries(field.columnsByRole ?? {})) {
    for (const [nested, column] of Object.entries(columns)) {
      sources.push(source(column, nestedShape(field, shape.items?.record, nested), (record) => firstOfRole(record[name] as Values[], role)?.[nested]))
    }
  }
  if (field.involvedColumn !== undefined) {
    sources.push({ column: field.involvedColumn, pgType: 'text', read: (record) => involved(record[name] as Values[]) })
  }
  return sources
}

function source(column: string, shape: Shape, value: (record: Values) => unknown): ColumnSource {
  const pgType = PG_TYPES[shape.kind]
  if (pgType === undefined) throw new Error(`column ${column}: a ${shape.kind} has no column type`)
  if (shape.kind !== 'date') return { column, pgType, read: (record) => (value(record) ?? null) as ColumnValue }
  return {
    column, pgType, read: (record) => {
      const day = value(record) as number | null | undefined
      return day === null || day === undefined ? null : dateText(day)
    },
  }
}

function nestedShape(field: Field, record: RecordShape | undefined, nested: string): Shape {
  const found = record?.fields.find(({ field }) => field.name === nested)
  if (found === undefined) throw new Error(`${field.name} has no field ${nested}`)
  return found.shape
}

function firstOfRole(items: Values[], role: string): Values | undefined {
  return items.find((item) => item['role'] === role)
}

/** The four regions among the parties, in the order of their codes: `js zj`; null when there is none. */
function involved(parties: Values[]): string | null {
  const found = REGIONS.filter((region) => parties.some((party) => party['region'] === region))
  return found.length > 0 ? found.join(' ') : null
}
