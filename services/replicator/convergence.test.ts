import { describe, expect, it } from 'vitest'
import { type Cut, judgePartition } from './convergence.ts'

const REGIONS = ['sh', 'js', 'zj', 'ah']
const HERE = 'g1'
const ONE = '1'.padStart(32, '0')
const TWO = '2'.padStart(32, '0')
const NONE = '0'.repeat(32)

describe('the verdict of a partition', () => {
  it('is equal at the newest offset that all have a checkpoint of', () => {
    const found = judge([...all(100), ...all(200, { digest: TWO })])
    expect(found).toMatchObject({ verdict: 'equal', nextOffset: 200, asOf: 200 })
    expect(found.regions).toHaveLength(4)
  })

  it('does not call a replica behind that has yet to hear of the last cut', () => {
    expect(judge([...all(100), cut('sh', 200), cut('js', 200), cut('zj', 200)])).toMatchObject({ verdict: 'equal', nextOffset: 100 })
  })

  it('is behind where a replica lacks two cuts that others have, and names it', () => {
    const found = judge([...all(100), ...['sh', 'js', 'zj'].flatMap((region) => [cut(region, 200), cut(region, 300)])])
    expect(found).toMatchObject({ verdict: 'behind', nextOffset: 100 })
    expect(found.reason).toContain('ah')
    expect(found.reason).not.toContain('zj')
  })

  it('is different as soon as one digest differs, even beside replicas that are behind', () => {
    const found = judge([...all(100).with(2, cut('zj', 100, { digest: TWO })), cut('sh', 200), cut('sh', 300)])
    expect(found).toMatchObject({ verdict: 'different', nextOffset: 100 })
    expect(found.regions.map(({ digest }) => digest)).toEqual([ONE, ONE, TWO, ONE])
  })

  it('tells parked sets apart from records', () => {
    expect(judge(all(100).with(0, cut('sh', 100, { parkedDigest: TWO }))).verdict).toBe('parked sets differ')
  })

  it('of replicas that parked differently the records may differ, of those that parked the same they may not', () => {
    const redriven = { parkedDigest: TWO, digest: TWO }
    expect(judge(all(100).with(0, cut('sh', 100, redriven)).with(1, cut('js', 100, redriven))).verdict).toBe('parked sets differ')
    expect(judge(all(100).with(0, cut('sh', 100, redriven)).with(1, cut('js', 100, { digest: TWO }))).verdict).toBe('different')
  })

  it('looks at the newest common offset alone: what was repaired since does not count', () => {
    expect(judge([...all(100).with(0, cut('sh', 100, { digest: TWO })), ...all(200)]).verdict).toBe('equal')
  })

  it('passes over an offset that one replica cut nothing at', () => {
    expect(judge([...all(100), ...all(200).filter(({ region }) => region !== 'js'), ...all(300)])).toMatchObject({ verdict: 'equal', nextOffset: 300 })
  })
})

describe('where nothing can be compared yet it says why', () => {
  it('a region is silent', () => {
    expect(judge(all(100).filter(({ region }) => region !== 'ah'))).toMatchObject({ verdict: 'unknown', nextOffset: null, reason: expect.stringContaining('no checkpoint of ah yet') })
  })

  it('a region speaks of another generation', () => {
    expect(judge(all(100).with(3, { ...cut('ah', 100), generation: 'g0' })).reason).toContain('another generation')
  })

  it('the replica is complete only from a later offset', () => {
    expect(judgePartition(REGIONS, HERE, 500, [...all(100).slice(1), cut('sh', 600)])).toMatchObject({ verdict: 'unknown', reason: expect.stringContaining('complete from offset 500') })
  })
})

function judge(cuts: readonly Cut[]) {
  return judgePartition(REGIONS, HERE, 0, cuts)
}

function all(nextOffset: number, over: Partial<Cut> = {}): Cut[] {
  return REGIONS.map((region) => cut(region, nextOffset, over))
}

function cut(region: string, nextOffset: number, over: Partial<Cut> = {}): Cut {
  return { region, generation: HERE, nextOffset, digest: ONE, parkedDigest: NONE, at: nextOffset, ...over }
}
