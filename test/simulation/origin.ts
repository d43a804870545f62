import { planBatch, type NewRow, type Outcome, type PreparedEvent } from '@hub/gateway/publish/publish-batch'
import type { PublishedVersion } from '@hub/gateway/publish/publish-decision'
import { planRepublication } from '@hub/gateway/publish/republish'
import { HEARTBEAT } from '@hub/relay/heartbeats'
import type { StoredPosition, Waiting, WaitingRow } from '@hub/relay/store'
import { topicName, type Region } from '@hub/schemas/streams'
import type { MemoryReplica } from './memory-replica.ts'
import { encodeHeartbeat, encodePoison, eventOf, PARTITIONS, type Wish } from './events.ts'

export interface OutboxEntry extends WaitingRow {
  /** Simulated ms of its commit. */
  readonly committedAt: number
}

interface Published extends PublishedVersion {
  readonly sequence: bigint
}

/** A publishing transaction under way: it holds the heads of its partitions. */
export interface Publishing {
  readonly events: PreparedEvent[]
  readonly partitions: ReadonlySet<number>
  readonly outcomes: Outcome[]
  readonly rows: NewRow[]
}

/** One region's publishing tables in memory: heads, `published`, outbox and the relay's positions, in one database with its replica. */
export class Origin {
  readonly region: Region
  readonly topic: string
  readonly heads = Array.from({ length: PARTITIONS }, () => 0n)
  readonly outbox = Array.from({ length: PARTITIONS }, () => new Map<bigint, OutboxEntry>())
  /** When each sequence was committed, kept after the outbox forgets it. */
  readonly commits = Array.from({ length: PARTITIONS }, () => [] as number[])
  readonly positions: StoredPosition[]
  /** Sequences whose row vanished from the outbox before it was sent. */
  readonly holes = new Map<number, bigint>()
  /** Events that nobody can read, as `partition/sequence`. */
  readonly poisons = new Set<string>()
  readonly #published = new Map<string, Published[]>()
  readonly #locked = new Set<number>()
  #beats = 0

