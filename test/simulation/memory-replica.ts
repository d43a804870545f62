import { type Counts, decideShare, type Digest } from '@hub/replicator/apply'
import type { ParkedItem, RecordItem } from '@hub/schemas/log-item'
import type { Part } from '@hub/replicator/queue'
import type { Slot, Stored } from '@hub/replicator/slot'
import { FencedError } from '@hub/replicator/store/lease'
import type { Move } from '@hub/replicator/store/positions'
import type { Region, Stream } from '@hub/schemas/streams'

/** A partition's row, as `consumer_offset` has it. */
export interface PositionRow {
  readonly topic: string
  readonly partition: number
  readonly region: Region
  readonly stream: Stream
  readonly generation: string
  readonly first: number
  next: number
  logEnd: number
  counts: Counts
  records: number
  endedRecords: number
  digest: Digest
  parkedOpen: number
  parkedDigest: Digest
  completeFrom: number
  lastSequence: number
  lastEvent: number
  heartbeat: number | undefined
}

export interface RecordRow {
  readonly place: Place
  readonly item: RecordItem
  readonly change: bigint
}

export interface HistoryRow {
  readonly place: Place
  readonly item: RecordItem
  readonly to: number
  readonly change: bigint | undefined
}

export interface ParkedRow {
  readonly place: Place
  readonly item: ParkedItem
  buriedBy: number | undefined
}

export interface ShadowRow {
  readonly place: Place
  readonly item: RecordItem
  readonly detected: number
  queued: bigint | undefined
}

export interface CheckpointRow {
  readonly place: Place
  readonly generation: string
  readonly next: number
  readonly digest: Digest
  readonly parkedDigest: Digest
}

export type Place = Pick<Slot, 'topic' | 'partition' | 'region' | 'stream'>

/**
 * The replica's store in memory: the same operations as `transact` on PostgreSQL, one statement after the other, with the product's own decisions.
 * The contract suite compares the two.
 */
export class MemoryReplica {
  readonly region: Region
  epoch = 0n
  nextChange = 1n
  readonly positions = new Map<string, PositionRow>()
  /** Current rows by `topic key`. */
  readonly rows = new Map<string, RecordRow>()
  history: HistoryRow[] = []
  /** By `topic/partition@offset`. */
  readonly parked = new Map<string, ParkedRow>()
  readonly shadowed = new Map<string, ShadowRow>()
  readonly checkpoints = new Map<string, CheckpointRow>()

  constructor(region: Region) {
    this.region = region
  }

  acquire(): bigint {
    return ++this.epoch
  }

  begin({ topic, partition, region, stream }: Place, generation: string, first: number): void {
    if (this.positions.has(`${topic}/${partition}`)) return
    this.positions.set(`${topic}/${partition}`, {
      topic, partition, region, stream, generation, first, next: first, logEnd: first,
      counts: { applied: 0, duplicate: 0, stale: 0, folded: 0, parked: 0, control: 0, absent: 0 },
      records: 0, endedRecords: 0, digest: { hi: 0n, lo: 0n }, parkedOpen: 0, parkedDigest: { hi: 0n, lo: 0n },
      completeFrom: 0, lastSequence: -1, lastEvent: -1, heartbeat: undefined,
    })
  }

  load(): Stored[] {
    return [...this.positions.values()].map(({ topic, partition, generation, next, lastSequence, parkedOpen, completeFrom }) => ({ topic, partition, generation, next, lastSequence, parkedOpen, completeFrom, pausedReason: null, clearing: false }))
  }

  isShadowing({ topic, partition }: Pick<Slot, 'topic' | 'partition'>): boolean {
    return [...this.shadowed.values()].some(({ place }) => place.topic === topic && place.partition === partition)
  }

