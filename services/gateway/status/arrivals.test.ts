import { expect, test } from 'vitest'
import { lowestId } from '../publish/event-id.ts'
import { arrivalsOf } from './arrivals.ts'
import type { Frontier, Waiting } from './store.ts'

const NOW = Date.UTC(2026, 2, 15)
const AT = new Date(NOW - 5_000)
const [OLD, RECENT] = [lowestId(NOW - 3_600_000), lowestId(NOW - 1_000)]
const frontier = (fields: Partial<Frontier> = {}): Frontier => ({ region: 'js', topic: 'zj.complaint', partition: 0, arrived: 10n, level: true, live: true, at: AT, ...fields })
const waiting = (fields: Partial<Waiting> = {}): Waiting => ({ region: 'js', topic: 'zj.complaint', partition: 0, own: 0, oldest: null, newest: null, reached: false, ...fields })
const of = (frontiers: Frontier[], found: Waiting[], floor: string | null) => arrivalsOf(['js'], frontiers, found, floor, NOW)[0]!

test('level with a live replica here, and nothing of the caller in the last minute: all arrived', () => {
  expect(of([frontier()], [], OLD)).toMatchObject({ state: 'all', at: AT, waiting: 0, exact: true })
})

test.each<[string, Frontier, string | null]>([
  ['the replica here stands still', frontier({ live: false }), OLD], ['it is behind', frontier({ level: false }), OLD], ['too long ago to tell', frontier({ arrived: null }), null], ['a minute has more events than are looked at', frontier(), RECENT],
])('%s: nothing found is not everything arrived', (_why, one, floor) => {
  expect(of([one], [], floor)).toMatchObject({ state: 'unsure', exact: false })
})

test('behind, but an event that has arrived was seen in each partition, or all there are: exact', () => {
  const late = waiting({ own: 3, oldest: lowestId(NOW - 60_000), newest: RECENT, reached: true })
  expect(of([frontier({ level: false })], [late], OLD)).toMatchObject({ state: 'waiting', waiting: 3, exact: true, oldest: new Date(NOW - 60_000), newest: RECENT })
  expect(of([frontier({ level: false }), frontier({ partition: 1, level: false })], [late], OLD)).toMatchObject({ state: 'waiting', exact: false })
  expect(of([frontier({ level: false }), frontier({ partition: 1, level: false })], [late], null)).toMatchObject({ state: 'waiting', exact: true })
})

test('a region that never said how far it is', () => {
  expect(of([frontier({ at: null, arrived: 0n, level: false })], [waiting({ own: 2, oldest: OLD, newest: RECENT })], null)).toMatchObject({ state: 'silent', waiting: 2, at: null })
})
