import type { Position } from './answers.ts'
import { ended } from './ended.ts'
import { importing } from './importing.ts'
import { parked } from './parked.ts'
import { publishing } from './publishing.ts'
import { reading } from './reading.ts'
import { receipts } from './receipts.ts'
import { ATTEMPTS, createTransport, type ClientOptions } from './transport.ts'

export type * from './answers.ts'
export type * from '@hub/schemas/generated/events'
export { createCreditClient } from './credit.ts'
export type * from './credit.ts'
export type { Change, FeedOptions, Selection } from './feed.ts'
export type { Archive, Erasure } from './ended.ts'
export type { LogPlace, ParkedDetail, ParkedEntry, ParkedOfOrigin, Redrive, RedriveWish } from './parked.ts'
export { GatewayError } from './gateway-error.ts'
export type { ImportOptions } from './importing.ts'
export type { Filters } from './reading.ts'
export type { Snapshot, SnapshotRecord } from './snapshot.ts'
export type { Lines, PublishedLines, PublishOptions } from './publishing.ts'
export type { WaitOptions } from './receipts.ts'
export type { ClientOptions } from './transport.ts'

export type Client = ReturnType<typeof createClient>

/**
 * One region's gateway as one caller. What is safe to send again is sent again, bounded: after 429 and 503 when the gateway says so, and after a
 * lost connection. Publishing is: what was taken in before counts as duplicate. @throws GatewayError from every method
 */
export function createClient(options: ClientOptions) {
  const transport = createTransport(options)
  return {
    gateway: transport.gateway,
    ...publishing(transport),
    ...importing(transport),
    ...receipts(transport),
    ...parked(transport),
    ...ended(transport),
    ...reading(transport, options.attempts ?? ATTEMPTS),
    /** How far the region's replica is, partition by partition. */
    position: () => transport.json<Position>('/v1/position'),
  }
}
