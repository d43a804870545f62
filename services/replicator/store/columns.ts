import { boolArray, dateArray, int4Array, int8Array, textArray, timestamptzArray } from '@hub/runtime/db'
import { type PgType, TABLES } from '@hub/schemas/tables'
import type { Column } from '@hub/schemas/log-item'

/** Streams whose records have a table here. */
export type RecordStream = keyof typeof TABLES

export const RECORD_STREAMS = Object.keys(TABLES) as RecordStream[]

/** The columns every table of current rows begins with, in the order of their parameters; `applied_at` comes by default. */
export const COMMON = [
  ['region', 'text'],
  ['record_id', 'text'],
  ['version', 'int8'],
  ['kind', 'text'],
  ['ended', 'bool'],
  ['partition', 'int4'],
  ['log_offset', 'int8'],
  ['change_no', 'int8'],
  ['event_id', 'text'],
  ['hash_hi', 'int8'],
  ['hash_lo', 'int8'],
  ['body', 'bytea'],
] as const

/** SQLSTATE of a transaction that found rows other than those it was decided on. */
const OTHER_ROWS = 'HB002'

export interface RecordSql {
  readonly insert: string
  /** As insert, with one more parameter: the offsets of the rows to be replaced. */
  readonly update: string
}

/** The statements that write one stream's current rows from one array per column. */
export function recordSql(stream: RecordStream): RecordSql {
  const { table, columns } = TABLES[stream]
  const all: readonly (readonly [string, string])[] = [...COMMON, ...columns.map(({ name, pgType }) => [name, pgType] as const)]
  const names = all.map(([name]) => name).join(', ')
  const arrays = all.map(([, type], i) => `$${i + 1}::${type}[]`).join(', ')
  const changed = all.slice(2).map(([name]) => `${name} = u.${name}`)
  return {
    insert: `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${arrays})`,
    update: `WITH replaced AS (
             UPDATE ${table} t SET ${changed.join(', ')}, applied_at = now()
               FROM unnest(${arrays}, $${all.length + 1}::int8[]) AS u (${names}, over)
              WHERE t.region = u.region AND t.record_id = u.record_id AND t.log_offset = u.over RETURNING 1)
             SELECT hub_expect(count(*), cardinality($1::text[]), '${OTHER_ROWS}') FROM replaced`,
  }
}

/** One column's values as a binary array. */
export function typedArray(pgType: PgType, values: readonly Column[]): Buffer {
  switch (pgType) {
    case 'text':
    case 'numeric':
      return textArray(values as (string | null)[])
    case 'int8':
      return int8Array(values as (bigint | number | null)[])
    case 'int4':
      return int4Array(values as (number | null)[])
    case 'bool':
      return boolArray(values as (boolean | null)[])
    case 'date':
      return dateArray(values as (string | null)[])
    case 'timestamptz':
      return timestamptzArray(values as (number | null)[])
  }
}
