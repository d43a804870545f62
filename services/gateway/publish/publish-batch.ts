import { countedBySource, decidePublication, type Decision, type PublishedVersion, type VersionOrigin } from './publish-decision.ts'

/** An encoded event is at most this long (design 3), so that the relay's batches stay below 1 MiB. */
export const MAX_EVENT_BYTES = 256 * 1024

/** A validated event on its way into the outbox. */
export interface PreparedEvent {
  topic: string
  partition: number
  recordId: string
  /** Full name of its contract. */
  type: string
  kind: string
  ended: boolean
  origin: VersionOrigin
  hash: Buffer
  /** Given before the transaction, so that a second attempt after an unknown outcome knows its own rows. */
  eventId: string
  /** The wire bytes of this event as the given version. */
  encode(version: number): Buffer
  subject: string | null
  timeMs: number
  traceparent: string | null
  flags: string[]
  /** Of a file that was imported before. */
  again?: boolean
  /** What an attempt that may have committed decided. */
  attempted?: 'accepted' | 'new-version'
}

export type Outcome =
  /** `eventId` is null in a rehearsal, where there is no event. */
  | { verdict: 'accepted' | 'new-version' | 'duplicate'; eventId: string | null; version: number }
  | { verdict: 'stale'; version: number; reason: 'older-version' | 'ended' | 'erased' }
  | { verdict: 'conflict'; version: number }
  | { verdict: 'refused'; reason: 'event-too-large' }

export interface NewRow {
  event: PreparedEvent
  version: number
  /** In its source's own count, where that is another. */
  sourceVersion: number | null
  sequence: bigint
  value: Buffer
}

/** The published versions that a batch needs, by topic and record; rows of the batch itself join as they are decided. */
export interface Histories {
  current(topic: string, recordId: string): PublishedVersion | undefined
  find(topic: string, recordId: string, sourceVersion: number): PublishedVersion | undefined
  findBody?(topic: string, recordId: string, hash: Buffer): PublishedVersion | undefined
}

/**
 * Decides a batch in its order, several events of one record included, and numbers what is to be written densely from `next`
 * (the next sequence of a partition). Reads and writes nothing;
 * `written` holds what earlier batches of a rehearsal would have written.
 */
export function planBatch(
  events: PreparedEvent[],
  histories: Histories,
  next: (topic: string, partition: number) => bigint,
  written: Map<string, PublishedVersion[]> = new Map(),
): { outcomes: Outcome[]; rows: NewRow[] } {
  const sequences = new Map<string, bigint>()
  const rows: NewRow[] = []
  const outcomes = events.map((event): Outcome => {
    const recordKey = `${event.topic} ${event.recordId}`
    const here = written.get(recordKey)
    const decision = decidePublication(
      {
        current: here?.at(-1) ?? histories.current(event.topic, event.recordId),
        find: (version) => here?.findLast((row) => row.own !== true && countedBySource(row) === version) ?? histories.find(event.topic, event.recordId, version),
        findBody: (hash) => histories.findBody?.(event.topic, event.recordId, hash),
      },
      event,
    )
    if (!('version' in decision)) return outcomeOf(event, decision)
    const value = event.encode(decision.version)
    if (value.length > MAX_EVENT_BYTES) return { verdict: 'refused', reason: 'event-too-large' }
    const headKey = `${event.topic}/${event.partition}`
    const sequence = sequences.get(headKey) ?? next(event.topic, event.partition)
    sequences.set(headKey, sequence + 1n)
    rows.push({ event, version: decision.version, sourceVersion: decision.sourceVersion ?? null, sequence, value })
    const row: PublishedVersion = {
      version: decision.version, hash: event.hash, eventId: event.eventId, ended: event.ended, sourceVersion: decision.sourceVersion, own: event.origin.from === 'hub', erased: event.kind === 'erasure',
    }
    if (here === undefined) written.set(recordKey, [row])
    else here.push(row)
    event.attempted = decision.verdict
    return { verdict: decision.verdict, eventId: event.eventId, version: decision.version }
  })
  return { outcomes, rows }
}

function outcomeOf(event: PreparedEvent, decision: Exclude<Decision, { version: number }>): Outcome {
  switch (decision.verdict) {
    case 'duplicate': {
      const { eventId, version } = decision.of
      return { verdict: eventId === event.eventId ? (event.attempted ?? 'accepted') : 'duplicate', eventId, version }
    }
    case 'conflict':
      return { verdict: 'conflict', version: decision.with.version }
    case 'stale':
      return { verdict: 'stale', version: decision.current.version, reason: decision.reason }
  }
}
