import type { EventsByStream } from '@hub/schemas/generated/events'
import type { DataStream, Region } from '@hub/schemas/streams'

/** What a gateway says of one event. */
export interface Verdict {
  /** Line of an NDJSON body, from 1. */
  readonly line?: number
  /** Place in an array, from 0. */
  readonly index?: number
  readonly recordId?: string
  readonly verdict: 'accepted' | 'new-version' | 'duplicate' | 'stale' | 'conflict' | 'refused'
  /** Of a duplicate: the event that was published first. */
  readonly eventId?: string
  readonly version?: number
  /** What is doubtful about an accepted event. */
  readonly flags: readonly string[]
  /** Why it was refused: field, rule, what was expected. */
  readonly problems?: readonly { readonly field: string; readonly rule: string; readonly expected: string; readonly zh: string; readonly en: string }[]
  /** Path of its receipt. */
  readonly receipt?: string
}

/** Events per verdict, and `total`. */
export type Summary = Readonly<Record<Verdict['verdict'] | 'total', number>>

export interface Receipt {
  readonly eventId: string
  readonly recordId: string
  readonly stream: DataStream
  readonly version: string
  readonly topic: string
  readonly partition: number
  /** Null until it is on the log. */
  readonly offset: string | null
  readonly sequence: string
  readonly acceptedAt: string
  readonly regions: readonly { readonly region: Region; readonly state: 'waiting' | 'arrived' | 'superseded' | 'parked'; readonly since?: string; readonly reason?: string }[]
}

/** A record's content as far as the caller may see it, in the form it was published in. */
export type Body<S extends DataStream> = Partial<EventsByStream[S]>

export interface PartitionPosition {
  readonly region: Region
  readonly stream: string
  readonly topic: string
  readonly partition: number
  readonly nextOffset: string
  readonly lag: string
  readonly pausedReason: string | null
  readonly [counter: string]: unknown
}

/** How far a region's replica is. Offsets and counts are decimal strings. */
export interface Position {
  readonly region: Region
  readonly replica: string
  readonly partitions: readonly PartitionPosition[]
}

/** Which record, and which version of it (a decimal number). */
export interface RecordIdentity {
  readonly region: Region
  readonly recordId: string
  readonly version: string
}

/** A version of a record: its fields (`show: 'record'`), or its identity alone (`show: 'key'`). */
export interface RecordVersion<S extends DataStream = DataStream> extends RecordIdentity {
  readonly show: 'record' | 'key'
  readonly kind?: string
  /** A stub is left. */
  readonly ended?: boolean
  readonly partition?: number
  readonly offset?: string
  readonly eventId?: string
  readonly appliedAt?: string
  /** Of an inspection failure: to act on, or to take note of. */
  readonly reach?: 'action' | 'attention'
  readonly body?: Body<S>
}

export interface RecordsRead<S extends DataStream = DataStream> {
  readonly meta: {
    readonly region: Region
    readonly replica: string
    /** Where the change feed goes on from. */
    readonly cursor: string
    readonly asOf: string | null
    readonly position: string
    readonly freshness: readonly { readonly region: Region; readonly staleSeconds: number | null; readonly lag: string; readonly sources: readonly { readonly source: string; readonly state: string; readonly lastHandOverAt: string | null; readonly overdueSince: string | null }[] }[]
  }
  readonly records: readonly RecordVersion<S>[]
  /** Of a list. */
  readonly next?: string | null
}

/** A verdict as it is told later, without any value of the event. */
export interface PastVerdict {
  readonly id: string
  readonly at: string
  readonly stream: DataStream
  readonly source: string | null
  readonly recordId: string | null
  readonly verdict: Verdict['verdict']
  readonly version: string | null
  readonly eventId: string | null
  readonly receipt: string | null
  readonly flags: readonly string[]
  readonly problems: readonly { readonly rule: string; readonly field: string; readonly zh: string; readonly en: string }[]
}

export interface StreamState {
  readonly streams: readonly Readonly<Record<string, unknown>>[]
}

/** A hand-over of a source that is durable. */
export interface HandedOver {
  readonly source: string
  readonly handOverId: string
  readonly at: string
  /** When all that the source had was told for the first time. */
  readonly baselineCompleteAt: string | null
  /** It was told before. */
  readonly duplicate: boolean
}

/** A file that was handed over, and what has become of it. */
export interface Import {
  readonly id: string
  readonly source: string
  readonly caller: string
  readonly file: string
  readonly bytes: number
  readonly sha256: string
  /** `done`, `failed` and `reverted` are ends; `waiting-confirmation` waits for a person. */
  readonly state: 'received' | 'running' | 'waiting-confirmation' | 'reverting' | 'done' | 'failed' | 'reverted'
  readonly dryRun: boolean
  readonly shape: { readonly id: string; readonly zh: string; readonly en: string; readonly stream: DataStream; readonly confirmed: boolean } | null
  /** Why it was recognised so; columns that nobody knows are told to the one who imports alone. */
  readonly recognised: { readonly zh: string; readonly en: string; readonly columns: readonly { readonly field: string; readonly column: string }[]; readonly unmapped: readonly string[] } | null
  /** Rows settled so far. */
  readonly rows: number
  readonly events: number
  readonly verdicts: Readonly<Partial<Record<'accepted' | 'new-version' | 'duplicate' | 'stale' | 'conflict' | 'tallied' | 'waiting' | 'refused' | 'skipped', number>>>
  readonly flags: Readonly<Record<string, number>>
  readonly classes: Readonly<Record<string, number>>
  /** The import before of the same content. */
  readonly repeats: string | null
  /** Of a complete list: how many records it does not name any more, ended or waiting for a person. */
  readonly absent: number | null
  readonly problem: { readonly code: string; readonly zh: string; readonly en: string } | null
  readonly received: string
  readonly started: string | null
  readonly ended: string | null
}

/** An import with what is told of its rows: those that were refused, wait, conflict or are doubtful. */
export interface ImportReport extends Import {
  readonly problems: readonly {
    readonly sheet: string | null
    /** 0 = the whole file or its header. */
    readonly row: number
    readonly rows: number
    readonly verdict: string
    readonly flags: readonly { readonly code: string; readonly zh: string; readonly en: string }[]
    readonly problems: readonly { readonly rule: string; readonly column: string; readonly expected: string; readonly zh: string; readonly en: string }[]
  }[]
  readonly next: string | null
}
