import avro from 'avsc'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shapeOf, type Shape } from '@hub/schemas/avro-schema'
import { ByteSink } from './sink.ts'
import { ALL_CONTRACTS, type Contract } from '@hub/schemas/contracts'
import { jsonWriter } from '@hub/schemas/record-json'
import { fieldsReader } from './fields.ts'
import { wireJson } from './json.ts'
import { Wire } from './wire.ts'

const TYPES = new Map(ALL_CONTRACTS.map((contract) => [contract.fullName, { contract, type: avro.Type.forSchema(contract.schema as unknown as avro.Schema, { registry: {} }) }]))
const ANY_CONTRACT = fc.constantFrom(...TYPES.keys())
const TEXT = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constantFrom('', '义乌市某某贸易有限公司', 'a"b\\c\u2028\u0001', '𠮷野', '\ud800', 'é߿ࠀ\ud7ff\ue000\uffff'))

describe('the JSON of a record, from its bytes', () => {
  it('is that of the decoded record, whatever is kept of it', () => {
    const sink = new ByteSink()
    fc.assert(fc.property(ANY_CONTRACT.chain((name) => fc.record({ name: fc.constant(name), record: valueOf(recordOf(name)), left: fc.subarray(namesOf(name)) })), ({ name: fullName, record, left }) => {
      const { contract, type } = TYPES.get(fullName)!
      const keep = ({ name }: { name: string }): boolean => !left.includes(name)
      // As it is read, which is not always as it was given: a lone surrogate has no UTF-8.
      const bytes = type.toBuffer(record)
      const wire = new Wire().open(bytes, 0)
      wireJson(contract, keep as never)(wire, sink)
      expect(sink.take().toString('utf8')).toBe(JSON.stringify(jsonWriter(contract, keep as never)(type.fromBuffer(bytes) as object)))
      expect(wire.at).toBe(bytes.length)
    }), { numRuns: 3_000 })
  })

  it('is the same where a text is not UTF-8 and where an array comes in several blocks with their lengths', () => {
    const contract = { schema: { type: 'record', name: 'R', doc: '', fields: [{ name: 'a', type: 'string' }, { name: 'b', type: { type: 'array', items: 'string' } }, { name: 'c', type: 'int' }] } } as unknown as Contract
    const type = avro.Type.forSchema(contract.schema as unknown as avro.Schema, { registry: {} })
    for (const text of ['80', 'e4b8', 'e0808d', 'eda080', 'f4908080', 'c0af', 'e4b8adff']) {
      const bytes = Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'hex'), Buffer.from([1, 8, 2, 0x78, 2, 0x79, 2, 2, 0x7a, 0, 10])])
      // Two items in a block that names its four bytes, then one, then the end.
      bytes[1 + text.length / 2] = 3
      const sink = new ByteSink()
      wireJson(contract, () => true)(new Wire().open(bytes, 0), sink)
      expect(sink.take().toString('utf8')).toBe(JSON.stringify(type.fromBuffer(bytes)))
      expect(fieldsReader(contract, ['c'])(new Wire().open(bytes, 0))).toEqual({ c: 5 })
    }
  })

  it('takes what was written and keeps it, however much comes after', () => {
    const sink = new ByteSink()
    const long = Buffer.from('界'.repeat(50_000))
    const taken = Array.from({ length: 9 }, (_, n) => {
      sink.integer(n)
      sink.text(long, 0, long.length)
      sink.json({ cut: n })
      sink.cut(sink.length - `{"cut":${n}}`.length)
      return sink.take()
    })
    for (const [n, bytes] of taken.entries()) expect(bytes.toString('utf8')).toBe(`${n}"${'界'.repeat(50_000)}"`)
  })
})

describe('some fields of a record, from its bytes', () => {
  it('are those of the decoded record', () => {
    fc.assert(fc.property(ANY_CONTRACT.chain((name) => fc.record({ name: fc.constant(name), record: valueOf(recordOf(name)), paths: fc.subarray(pathsOf(name)) })), ({ name, record, paths }) => {
      const { contract, type } = TYPES.get(name)!
      const bytes = type.toBuffer(record)
      const read = fieldsReader(contract, paths)
      // Twice: short texts are kept for the second time.
      for (const _ of [1, 2]) expect(read(new Wire().open(bytes, 0))).toEqual(only(type.fromBuffer(bytes) as Values, paths))
    }), { numRuns: 2_000 })
  })
})

type Values = Record<string, unknown>

function recordOf(name: string): Shape {
  return { kind: 'record', nullable: false, record: shapeOf(TYPES.get(name)!.contract.schema) }
}

function valueOf(shape: Shape): fc.Arbitrary<unknown> {
  const value = ((): fc.Arbitrary<unknown> => {
    switch (shape.kind) {
      case 'string': return TEXT
      case 'boolean': return fc.boolean()
      case 'int': return fc.integer()
      case 'date': return fc.oneof(fc.integer({ min: 0, max: 40_010 }), fc.integer({ min: -700_000, max: 2_900_000 }))
      case 'long': return fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 52), max: 2 ** 53 - 2 }))
      case 'instant': return fc.oneof(fc.integer({ min: 0, max: 4e9 }).map((seconds) => seconds * 1000), fc.integer({ min: -6e13, max: 2e14 }))
      case 'bytes': return fc.uint8Array().map((bytes) => Buffer.from(bytes))
      case 'array': return fc.array(valueOf(shape.items!), { maxLength: 3 })
      case 'record': return fc.record(Object.fromEntries(shape.record!.fields.map(({ field, shape: type }) => [field.name, valueOf(type)])))
    }
  })()
  return shape.nullable ? fc.option(value) : value
}

function namesOf(contract: string): string[] {
  const names = (shape: Shape | undefined): string[] => shape?.record?.fields.flatMap(({ field, shape: type }) => [field.name, ...names(type), ...names(type.items)]) ?? []
  return [...new Set(names(recordOf(contract)))]
}

function pathsOf(contract: string): string[] {
  const paths = (shape: Shape): string[] => shape.record!.fields.flatMap(({ field: { name }, shape: type }) => (type.kind === 'record' ? paths(type).map((path) => `${name}.${path}`) : type.kind === 'array' || type.kind === 'bytes' ? [] : [name]))
  return paths(recordOf(contract))
}

function only(record: Values, paths: readonly string[]): Values {
  const values: Values = {}
  for (const [name, value] of Object.entries(record)) {
    const below = paths.flatMap((path) => (path.startsWith(`${name}.`) ? [path.slice(name.length + 1)] : []))
    if (paths.includes(name)) values[name] = value
    else if (below.length > 0) values[name] = value === null ? null : only(value as Values, below)
  }
  return values
}
