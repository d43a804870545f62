import { timeOfId } from '../publish/event-id.ts'
import type { Frontier, Waiting } from './store.ts'

/** An id is given so long before its event is committed at most, and a live replica is behind by no more. */
const MOMENT_MS = 60_000

/** Whether a region's replica has the caller's events. */
export interface Arrivals {
  readonly region: string
  /** `silent`: it has never said how far it is; `all`: nothing of the caller's is on its way; `unsure`: none was found, and not all could be looked at. */
  readonly state: 'all' | 'waiting' | 'unsure' | 'silent'
  /** When the region last said how far it is. */
  readonly at: Date | null
  /** The caller's events that have not arrived; of `exact` false, at least so many. */
  readonly waiting: number
  readonly exact: boolean
  /** Since when the oldest of them waits. */
  readonly oldest: Date | null
  /** Id of the newest of them. */
  readonly newest: string | null
}

/**
 * What a caller is told, from how far each region is and what waits among the newest events. The count is exact where in each partition either an event was seen that the
 * region has, or the region is level with this region's own replica, that one is live, and the newest events reach back a minute.
 * @param floor oldest id that was looked at; null = all were
 * @param now ms UTC
 */
export function arrivalsOf(regions: readonly string[], frontiers: readonly Frontier[], waiting: readonly Waiting[], floor: string | null, now: number): Arrivals[] {
  const recent = floor === null || timeOfId(floor) < now - MOMENT_MS
  return regions.map((region): Arrivals => {
    const mine = waiting.filter((one) => one.region === region)
    const partitions = frontiers.filter((one) => one.region === region)
    const exact = partitions.every(({ topic, partition, arrived, level, live }) => arrived !== null && (floor === null || (recent && level && live)
      || mine.some((one) => one.topic === topic && one.partition === partition && one.reached)))
    const said = partitions.flatMap(({ at }) => (at === null ? [] : [Number(at)]))
    const at = said.length === 0 ? null : new Date(Math.max(...said))
    const own = mine.reduce((sum, one) => sum + one.own, 0)
    const oldest = mine.flatMap((one) => one.oldest ?? []).sort()[0]
    const newest = mine.flatMap((one) => one.newest ?? []).sort().at(-1)
    const state = at === null ? 'silent' : own > 0 ? 'waiting' : exact ? 'all' : 'unsure'
    return { region, state, at, waiting: own, exact, oldest: oldest === undefined ? null : new Date(timeOfId(oldest)), newest: newest ?? null }
  })
}
