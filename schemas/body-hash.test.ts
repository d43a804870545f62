import avro from 'avsc'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { bodyHash } from './body-hash.ts'

const party = { type: 'record', name: 'Party', fields: [
  { name: 'uscc', type: ['null', 'string'], default: null },
  { name: 'name', type: ['null', 'string'], default: null },
] }
const fields = [
  { name: 'eventId', type: 'string' },
  { name: 'recordId', type: 'string' },
  { name: 'version', type: 'long' },
  { name: 'recordedAt', type: 'long' },
  { name: 'trader', type: ['null', party], default: null },
  { name: 'items', type: { type: 'array', items: 'Party' }, default: [] },
  { name: 'document', type: 'bytes' },
  { name: 'online', type: ['null', 'boolean'], default: null },
  { name: 'fen', type: 'long' },
]
const type = avro.Type.forSchema({ type: 'record', name: 'R', fields } as avro.Schema)
const record = {
  eventId: '', recordId: 'zj12315/1', version: 1, recordedAt: 1_767_225_600_000,
  trader: { uscc: '91320594MA257A8W3D', name: null }, items: [{ uscc: null, name: '甲"店' }], document: Buffer.from([0, 255]), online: false, fen: 129_900,
}
const hex = (value: object): string => bodyHash(value as Record<string, unknown>).toString('hex')

test('the hash is SHA-256 of canonical JSON that anybody can write down', () => {
  const text = '{"document":"00ff","fen":129900,"items":[{"name":"甲\\"店"}],"online":false,"recordId":"zj12315/1","trader":{"uscc":"91320594MA257A8W3D"}}'
  expect(hex(record)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'))
  expect(bodyHash(record)).toHaveLength(32)
})

test('a plain object and what comes back from the log hash the same', () => {
  const decoded = type.fromBuffer(type.toBuffer(record)) as object
  expect(hex(decoded)).toBe(hex(record))
})

test('the order of the fields does not matter, at any depth', () => {
  const turned = Object.fromEntries(Object.entries(record).reverse())
  expect(hex({ ...turned, trader: { name: null, uscc: '91320594MA257A8W3D' } })).toBe(hex(record))
})

test('event id, version, recording time and file position are not of the body; equal names further inside are', () => {
  expect(hex({ ...record, eventId: 'x', version: 9, recordedAt: 0, filePosition: 17 })).toBe(hex(record))
  expect(hex({ ...record, trader: { ...record.trader, version: 9 } })).not.toBe(hex(record))
})

test('a contract that gains optional fields changes no hash', () => {
  const grown = { ...record, extra: null, list: [], trader: { ...record.trader, region: null, roles: [] }, items: [{ uscc: null, name: '甲"店', division: null }] }
  expect(hex(grown)).toBe(hex(record))
  const reader = avro.Type.forSchema({ type: 'record', name: 'R', fields: [...fields, { name: 'extra', type: ['null', 'string'], default: null }, { name: 'list', type: { type: 'array', items: 'int' }, default: [] }] } as avro.Schema)
  const evolved = reader.fromBuffer(type.toBuffer(record), reader.createResolver(type)) as object
  expect(hex(evolved)).toBe(hex(record))
})

test('every change of what is said changes the hash', () => {
  const changes: object[] = [
    { recordId: 'zj12315/2' }, { fen: 129_901 }, { online: true }, { online: null }, { document: Buffer.from([0, 254]) }, { trader: null },
    { trader: { uscc: null, name: '91320594MA257A8W3D' } }, { items: [] }, { items: [...record.items, ...record.items] }, { extra: 'x' }, { extra: '' }, { extra: 0 },
  ]
  const hashes = [record, ...changes.map((change) => ({ ...record, ...change }))].map(hex)
  expect(new Set(hashes).size).toBe(hashes.length)
})

test('text cannot pass for structure', () => {
  expect(hex({ a: 'x","b":"y' })).not.toBe(hex({ a: 'x', b: 'y' }))
  expect(hex({ a: '1' })).not.toBe(hex({ a: 1 }))
  expect(hex({ a: ['1', '2'] })).not.toBe(hex({ a: ['1,2'] }))
})

test('nothing is remembered of one record that could reach another: more shapes than are kept in mind', () => {
  const shapes = Array.from({ length: 200 }, (_, at) => ({ [`field${at}`]: at, other: 1 }))
  const first = shapes.map(hex)
  expect(shapes.map(hex)).toEqual(first)
  expect(new Set(first).size).toBe(200)
})
