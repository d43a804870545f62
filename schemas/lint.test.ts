import { describe, expect, test } from 'vitest'
import { TEXT_BOUNDS, allFields, shapeOf, type AvroType, type Field, type RecordSchema } from './avro-schema.ts'
import { ALL_CONTRACTS } from './contracts.ts'
import { DENIED, lintContract } from './lint.ts'

const contracts = ALL_CONTRACTS.map((contract) => [contract.fullName, contract.schema] as const)
const good: Field = { name: 'sampleNo', type: 'string', doc: 'd', source: 's', visibility: 'public', pattern: '^.$', maxLength: 1 }
const schema = (...fields: unknown[]): RecordSchema => ({ type: 'record', name: 'R', namespace: 'test', doc: 'd', fields: fields as Field[] })
const record = (fields: unknown[]): AvroType => ({ type: 'record', name: 'Inner', doc: 'd', fields: fields as Field[] })

test.each(contracts)('%s keeps every rule: doc, source and visibility on every field, bounds on every value', (_name, contract) => {
  expect(lintContract(contract)).toEqual([])
})

test.each(contracts)('%s has no place for the identity of a complainant, nor for free text', (_name, contract) => {
  for (const { field, shape } of allFields(shapeOf(contract))) {
    expect(field.name).not.toMatch(DENIED)
    if ((shape.items?.kind ?? shape.kind) !== 'string') continue
    // Anything that is not a code or a number of a known form is a name, an official phrase or a printed cell, and short.
    const bound = field.format !== undefined || field.codes !== undefined ? 128 : field.maxLength!
    expect(bound, field.name).toBeLessThanOrEqual(field.text === undefined ? 128 : TEXT_BOUNDS[field.text]!)
  }
})

test('one cell as printed is the longest text, in one place; only what the regions say to each other is longer', () => {
  const long = contracts.flatMap(([name, contract]) => [...allFields(shapeOf(contract))].filter(({ field }) => (field.maxLength ?? 0) > 300).map(({ path }) => `${name} ${path}`))
  expect(long).toEqual(['cn.yrd.inspection_failure.InspectionFailure failingItemsRaw', 'cn.yrd.announcement.AnnouncementAct body'])
})

test('the names that systems use for complainants, officers and text are denied', () => {
  const real = [
    'rqstperson', 'gender', 'age', 'idnumber', 'rqstnumber', 'rqstaddress', 'linknumber', 'othercontacts', 'emaiaddress', 'contentrs', 'problemdescribe', 'operator', 'operatorOpinion',
    'subjectphone', 'complainantName', 'content', 'remark', 'certificate', 'legalRepresentative',
  ]
  expect(real.filter((name) => !DENIED.test(name))).toEqual([])
})

describe('a contract is refused, with the field named', () => {
  test('the good field alone passes', () => {
    expect(lintContract(schema(good))).toEqual([])
  })

  test.each<[string, unknown, string]>([
    ['without doc', { ...good, doc: '' }, 'sampleNo: no doc'],
    ['without source', { ...good, source: undefined }, 'sampleNo: no source'],
    ['without visibility', { ...good, visibility: undefined }, 'sampleNo: no visibility'],
    ['with a denied name', { ...good, name: 'complainantPhone' }, 'complainantPhone: a name kept for personal data or free text'],
    ['a string without bounds', { ...good, pattern: undefined }, 'sampleNo: a string needs exactly one of format, codes, pattern, text'],
    ['free text', { ...good, pattern: undefined, text: 'free', maxLength: 4000 }, 'sampleNo: text free needs maxLength of at most undefined'],
    ['a name as long as a story', { ...good, pattern: undefined, text: 'name', maxLength: 201 }, 'sampleNo: text name needs maxLength of at most 200'],
    ['a pattern for anything', { ...good, pattern: '.*', maxLength: 4000 }, 'sampleNo: a pattern needs maxLength of at most 128'],
    ['a table that is none', { ...good, pattern: undefined, codes: 'nothing' }, 'sampleNo: unknown code table nothing'],
    ['a number without bounds', { ...good, type: 'long', pattern: undefined }, 'sampleNo: a number needs minimum and maximum'],
    ['a list without bounds', { ...good, type: { type: 'array', items: 'string' }, default: [] }, 'sampleNo: an array needs maxItems'],
    ['an optional field without default', { ...good, type: ['null', 'string'] }, 'sampleNo: a union with null needs the default null'],
    ['in a record within', { ...good, name: 'outer', type: record([{ ...good, doc: '' }]) }, 'outer.sampleNo: no doc'],
    ['in the items of a list', { ...good, name: 'outer', maxItems: 1, default: [], type: { type: 'array', items: record([{ ...good, doc: '' }]) } }, 'outer[].sampleNo: no doc'],
  ])('%s', (_what, field, finding) => {
    expect(lintContract(schema(field))).toContain(finding)
  })

  test('recursion, unions of other kinds and types the hub does not use cannot be read at all', () => {
    expect(() => lintContract(schema({ ...good, type: ['null', 'R'], default: null }))).toThrow(/R is not defined before its use, or holds itself/)
    expect(() => lintContract(schema({ ...good, type: ['null', 'string', 'int'] }))).toThrow('a union must be [null, X]')
    expect(() => lintContract(schema({ ...good, type: { type: 'enum', name: 'E', symbols: ['A'] } }))).toThrow(/not one the hub uses/)
    expect(() => lintContract(schema({ ...good, type: 'double' }))).toThrow(/double/)
  })
})
