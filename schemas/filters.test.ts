import { expect, test } from 'vitest'
import { allFields, shapeOf } from './avro-schema.ts'
import { CODES } from './codes.ts'
import { ALL_CONTRACTS } from './contracts.ts'
import { filterChoices, filterColumnType, FILTERS, partyRole } from './filters.ts'
import { DATA_STREAMS } from './streams.ts'

test.each(DATA_STREAMS)('%s: every filter has a name of its own, a column of its table and, for a code, a table of codes', (stream) => {
  const names = FILTERS[stream].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { name, how, columns, value, codes } of FILTERS[stream]) {
    expect(columns.length > 0 || how === 'role', name).toBe(true)
    for (const { column } of columns) {
      expect(filterColumnType(stream, column), `${name} ${column}`).toBe(value === 'date' ? 'date' : value === 'boolean' ? 'bool' : 'text')
    }
    if (value === 'code') expect(CODES[codes!], name).toBeDefined()
  }
})

test.each(DATA_STREAMS)('%s: no filter asks for a field that bureaus may not see', (stream) => {
  const hidden = ALL_CONTRACTS.filter((contract) => contract.stream === stream).flatMap(({ schema }) => [...allFields(shapeOf(schema))])
    .filter(({ field }) => field.visibility !== 'public' && field.visibility !== 'bureaus')
    .flatMap(({ field }) => [field.column, ...Object.values(field.columns ?? {})])
  expect(FILTERS[stream].flatMap(({ columns }) => columns.map(({ column }) => column)).filter((column) => hidden.includes(column))).toEqual([])
})

test('roles have short words too, and nothing else is one', () => {
  expect([partyRole('producer'), partyRole('sampled'), partyRole('importer'), partyRole('toString'), partyRole('')]).toEqual(['nominal-producer', 'sampled-unit', 'importer', undefined, undefined])
  expect(filterChoices(FILTERS['inspection-failure'].find(({ name }) => name === 'role')!)).toContain('producer')
})
