import { shapeOf } from './avro-schema.ts'
import { columnSources, type ColumnValue } from './columns.ts'
import { ALL_CONTRACTS, type Contract } from './contracts.ts'
import { TABLES } from './generated/tables.ts'
import { isDataStream } from './streams.ts'

export { TABLES }
export type { ColumnValue, PgType } from './columns.ts'

type Values = Record<string, unknown>

const readers = new Map(ALL_CONTRACTS.flatMap((contract) => {
  if (!isDataStream(contract.stream)) return []
  const sources = Map.groupBy(columnSources(shapeOf(contract.schema)), ({ column }) => column)
  return [[contract.fullName, TABLES[contract.stream].columns.map(({ name }) => firstValue((sources.get(name) ?? []).map(({ read }) => read)))]]
}))

/**
 * The typed columns of a record in its Avro form, in the order of `TABLES[stream].columns`: dates as `YYYY-MM-DD`, null where the record
 * has no value or its stub no such field. Only for contracts of the data streams.
 */
export function columnValues(contract: Contract, record: Values): ColumnValue[] {
  return readers.get(contract.fullName)!.map((read) => read(record))
}

/** The credit code the record is about, for `ce_subject`. */
export function subjectOf(contract: Contract, record: Values): string | null {
  if (!isDataStream(contract.stream)) return null
  const at = TABLES[contract.stream].columns.findIndex(({ name }) => name === 'uscc')
  return at < 0 ? null : readers.get(contract.fullName)![at]!(record) as string | null
}

function firstValue(reads: ((record: Values) => ColumnValue)[]): (record: Values) => ColumnValue {
  const [only] = reads
  if (only === undefined) return () => null
  if (reads.length === 1) return only
  return (record) => {
    for (const read of reads) {
      const value = read(record)
      if (value !== null) return value
    }
    return null
  }
}