  constructor(region: Region) {
    this.region = region
    this.topic = topicName(region, 'complaint')
    this.positions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: this.topic, partition, generation: null, lastSequence: -1n, lastOffset: -1n, pausedReason: null }))
  }

  /** Locks the heads, reads and decides; undefined while another transaction holds one of the heads. */
  begin(events: PreparedEvent[]): Publishing | undefined {
    const partitions = new Set(events.map(({ partition }) => partition))
    if ([...partitions].some((partition) => this.#locked.has(partition))) return undefined
    const { outcomes, rows } = planBatch(
      events,
      {
        current: (_topic, recordId) => this.#published.get(recordId)?.at(-1),
        find: (_topic, recordId, version) => this.#published.get(recordId)?.find((one) => one.version === version),
      },
      (_topic, partition) => this.heads[partition]!,
    )
    for (const partition of partitions) this.#locked.add(partition)
    return { events, partitions, outcomes, rows }
  }

  commit(publishing: Publishing, now: number): void {
    for (const { event, version, sequence, value } of publishing.rows) {
      this.#append(event.partition, { sequence, key: event.recordId, value, type: event.type, eventId: event.eventId, subject: null, timeMs: now, traceparent: null, ageMs: null, committedAt: now })
      const versions = this.#published.get(event.recordId) ?? []
      versions.push({ version, hash: event.hash, eventId: event.eventId, ended: event.ended, sequence })
      this.#published.set(event.recordId, versions)
    }
    this.rollBack(publishing)
  }

  rollBack({ partitions }: Publishing): void {
    for (const partition of partitions) this.#locked.delete(partition)
  }

  /** One tick: all partitions, in one batch. False while one of the heads is locked, or while the last one was not produced. */
  beat(step: number, now: number): boolean {
    if (this.#locked.size > 0) return false
    this.#beats += step
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const value = encodeHeartbeat(this.#beats, now)
      this.#append(partition, { sequence: this.heads[partition]!, key: 'heartbeat', value, type: HEARTBEAT, eventId: null, subject: null, timeMs: now, traceparent: null, ageMs: null, committedAt: now })
    }
    return true
  }

  /** An event that readers cannot decode, of whatever gateway wrote it. */
  poison(wish: Wish, now: number): void {
    const { recordId, partition } = eventOf(this.topic, wish)
    if (this.#locked.has(partition)) return
    this.poisons.add(`${partition}/${this.heads[partition]!}`)
    this.#append(partition, {
      sequence: this.heads[partition]!, key: recordId, value: encodePoison(wish.id), type: 'cn.yrd.complaint.Complaint', eventId: wish.id, subject: null, timeMs: now, traceparent: null, ageMs: null, committedAt: now,
    })
  }

  /** What `republishShadowed` does, when the replica has applied everything it knows of. */
  republish(replica: MemoryReplica, now: number): number {
    const own = [...replica.positions.values()].filter(({ topic }) => topic === this.topic)
    if (own.length === 0 || own.some(({ logEnd, next }) => logEnd > next)) return 0
    const open = [...replica.shadowed.values()].filter(({ queued, place }) => queued === undefined && !this.#locked.has(place.partition))
    const heads = new Map(this.heads.map((next, partition) => [`${this.topic}/${partition}`, next]))
    const rows = open.map(({ place, item, detected }) => ({
      topic: place.topic, partition: place.partition, record_id: item.key, version: item.version, event_id: item.eventId, type: 'cn.yrd.complaint.Complaint', subject: null,
      value: item.body, time_ms: 0n, detected_offset: BigInt(detected),
    }))
    const plan = planRepublication(rows, ({ record_id: recordId }) => {
      const newest = this.#published.get(recordId)?.at(-1)
      return newest === undefined ? undefined : { version: BigInt(newest.version), sequence: newest.sequence }
    }, heads)
    for (const [i, one] of plan.entries()) {
      open[i]!.queued = one.queued
      if (one.append) this.#append(one.partition, { sequence: one.queued, key: one.record_id, value: one.value, type: one.type, eventId: one.event_id, subject: null, timeMs: now, traceparent: null, ageMs: null, committedAt: now })
    }
    return plan.length
  }

  /** As `readWaiting`: above the given sequence, or the stored one where that is higher. */
  waiting(partition: number, wanted: bigint, limit: number, now: number): Waiting | undefined {
    const after = wanted > this.positions[partition]!.lastSequence ? wanted : this.positions[partition]!.lastSequence
    const nextSequence = this.heads[partition]!
    if (nextSequence <= after + 1n) return undefined
    const rows = [...this.outbox[partition]!.values()].filter(({ sequence }) => sequence > after).sort((a, b) => Number(a.sequence - b.sequence)).slice(0, limit)
    return { topic: this.topic, partition, after, nextSequence, rows: rows.map((row) => ({ ...row, ageMs: row.type === HEARTBEAT ? now - row.committedAt : null })) }
  }

  /** Deletes rows that are known to be on the log. */
  trim(): void {
    for (const { partition, lastSequence } of this.positions) {
      for (const sequence of this.outbox[partition]!.keys()) if (sequence <= lastSequence) this.outbox[partition]!.delete(sequence)
    }
  }

  /** Takes the newest row out of the outbox, if a relay has not noted it as sent. */
  dig(partition: number): void {
    const last = this.heads[partition]! - 1n
    if (this.holes.has(partition) || last <= this.positions[partition]!.lastSequence || !this.outbox[partition]!.delete(last)) return
    this.holes.set(partition, last)
  }

  newest(recordId: string): Published | undefined {
    return this.#published.get(recordId)?.at(-1)
  }

  get recordIds(): string[] {
    return [...this.#published.keys()]
  }

  #append(partition: number, row: OutboxEntry): void {
    if (row.sequence !== this.heads[partition]) throw new Error('sequences are not dense')
    this.outbox[partition]!.set(row.sequence, row)
    this.commits[partition]!.push(row.committedAt)
    this.heads[partition] = row.sequence + 1n
  }
}
