import { expect, test } from 'vitest'
import { Freshness } from './freshness.ts'

test('is the time since the latest fetch that had not seen the heartbeat, plus its delay', () => {
  const freshness = new Freshness()
  expect(freshness.staleness(0)).toBeUndefined()
  freshness.fetched(1_000, 10)
  freshness.fetched(1_500, 12)
  freshness.fetched(1_900, 14)
  expect([freshness.freshWith(9, 30), freshness.freshWith(12, 30)]).toEqual([undefined, 1_470])
  freshness.heartbeatApplied(12, 30)
  expect(freshness.staleness(2_000)).toBe(530)
  expect(freshness.freshWith(12, 30)).toBeUndefined()
})

test('an old heartbeat, fetched long after it was produced, says nothing', () => {
  const freshness = new Freshness()
  freshness.fetched(100_000, 13)
  freshness.heartbeatApplied(12, 3)
  expect(freshness.staleness(100_001)).toBeUndefined()
  freshness.fetched(102_000, 14)
  freshness.heartbeatApplied(13, 3)
  expect(freshness.staleness(102_000)).toBe(2_003)
})
