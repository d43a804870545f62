import type { Region, Stream } from '@hub/schemas/streams'
import { Freshness } from '@hub/schemas/freshness'
import type { Item } from '@hub/schemas/log-item'

/** What is stored about one partition: its identity and position. */
export interface Stored {
  readonly topic: string
  readonly partition: number
  readonly generation: string
  readonly next: number
  /** -1 while nothing with a sequence has been seen. */
  readonly lastSequence: number
  readonly parkedOpen: number
  /** Where compaction has stopped to matter; 0 while no offset was missing. */
  readonly completeFrom: number
  readonly pausedReason: string | null
  /** It is being cleared to begin anew: nothing is applied. */
  readonly clearing: boolean
}

/** Why a partition stands still; `text` is for people. */
export interface Stop {
  readonly code: 'no-genesis' | 'other-generation' | 'offset-outside-log' | 'sequence-lost' | 'registry-silent' | 'database-refused' | 'rebuilding'
  readonly text: string
}

/** One partition of the log while this process applies it. */
export interface Slot {
  readonly topic: string
  readonly partition: number
  readonly region: Region
  readonly stream: Stream
  readonly technical: boolean
  /** The region's own topic. */
  readonly own: boolean
  generation: string
  /** The committed position. */
  next: number
  /** The next offset the queue expects. */
  cursor: number
  /** Highest sequence queued, -1 before the first. */
  lastSequence: number
  /** The log end as of the latest gap in its offsets. */
  completeFrom: number
  /** Parked events that are the newest of their key. */
  parkedOpen: number
  /** True when `shadowed` may hold records of this topic. */
  shadowing: boolean
  /** Why nothing more is taken from it, while that is so. */
  stopped: Stop | undefined
  /** Log end as of the latest fetch. */
  logEnd: number
  readonly freshness: Freshness
}

export function createSlot(
  identity: Pick<Slot, 'topic' | 'partition' | 'region' | 'stream' | 'technical' | 'own'>,
  stored: Stored,
  shadowing: boolean,
): Slot {
  return {
    ...identity,
    generation: stored.generation,
    next: stored.next,
    cursor: stored.next,
    lastSequence: stored.lastSequence,
    completeFrom: stored.completeFrom,
    parkedOpen: stored.parkedOpen,
    shadowing,
    stopped: undefined,
    logEnd: stored.next,
    freshness: new Freshness(),
  }
}

/**
 * The relay's sequences are dense, so a jump without missing offsets is an event that never reached the log.
 * A lower or equal sequence is a resend. Behind missing offsets the highest sequence may have been one of them and what follows a resend, so a jump
 * says nothing up to the log end of that moment: the compaction lag is far longer than anything is sent again after. A log that was created anew begins
 * where its origin's sequences were, and says so.
 * @param starts the event says that its sequence is the first of this log
 */
export function sequenceLost(slot: Slot, offset: number, sequence: number, starts: boolean): boolean {
  return offset === slot.cursor && offset >= slot.completeFrom && sequence > slot.lastSequence + 1 && !(starts && slot.lastSequence < 0)
}

/** Takes an event as consumed: the queue expects the one behind it. */
export function passed(slot: Slot, { offset, sequence, logEnd }: Pick<Item, 'offset' | 'sequence' | 'logEnd'>): void {
  if (offset > slot.cursor) slot.completeFrom = Math.max(slot.completeFrom, logEnd)
  slot.cursor = offset + 1
  if (sequence !== undefined && sequence > slot.lastSequence) slot.lastSequence = sequence
}
