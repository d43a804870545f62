import type { TopicPartition } from '@hub/runtime/db'
import type { StoredPosition } from './store.ts'

/** Why a partition does not move: a stable code, and a text that says what to do. */
export interface Pause {
  readonly code: 'log-unreadable' | 'topic-missing' | 'genesis-missing' | 'generation-changed' | 'refused' | 'sequence-gap' | 'log-went-back' | 'log-ahead'
  readonly text: string
}

/** A partition of this region's topics as the active relay knows it. */
export interface OwnPartition extends TopicPartition {
  /** Highest sequence known to be on the log. */
  acked: bigint
  /** Offset of that event; -1 before the first. */
  lastOffset: bigint
  /** Generation of the log that the acknowledged events went to; null before the first use. */
  generation: string | null
  /** Nothing on its log is from a later state of this database. */
  checked: boolean
  /** A failure of this partition alone; it is tried again, apart from the others, at `retryAt` (performance.now() ms). */
  fault: { readonly pause: Pause; readonly retryAt: number; readonly delayMs: number } | undefined
  /** The reason that stands in the database. */
  shown: string | null
}

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

export function ownPartition(stored: StoredPosition): OwnPartition {
  return {
    topic: stored.topic, partition: stored.partition, acked: stored.lastSequence, lastOffset: stored.lastOffset,
    generation: stored.generation, checked: false, fault: undefined, shown: stored.pausedReason,
  }
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** Sets a partition aside; each further fault before a success doubles the wait, up to a minute. A log in doubt waits that long at once: its genesis is read before. */
export function setAside(partition: OwnPartition, pause: Pause, now: number): void {
  const doubtful = pause.code === 'log-went-back'
  const delayMs = doubtful ? LAST_RETRY_MS : partition.fault === undefined ? FIRST_RETRY_MS : Math.min(partition.fault.delayMs * 2, LAST_RETRY_MS)
  partition.fault = { pause, delayMs, retryAt: now + delayMs }
}

/** The line that stands in `relay_position.paused_reason`. */
export function reasonOf(pause: Pause): string {
  return `${pause.code}: ${pause.text}`
}
