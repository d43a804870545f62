/** A value of a typed column, ready for a binary array of its PostgreSQL type. */
export type Column = string | number | bigint | boolean | null

/** What every consumed event carries, whatever it turned out to be. */
interface Consumed {
  readonly offset: number
  /** Relay sequence of the header; undefined where the event carries none (genesis, some parked events). */
  readonly sequence: number | undefined
  /** Log end of the fetch that brought it: where a replica becomes complete again after an offset gap. */
  readonly logEnd: number
  /** Bytes it holds in memory, for the bound of the queue. */
  readonly size: number
}

/** A good version of one record. */
export interface RecordItem extends Consumed {
  readonly what: 'record'
  /** Kafka key = record id. */
  readonly key: string
  readonly version: bigint
  /** 16 bytes over record id, version and body: see recordHash of the schemas. */
  readonly hash: Buffer
  readonly kind: string
  readonly ended: boolean
  readonly eventId: string
  /** The wire value, framing included. */
  readonly body: Buffer
  /** Values of the stream's typed columns, in the order of its table. */
  readonly columns: readonly Column[]
}

/** Genesis, heartbeat or cut. */
export interface ControlItem extends Consumed {
  readonly what: 'control'
  /** Constant, so compaction removes whatever bad event lies below under the same key. */
  readonly key: string
  readonly heartbeat: Heartbeat | undefined
  readonly cut?: CutMarker | undefined
}

export interface Heartbeat {
  readonly number: number
  /** Commit at the origin, ms UTC, on the origin's clock. */
  readonly committedAt: number
  /** From that commit to the produce, in ms, on the origin's clock. */
  readonly delayMs: number
}

/** Where its origin cuts the partition for a joint announcement. */
export interface CutMarker {
  readonly campaign: string
  readonly year: number
  /** Commit at the origin, ms UTC, on the origin's clock. */
  readonly cutAt: number
  /** First and last day of registration, `YYYY-MM-DD`, that the announcement needs. */
  readonly firstDay: string
  readonly lastDay: string
  readonly demo: boolean
  /** What the days are copied as, in order and apart from each other; `YYYY-MM-DD`. */
  readonly periods: readonly { readonly firstDay: string; readonly lastDay: string }[]
  /** First of the days that a trader's counts are copied of as one; null = each alone. */
  readonly tradersFrom: string | null
  /** The region's sources of complaints and tallies; times in ms UTC. */
  readonly sources: readonly { readonly source: string; readonly owner: string; readonly baselineComplete: boolean; readonly lastHandOver: number | null }[]
}

/** An event of a technical topic, for the handler of its contract. */
export interface TechnicalItem extends Consumed {
  readonly what: 'technical'
  readonly key: string
  readonly contract: string
  readonly record: unknown
}

/** A bad event: noted and passed over. */
export interface ParkedItem extends Consumed {
  readonly what: 'parked'
  readonly key: string
  readonly reason: string
  readonly subject: string | undefined
  /** 16 bytes over offset and value, the same in every replica. */
  readonly hash: Buffer
}

export type Item = RecordItem | ControlItem | TechnicalItem | ParkedItem

/** Every 30th heartbeat: all replicas cut checkpoints at the same offsets. */
export function isCheckpoint(item: Item): boolean {
  return item.what === 'control' && item.heartbeat !== undefined && item.heartbeat.number % 30 === 0
}

/** A partition's share of a transaction ends with what looks at the replica as it is at that offset: a checkpoint or a cut. */
export function endsShare(item: Item): boolean {
  return isCheckpoint(item) || (item.what === 'control' && item.cut !== undefined)
}
