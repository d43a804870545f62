import { Problem } from '@hub/runtime/http'
import { describe, expect, test } from 'vitest'
import { parseAsOf, placesToRead, vectorText, type PartitionHere, type Place } from './as-of.ts'

const NOW = Date.parse('2026-11-24T00:00:00Z')
const GENERATION = '3f2a9c1b-0000-4000-8000-000000000000'
const EXPECTED = ['sh.complaint/4', 'zj.complaint/4']

describe('what asOf may say', () => {
  test('a time with its offset, the plus escaped or not', () => {
    for (const text of ['2026-03-15T10:00:00+08:00', '2026-03-15T10:00:00 08:00', '2026-03-15T02:00:00.000Z']) expect(parseAsOf(text, NOW)).toEqual({ instant: Date.parse('2026-03-15T02:00:00Z') })
  })

  test('positions, with and without generation, as they are written', () => {
    const text = 'zj.complaint/4@3f2a9c1b:1042,sh.inspection-failure/0:0'
    const asOf = parseAsOf(text, NOW) as { vector: ReadonlyMap<string, Place> }
    expect([...asOf.vector]).toEqual([['zj.complaint/4', { offset: 1042n, generation: '3f2a9c1b' }], ['sh.inspection-failure/0', { offset: 0n, generation: undefined }]])
    expect(vectorText(asOf.vector)).toBe(text)
    expect(vectorText([['zj.complaint/4', { offset: 1042n, generation: GENERATION }]])).toBe('zj.complaint/4@3f2a9c1b:1042')
  })

  test.each([
    ['a time to come', '2026-11-24T08:00:01+08:00', 'ASOF_FUTURE'],
    ['a time without offset', '2026-03-15T10:00:00', 'ASOF_INVALID'],
    ['a day', '2026-03-15', 'ASOF_INVALID'],
    ['a day that is none', '2026-02-30T10:00:00Z', 'ASOF_INVALID'],
    ['nothing', '', 'ASOF_INVALID'],
    ['no offset', 'zj.complaint/4', 'ASOF_INVALID'],
    ['a negative offset', 'zj.complaint/4:-1', 'ASOF_INVALID'],
    ['more than 64 bits', 'zj.complaint/4:9999999999999999999', 'ASOF_INVALID'],
    ['no such region', 'bj.complaint/4:1', 'ASOF_INVALID'],
    ['no such stream', 'zj.complaints/4:1', 'ASOF_INVALID'],
    ['a partition twice', 'zj.complaint/4:1,zj.complaint/4:2', 'ASOF_INVALID'],
    ['a comma at the end', 'zj.complaint/4:1,', 'ASOF_INVALID'],
    ['SQL', "zj.complaint/4:1' OR true --", 'ASOF_INVALID'],
  ])('is not %s', (_what, text, code) => {
    expect(codeOf(() => parseAsOf(text, NOW))).toBe(code)
  })
})

describe('a position', () => {
  const here = (over: Partial<PartitionHere> = {}): PartitionHere[] => [{ region: 'zj', name: 'zj.complaint/4', generation: GENERATION, nextOffset: 100n, completeFrom: 0n, keptFrom: undefined, ...over }]
  const at = (offset: bigint, generation?: string): Map<string, Place> => new Map([['zj.complaint/4', { offset, generation }]])

  test('is read where it is given, from nothing up to where the replica is', () => {
    for (const offset of [0n, 1n, 100n]) expect(placesToRead(at(offset, '3f2a9c1b'), here(), EXPECTED)).toEqual([{ here: here()[0], offset }])
  })

  test('is refused, each time with a code of its own, where this replica cannot say', () => {
    expect(codeOf(() => placesToRead(at(101n), here(), EXPECTED))).toBe('ASOF_FUTURE')
    expect(codeOf(() => placesToRead(at(0n), [], EXPECTED))).toBe('ASOF_FUTURE')
    expect(codeOf(() => placesToRead(at(50n, 'ffffffff'), here(), EXPECTED))).toBe('ASOF_OTHER_GENERATION')
    expect(codeOf(() => placesToRead(new Map([['zj.complaint/3', { offset: 1n, generation: undefined }]]), here(), EXPECTED))).toBe('ASOF_PARTITION_MISSING')
    expect(codeOf(() => placesToRead(at(40n), here({ keptFrom: 41n }), EXPECTED))).toBe('ASOF_TOO_OLD')
    expect(codeOf(() => placesToRead(at(41n), here({ keptFrom: 41n }), EXPECTED))).toBeUndefined()
  })

  test('before versions that are missing is refused with the number from which none are', () => {
    expect(codeOf(() => placesToRead(at(60n), here({ completeFrom: 60n }), EXPECTED))).toBeUndefined()
    expect(problemOf(() => placesToRead(at(59n), here({ completeFrom: 60n }), EXPECTED))).toMatchObject({ code: 'ASOF_INCOMPLETE', extra: { completeFrom: '60', partition: 'zj.complaint/4' } })
  })
})

function problemOf(work: () => unknown): Problem | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
}

function codeOf(work: () => unknown): string | undefined {
  return problemOf(work)?.code
}
