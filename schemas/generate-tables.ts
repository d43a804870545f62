import { shapeOf } from './avro-schema.ts'
import { columnSources, type PgType } from './columns.ts'
import type { ContractFile } from './contract-files.ts'

/** The tables of the data streams: columns in the order in which the record contract names them. */
export function renderTables(sources: readonly ContractFile[]): string {
  const tables = [...Map.groupBy(sources, ({ stream }) => stream)].map(([stream, contracts]) => {
    const columns = columnsOf(contracts)
    const rows = [...columns].map(([name, pgType]) => `      { name: '${name}', pgType: '${pgType}' },\n`)
    return `  ${/^\w+$/.test(stream) ? stream : `'${stream}'`}: {\n    table: '${stream.replaceAll('-', '_')}',\n    columns: [\n${rows.join('')}    ],\n  },\n`
  })
  return `
/** The table of current rows of each stream, and the typed columns that its contracts name. */
export const TABLES = {
${tables.join('')}} as const
`
}

/** @throws Error when two fields give one column two types, or a stub has a column that its record has not */
function columnsOf(contracts: readonly ContractFile[]): Map<string, PgType> {
  const record = contracts.find(({ schema }) => schema.role === undefined)
  const columns = new Map<string, PgType>()
  for (const { schema } of [record!, ...contracts.filter((contract) => contract !== record)]) {
    for (const { column, pgType } of columnSources(shapeOf(schema))) {
      const before = columns.get(column)
      if (before === undefined && schema.role === 'stub') throw new Error(`${schema.name}: column ${column} is not one of its record`)
      if (before !== undefined && before !== pgType) throw new Error(`${schema.name}: column ${column} is ${before} and ${pgType}`)
      columns.set(column, pgType)
    }
  }
  return columns
}
