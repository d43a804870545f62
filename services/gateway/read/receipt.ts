import { REGIONS } from '@hub/schemas/streams'
import type { Arrival, PublishedEvent } from './receipt-store.ts'

export interface Receipt {
  eventId: string
  recordId: string
  stream: string
  version: string
  topic: string
  partition: number
  /** Null until the relay has brought it to the log. */
  offset: string | null
  sequence: string
  acceptedAt: string
  regions: RegionReceipt[]
}

export interface RegionReceipt {
  region: string
  state: 'waiting' | 'arrived' | 'superseded' | 'parked'
  /** Since when it is in this state; of `waiting`, since it was accepted. */
  since: string
  /** Why it was parked. */
  reason?: string
}

/** Regions whose replica is past an offset, or parked the event there. */
export type Passed = ReadonlyMap<string, Arrival>

/**
 * The receipt of an event: `arrived` where the replica is past it, `superseded` where the replica is past the next version of its record as
 * well, `parked` where the replica set it aside and no next version has come.
 */
export function receiptOf(eventId: string, event: PublishedEvent, here: Passed, next: Passed, topicPrefix: string): Receipt {
  const acceptedAt = event.at.toISOString()
  return {
    eventId,
    recordId: event.recordId,
    stream: event.topic.slice(event.topic.indexOf('.', topicPrefix.length) + 1),
    version: String(event.version),
    topic: event.topic,
    partition: event.partition,
    offset: event.offset === null ? null : String(event.offset),
    sequence: String(event.sequence),
    acceptedAt,
    regions: REGIONS.map((region) => {
      const arrival = here.get(region)
      const parked = arrival?.parkedReason ?? null
      const reason = parked === null ? {} : { reason: parked }
      const supersededAt = next.get(region)?.since ?? null
      if (supersededAt !== null) return { region, state: 'superseded', since: supersededAt.toISOString(), ...reason }
      const since = arrival?.since?.toISOString() ?? acceptedAt
      if (parked !== null) return { region, state: 'parked', since, ...reason }
      return { region, state: arrival === undefined ? 'waiting' : 'arrived', since }
    }),
  }
}
