import { REGIONS } from '@hub/schemas/streams'
import { describe, expect, it } from 'vitest'
import type { NotedPartition } from './convergence-store.ts'
import { convergenceBody } from './convergence-page.ts'
import { standingOf, summarise } from './convergence.ts'

const NOW = Date.UTC(2026, 10, 24, 12)
const minutes = (ago: number): Date => new Date(NOW - ago * 60_000)

describe('one partition', () => {
  it('has been the same since nothing differed, also while a replica is behind', () => {
    expect(standingOf(noted({ verdict: 'behind', since: minutes(3), equalSince: minutes(90) }), NOW)).toMatchObject({ verdict: 'behind', since: minutes(90) })
  })

  it('is different when the scrubber says so, whatever the digests say', () => {
    expect(standingOf(noted({ scrub: scrub({ result: 'different', since: minutes(7).toISOString(), reason: 'why' }) }), NOW)).toMatchObject({ verdict: 'different', since: minutes(7), reason: 'why' })
  })

  it('is unknown when nobody compares any more', () => {
    expect(standingOf(noted({ checkedAt: minutes(3) }), NOW)).toMatchObject({ verdict: 'unknown', since: minutes(3) })
  })
})

describe('everything', () => {
  it('is the same up to the earliest, since the latest', () => {
    const found = summarise(everywhere([noted({ asOf: minutes(2), equalSince: minutes(100) }), noted({ partition: 1, asOf: minutes(5), equalSince: minutes(50) })]), NOW)
    expect(found).toMatchObject({ verdict: 'equal', asOf: minutes(5), since: minutes(50) })
    expect(found.topics).toHaveLength(20)
  })

  it('is as its worst topic is', () => {
    const all = everywhere([noted({})])
    const found = summarise([noted({ verdict: 'different', since: minutes(4) }), ...all.slice(1)], NOW)
    expect(found).toMatchObject({ verdict: 'different', since: minutes(4) })
    expect(found.topics.filter(({ verdict }) => verdict === 'different')).toHaveLength(1)
  })

  it('a topic that is not there yet leaves it unknown', () => {
    expect(summarise(everywhere([noted({})]).slice(1), NOW).verdict).toBe('unknown')
  })

  it('names regions that have said nothing for some minutes', () => {
    const regions = REGIONS.map((region, i) => ({ region, nextOffset: 9, at: minutes(i === 3 ? 6 : 1).getTime(), digest: null, parkedDigest: null }))
    expect(summarise(everywhere([noted({ regions })]), NOW).regions.map(({ silent }) => silent)).toEqual([false, false, false, true])
  })

  it('says since when every row was looked at, and nothing before that', () => {
    const looked = everywhere([noted({ scrub: scrub({ at: minutes(9).toISOString() }) })])
    expect(summarise(looked, NOW).scrub).toMatchObject({ oldest: minutes(9), looked: 20, different: 0 })
    expect(summarise([noted({}), ...looked.slice(1)], NOW).scrub).toMatchObject({ oldest: null, looked: 19 })
  })
})

describe('the page', () => {
  it('says the reason once for everything, and of a topic only what is its own', async () => {
    const told = String(await convergenceBody(summarise([], NOW), 'zj', NOW))
    expect(told.match(/本副本尚未读取这些主题/g)).toHaveLength(1)
    expect(told.match(/尚无法比较/g)).toHaveLength(21)
  })

  it('names the topic that differs, and why', async () => {
    const [, ...others] = everywhere([noted({})])
    const told = String(await convergenceBody(summarise([noted({ verdict: 'different', since: minutes(4), reason: '一行被改' }), ...others], NOW), 'zj', NOW))
    expect(told).toContain('<p class="quiet">一行被改</p>')
    expect(told.match(/<td><span class="bad">不一致，自 2026-11-24 19:56<\/span><\/td>/g)).toHaveLength(1)
  })
})

function everywhere(partitions: readonly NotedPartition[]): NotedPartition[] {
  return (['complaint', 'credit-blacklist', 'inspection-failure', 'recall', 'tally'] as const).flatMap((stream) => REGIONS.flatMap((origin) => partitions.map((one) => ({ ...one, origin, stream }))))
}

function noted(over: Partial<NotedPartition>): NotedPartition {
  return {
    origin: REGIONS[0], stream: 'complaint', topic: 'x', partition: 0, verdict: 'equal', reason: null, nextOffset: 9n, asOf: minutes(1), since: minutes(60), equalSince: minutes(60), checkedAt: minutes(0),
    regions: null, scrub: null, ...over,
  }
}

function scrub(over: Partial<NonNullable<NotedPartition['scrub']>>): NonNullable<NotedPartition['scrub']> {
  return { at: minutes(1).toISOString(), rows: 5, result: 'equal', reason: null, since: null, findings: [], ...over }
}
