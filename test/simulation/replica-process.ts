import { Queue, type Part } from '@hub/replicator/queue'
import { createSlot, passed, sequenceLost, type Slot } from '@hub/replicator/slot'
import { FencedError } from '@hub/replicator/store/lease'
import type { Move } from '@hub/replicator/store/positions'
import type { Broker, LogPartition } from './broker.ts'
import { itemOf } from './events.ts'
import type { MemoryReplica, Place } from './memory-replica.ts'

export type Fate = 'commits' | 'answer lost' | 'crashes before' | 'crashes after'

/** One replicator process: fetches into the product's queue and applies what waits while its epoch is the store's. */
export class ReplicaProcess {
  readonly store: MemoryReplica
  readonly #broker: Broker
  readonly #places: readonly Place[]
  readonly #slots = new Map<string, Slot>()
  readonly #queue = new Queue({ items: 1_000, bytes: 1_000_000 })
  #epoch: bigint | undefined
  /** Taken from the queue by a process that stands still before its transaction begins. */
  #held: Part[] = []
  /** Writes refused because another process had taken over. */
  fenced = 0

  constructor(store: MemoryReplica, broker: Broker, places: readonly Place[]) {
    this.store = store
    this.#broker = broker
    this.#places = places
  }

  get leading(): boolean {
    return this.#epoch !== undefined
  }

  /** Takes the lease, whoever holds it, and begins at the stored positions. */
  takeOver(): void {
    this.#forget()
    this.#epoch = this.store.acquire()
    this.#load()
  }

  /** Loses everything it has in memory; its lease stays in the database until somebody takes over. */
  crash(): void {
    this.#forget()
    this.#epoch = undefined
  }

  fetch(place: number, max: number, now: number): number {
    const { topic, partition } = this.#places[place % this.#places.length]!
    const slot = this.#slots.get(`${topic}/${partition}`)
    if (slot === undefined || slot.stopped !== undefined || this.#queue.full) return 0
    const log = this.#broker.log(topic, partition)
    slot.logEnd = Math.max(slot.logEnd, log.end)
    let took = 0
    for (const entry of log.entries) {
      if (entry.offset < slot.cursor) continue
      if (took === max) break
      if (took === 0) slot.freshness.fetched(now, log.end)
      const item = itemOf(entry, log.end)
      if (item.sequence !== undefined && sequenceLost(slot, item.offset, item.sequence, false)) {
        slot.stopped = { code: 'sequence-lost', text: '' }
        break
      }
      this.#queue.push(slot, item)
      passed(slot, item)
      took++
    }
    return took
  }

  /** Takes what waits and stands still before its transaction. */
  stall(max: number): void {
    if (this.#epoch !== undefined && this.#held.length === 0) this.#held = this.#queue.take(max)
  }

  /** One transaction, of what it stood still with or of what waits. */
  apply(max: number, fate: Fate): Move[] {
    const parts = this.#held.length > 0 ? this.#held : this.#queue.take(max)
    this.#held = []
    if (this.#epoch === undefined || parts.length === 0) return []
    if (fate === 'crashes before') {
      this.crash()
      return []
    }
    let moves: Move[]
    try {
      moves = this.store.transact(this.#epoch, parts)
    } catch (error) {
      if (!(error instanceof FencedError)) throw error
      this.fenced++
      this.crash()
      return []
    }
    if (fate === 'crashes after') this.crash()
    else if (fate === 'answer lost') {
      this.#forget()
      this.#load()
    } else {
      for (const [i, { slot, decision }] of moves.entries()) {
        slot.next = decision.next
        slot.parkedOpen += decision.parkedOpen
        if (decision.shadowed.length > 0) slot.shadowing = true
        const beat = parts[i]!.items.findLast((item) => item.what === 'control' && item.heartbeat !== undefined)
        if (beat !== undefined) slot.freshness.heartbeatApplied(beat.offset, decision.heartbeat?.delayMs ?? 0)
      }
    }
    return moves
  }

  /** True when nothing more can be fetched or applied. */
  idle(): boolean {
    return this.#held.length === 0 && this.#queue.items === 0 && [...this.#slots.values()].every((slot) => slot.stopped !== undefined || slot.cursor >= lastOffset(this.#broker.log(slot.topic, slot.partition)) + 1)
  }

  get slots(): Iterable<Slot> {
    return this.#slots.values()
  }

  #load(): void {
    for (const place of this.#places) {
      const log = this.#broker.log(place.topic, place.partition)
      this.store.begin(place, log.generation, log.entries[0]!.offset)
    }
    for (const stored of this.store.load()) {
      const place = this.#places.find(({ topic, partition }) => topic === stored.topic && partition === stored.partition)!
      this.#slots.set(`${stored.topic}/${stored.partition}`, createSlot({ ...place, technical: false, own: place.region === this.store.region }, stored, this.store.isShadowing(stored)))
    }
  }

  #forget(): void {
    this.#slots.clear()
    this.#queue.clear()
    this.#held = []
  }
}

function lastOffset(log: LogPartition): number {
  return log.entries.at(-1)?.offset ?? -1
}