  /** All or nothing. @throws FencedError when the epoch is another one or a position is elsewhere. */
  transact(epoch: bigint, parts: readonly Part[]): Move[] {
    if (epoch !== this.epoch) throw new FencedError('another epoch')
    const moves = parts.map(({ slot, items }): Move => ({
      slot, decision: decideShare({ own: slot.own, next: slot.next, items, current: this.#current(slot), openParked: this.#openParked(slot) }),
    }))
    for (const { slot } of moves) if (this.positions.get(keyOf(slot))?.next !== slot.next) throw new FencedError('a position is elsewhere')
    let change = this.nextChange
    for (const { items } of parts) for (const item of items) if (item.what === 'record') this.nextChange++
    for (const stream of new Set(moves.filter(({ decision }) => decision.puts.length > 0).map(({ slot }) => slot.stream))) {
      for (const move of moves) if (move.slot.stream === stream) change = this.#write(move, change)
    }
    for (const move of moves) this.#move(move)
    return moves
  }

  #current(slot: Slot): Map<string, { version: bigint; hash: Buffer; offset: number; ended: boolean }> {
    return new Map([...this.rows.values()].filter(({ place }) => place.topic === slot.topic).map(({ item }) => [item.key, item]))
  }

  #openParked(slot: Slot): Map<string, { offset: number; hash: Buffer }> {
    return new Map([...this.parked.values()].filter(({ place, buriedBy }) => buriedBy === undefined && keyOf(place) === keyOf(slot)).map(({ item }) => [item.key, item]))
  }

  #write({ slot, decision }: Move, first: bigint): bigint {
    let change = first
    const place = placeOf(slot)
    const id = (key: string): string => `${slot.topic} ${key}`
    for (const { key, to } of decision.superseded) {
      const row = this.rows.get(id(key))!
      this.history.push({ ...row, to })
    }
    for (const key of decision.erased) this.history = this.history.filter((row) => row.place.topic !== slot.topic || row.item.key !== key)
    for (const { item, to } of decision.folded) this.history.push({ place, item, to, change: undefined })
    for (const { item, over } of decision.puts) {
      if (this.rows.get(id(item.key))?.item.offset !== over) throw new Error(`${item.key}: the row is not the one that was decided on`)
      this.rows.set(id(item.key), { place, item, change: change++ })
    }
    return change
  }

  #move({ slot, decision }: Move): void {
    const place = placeOf(slot)
    const row = this.positions.get(keyOf(slot))!
    row.next = decision.next
    row.logEnd = Math.max(slot.logEnd, decision.next)
    for (const name of Object.keys(row.counts) as (keyof Counts)[]) row.counts[name] += decision.counts[name]
    row.records += decision.records
    row.endedRecords += decision.endedRecords
    row.digest = { hi: row.digest.hi ^ decision.digest.hi, lo: row.digest.lo ^ decision.digest.lo }
    row.parkedOpen += decision.parkedOpen
    row.parkedDigest = { hi: row.parkedDigest.hi ^ decision.parkedDigest.hi, lo: row.parkedDigest.lo ^ decision.parkedDigest.lo }
    row.completeFrom = Math.max(row.completeFrom, decision.completeFrom ?? 0)
    row.lastSequence = Math.max(row.lastSequence, decision.lastSequence ?? -1)
    row.lastEvent = decision.lastEvent ?? row.lastEvent
    row.heartbeat = decision.heartbeat?.number ?? row.heartbeat
    for (const { item, buriedBy } of decision.parked) this.parked.set(`${keyOf(slot)}@${item.offset}`, { place, item, buriedBy })
    for (const { offset, by } of decision.buried) this.parked.get(`${keyOf(slot)}@${offset}`)!.buriedBy = by
    if (slot.own && !slot.technical) {
      for (const key of decision.unshadowed) this.shadowed.delete(`${slot.topic} ${key}`)
      for (const { key, offset } of decision.shadowed) {
        const { item } = this.rows.get(`${slot.topic} ${key}`)!
        this.shadowed.set(`${slot.topic} ${key}`, { place, item, detected: offset, queued: undefined })
      }
    }
    if (decision.checkpoint && row.next >= row.completeFrom) {
      this.checkpoints.set(`${keyOf(slot)}@${row.next}`, { place, generation: row.generation, next: row.next, digest: row.digest, parkedDigest: row.parkedDigest })
    }
  }
}

function placeOf({ topic, partition, region, stream }: Slot): Place {
  return { topic, partition, region, stream }
}

function keyOf({ topic, partition }: Pick<Slot, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`
}
