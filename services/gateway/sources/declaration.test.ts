import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { REGIONS } from '@hub/schemas/streams'
import { parseDeclarations } from './declaration.ts'

const CALLERS = `callers:
  - {id: zj-credit, organisation: 测试, roles: [publisher], sources: [zj-credit], authorities: ['*'], keyHashes: []}
  - {id: zj-reader, organisation: 测试, roles: [reader], keyHashes: []}`
const GOOD = { id: 'zj-credit', owner: '浙江省市场监督管理局信用监管处', contact: '0571-12345678', streams: ['credit-blacklist'], caller: 'zj-credit', mode: 'changes', cadence: 'P1D', versionRule: 'update-time' }
const parse = (...sources: unknown[]) => parseDeclarations(JSON.stringify({ sources }), CALLERS, 'sources.yaml')

test('a good file is read', () => {
  const { cadence: _, ...rest } = GOOD
  expect(parse(GOOD)).toEqual([{ ...rest, cadenceSeconds: 86_400 }])
  expect(parseDeclarations('sources: []', CALLERS, 'sources.yaml')).toEqual([])
})

test.each([['P1W', 604_800], ['P1DT12H', 129_600], ['PT6H', 21_600], ['PT1M', 60]])('a cadence of %s is %i seconds', (cadence, seconds) => {
  expect(parse({ ...GOOD, cadence })[0]!.cadenceSeconds).toBe(seconds)
})

test.each<[string, unknown]>([
  ['id', 'ZJ credit'], ['owner', '张三'], ['contact', '13812345678'], ['contact', 12315], ['contact', 'zhang@example.cn'], ['streams', []], ['streams', ['checkpoint']], ['streams', ['recall', 'recall']],
  ['caller', 'nobody'], ['caller', 'zj-reader'], ['mode', 'some'], ['cadence', 'P1M'], ['cadence', 'P'], ['cadence', 'PT'], ['cadence', 86_400], ['cadence', 'P900D'], ['versionRule', 'guess'], ['colour', 'red'],
])('%s: %j is a problem, and it is named', (field, value) => {
  expect(() => parse({ ...GOOD, [field]: value })).toThrow(`sources[0].${field}: `)
})

test('all problems are told at once, and what stands where a contact should is not repeated', () => {
  const problem = (() => {
    try {
      return parse({ ...GOOD, contact: '13812345678', mode: 'x' }, GOOD, 7, { ...GOOD, id: 'zj-other' })
    } catch (error) {
      return (error as Error).message
    }
  })()
  expect(problem).toMatch(/sources\[0\]\.contact: .*sources\[0\]\.mode: .*sources\[1\]\.id: zj-credit stands twice.*sources\[2\]\.id: .*sources\[3\]\.caller: zj-credit may not publish for zj-other/s)
  expect(problem).not.toContain('13812345678')
})

test.each(['', 'sources: 3', '- a', 'sources: [', 'other: []'])('%j is no file of sources', (yaml) => {
  expect(() => parseDeclarations(yaml, CALLERS, 'sources.yaml')).toThrow('sources.yaml')
})

test.each(REGIONS)('infra/regions/%s/sources.yaml agrees with the callers of the region', (region) => {
  const file = (name: string): string => readFileSync(new URL(`../../../infra/regions/${region}/${name}`, import.meta.url), 'utf8')
  const declared = parseDeclarations(file('sources.yaml'), file('callers.yaml'), 'sources.yaml')
  expect(new Set(declared.flatMap(({ streams }) => streams))).toEqual(new Set(['complaint', 'tally', 'credit-blacklist', 'inspection-failure']))
})

test('what docs/guides/sources.md shows is a good file', () => {
  const [, yaml] = /^```yaml\n([\s\S]*?)^```$/m.exec(readFileSync(new URL('../../../docs/guides/sources.md', import.meta.url), 'utf8'))!
  expect(parseDeclarations(yaml!, CALLERS, 'sources.yaml')).toMatchObject([{ id: 'zj-credit', contact: '0571-87654321', cadenceSeconds: 86_400 }])
})
