import type { Change, Ring } from './ring.ts'
import type { Vector } from './cursor.ts'

/** What a subscriber has been told to stop using and has not said that it did. */
export interface Unstopped {
  readonly records: number
  /** Of the one that waits longest, when it was taken in here; ms UTC. */
  readonly since: number | undefined
  /** False where what it has acknowledged lies further back than is remembered: there may be more, and longer ago. */
  readonly complete: boolean
}

/** @param acknowledged up to where it has stopped. @param acknowledgedAt when it said so, or since when it is there; ms UTC */
export function unstopped(ring: Ring, acknowledged: Vector, acknowledgedAt: number): Unstopped {
  const newest = new Map<string, Change>()
  for (let number = ring.first; number < ring.end; number++) {
    const change = ring.at(number)
    if (change.late ? change.at > acknowledgedAt : change.offset >= acknowledged[change.place]!) newest.set(change.recordId, change)
  }
  let [records, since] = [0, Infinity]
  for (const { stops, at } of newest.values()) {
    if (!stops) continue
    records++
    since = Math.min(since, at)
  }
  return { records, since: records === 0 ? undefined : since, complete: ring.from.every((from, place) => from <= acknowledged[place]!) }
}
