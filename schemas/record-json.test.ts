import avro from 'avsc'
import { expect, test } from 'vitest'
import { dateText, instantText, toJson } from './record-json.ts'

const date = { type: 'int', logicalType: 'date' }
const instant = { type: 'long', logicalType: 'timestamp-millis' }
const contract = {
  schema: {
    type: 'record', name: 'R', namespace: 'test', fields: [
      { name: 'recordId', type: 'string' },
      { name: 'on', type: date },
      { name: 'until', type: ['null', date], default: null },
      { name: 'at', type: instant },
      { name: 'digest', type: 'bytes' },
      { name: 'fen', type: ['null', 'long'], default: null },
      { name: 'trader', type: ['null', { type: 'record', name: 'Party', fields: [{ name: 'name', type: ['null', 'string'], default: null }, { name: 'since', type: ['null', date], default: null }] }], default: null },
      { name: 'others', type: { type: 'array', items: 'Party' }, default: [] },
      { name: 'days', type: { type: 'array', items: date }, default: [] },
      { name: 'codes', type: { type: 'array', items: 'string' }, default: [] },
      { name: 'level', type: { type: 'enum', name: 'Level', symbols: ['one', 'two'] } },
      { name: 'size', type: { type: 'fixed', name: 'Four', size: 4 } },
    ],
  },
}
const type = avro.Type.forSchema(contract.schema as avro.Schema)

test('a record from the log reads as it was published: dates, instants in +08:00, hex, at every depth', () => {
  const decoded = type.fromBuffer(type.toBuffer({
    recordId: 'zj12315/1', on: 20_527, until: 20_528, at: 1_773_538_200_250, digest: Buffer.from([0, 255]), fen: 129_900, trader: { name: '甲店', since: 0 },
    others: [{ name: null, since: -1 }], days: [20_527], codes: ['a'], level: 'two', size: Buffer.from([1, 2, 3, 4]),
  })) as object
  expect(toJson(contract, decoded)).toEqual({
    recordId: 'zj12315/1', on: '2026-03-15', until: '2026-03-16', at: '2026-03-15T09:30:00.250+08:00', digest: '00ff', fen: 129_900, trader: { name: '甲店', since: '1970-01-01' },
    others: [{ name: null, since: '1969-12-31' }], days: ['2026-03-15'], codes: ['a'], level: 'two', size: '01020304',
  })
})

test('absent optional fields are null', () => {
  const decoded = type.fromBuffer(type.toBuffer({
    recordId: 'r', on: 0, until: null, at: 0, digest: Buffer.alloc(0), fen: null, trader: null, others: [], days: [], codes: [], level: 'one', size: Buffer.alloc(4),
  })) as object
  expect(toJson(contract, decoded)).toMatchObject({ until: null, fen: null, trader: null, others: [], digest: '' })
  expect(toJson(contract, { on: 0, at: 0, digest: Buffer.alloc(0), others: [], days: [], size: Buffer.alloc(4) })).toMatchObject({ recordId: null, trader: null })
})

test('every day is written as PostgreSQL and JavaScript write it', () => {
  for (let days = -800_000; days < 2_900_000; days += 97) {
    const year = new Date(days * 86_400_000).getUTCFullYear()
    if (year >= 0 && year <= 9999) expect(dateText(days)).toBe(new Date(days * 86_400_000).toISOString().slice(0, 10))
  }
  for (const day of ['1900-02-28', '1900-03-01', '2000-02-29', '2024-02-29', '2026-12-31']) expect(dateText(Date.parse(day) / 86_400_000)).toBe(day)
})

test('an instant keeps its moment and shows the date it had in Shanghai', () => {
  expect(instantText(Date.parse('2026-03-14T16:00:00Z'))).toBe('2026-03-15T00:00:00+08:00')
  expect(instantText(Date.parse('2026-03-14T15:59:59.999Z'))).toBe('2026-03-14T23:59:59.999+08:00')
  for (const ms of [0, -1, 1, 951_782_400_123, 1_773_538_200_000, -2_208_988_800_000]) expect(Date.parse(instantText(ms))).toBe(ms)
})

test('numbers that no calendar holds are written somehow, never thrown', () => {
  for (const days of [2 ** 31 - 1, -(2 ** 31)]) expect(dateText(days)).toEqual(expect.any(String))
  for (const ms of [2 ** 53 - 2, -(2 ** 53) + 2]) expect(instantText(ms)).toEqual(expect.any(String))
})
