import type { DbTx } from '@hub/runtime/db'

/** Whose replica this is, and what stands before the topic names on this broker. */
export interface Here {
  readonly region: string
  readonly topicPrefix: string
}

/** What the regions tell each other of replicas, sources and joint announcements, one file per event. */
export interface TechnicalHandler<T> {
  readonly contract: string
  /** The Kafka key such an event has. */
  key(record: T): string
  /** Takes events in the order of their logs, inside the applier's transaction. */
  apply(c: DbTx, here: Here, records: readonly T[]): void
}
