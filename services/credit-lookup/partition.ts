import { Freshness } from '@hub/schemas/freshness'
import { isIdentityShaped } from '@hub/schemas/identity'
import { isCheckpoint, type Item, type ParkedItem, type RecordItem } from '@hub/schemas/log-item'
import { dateText } from '@hub/schemas/record-json'
import type { Region } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'
import { normaliseUscc } from '@hub/schemas/uscc'
import { todayInShanghai } from '@hub/schemas/visibility'
import type { Holdings, Incoming } from './holdings.ts'
import { keyOfSubject } from './key.ts'
import type { Place } from './snapshot.ts'

/** Bad events that are kept by key; with more of them the region is incomplete until all is read anew. */
const MAX_PARKED = 2_000
/** Checkpoints are cut about once a minute, and those of the region come within seconds. */
const CUTS_KEPT = 10
const [USCC_COLUMN, REG_NO_COLUMN] = [columnAt('uscc'), columnAt('reg_no')]

/** A bad event that is the newest of its key. */
interface Parked {
  readonly key: string
  /** 32 hexadecimal digits. */
  readonly hash: string
  /** The code that it says it is about; null where nobody can tell. */
  readonly subject: string | null
}

/** What a snapshot keeps of a partition beside its place; JSON. */
export interface PartitionState {
  readonly lastSequence: number
  readonly completeFrom: number
  readonly parked: readonly Parked[]
  readonly overflowed: boolean
}

/** What this process had at an offset: to be compared with what the region's replica had there. */
export interface Cut {
  readonly nextOffset: number
  readonly digest: string
  readonly parkedDigest: string
}

export type Proof = 'equal' | 'unknown' | 'parked sets differ' | 'different'

/** One partition of a region's credit lists, read in order into the holdings. */
export class Partition {
  readonly number: number
  readonly topic: string
  readonly partition: number
  readonly region: Region
  readonly generation: string
  readonly freshness = new Freshness()
  /** Log end when this process began to read: what is below must be here before anything is answered. */
  readonly readyAt: number
  proof: Proof = 'unknown'
  #next: number
  #lastSequence: number
  /** Below it versions are missing that compaction had taken: no digest says anything. */
  #completeFrom: number
  readonly #parked = new Map<string, Parked>()
  readonly #parkedDigest = Buffer.alloc(16)
  #overflowed: boolean
  readonly #cuts: Cut[] = []
  readonly #theirs: Cut[] = []

  /** @param number its place in the holdings and in snapshots */
  constructor(number: number, region: Region, place: Place, readyAt: number, state?: PartitionState) {
    this.number = number
    this.region = region
    this.topic = place.topic
    this.partition = place.partition
    this.generation = place.generation
    this.readyAt = readyAt
    this.#next = place.next
    this.#lastSequence = state?.lastSequence ?? -1
    this.#completeFrom = state?.completeFrom ?? 0
    this.#overflowed = state?.overflowed ?? false
    for (const parked of state?.parked ?? []) this.#park(parked)
  }

  get next(): number {
    return this.#next
  }

  get lastSequence(): number {
    return this.#lastSequence
  }

  get loaded(): boolean {
    return this.#next >= this.readyAt
  }

  get place(): Place {
    const { topic, partition, generation, next } = this
    return { topic, partition, generation, next }
  }

  get state(): PartitionState {
    return { lastSequence: this.#lastSequence, completeFrom: this.#completeFrom, parked: [...this.#parked.values()], overflowed: this.#overflowed }
  }

  /** Bad events of which nobody can say whom they are about. */
  get unreadable(): number {
    let count = this.#overflowed ? 1 : 0
    for (const { subject } of this.#parked.values()) if (subject === null) count++
    return count
  }

  /** Whether a bad event names this subject. */
  isParked(code: string): boolean {
    for (const { subject } of this.#parked.values()) if (subject === code) return true
    return false
  }

  /**
   * A sequence was jumped over while offsets are contiguous: an event never reached the log. Where compaction took some, a jump says nothing up to the log end
   * of that moment. @param starts the event says that its sequence is the first of this log
   */
  hasLost({ sequence, offset }: Item, starts = false): boolean {
    return sequence !== undefined && offset === this.#next && offset >= this.#completeFrom && sequence > this.#lastSequence + 1 && !(starts && this.#lastSequence < 0)
  }

  /** Takes the next event in; one that was taken before is passed over. @returns the version that became current, if one did. @throws what the holdings throw */
  take(item: Item, holdings: Holdings): RecordItem | undefined {
    if (item.offset < this.#next) return undefined
    if (item.offset > this.#next) this.#completeFrom = Math.max(this.#completeFrom, item.logEnd)
    const applied = item.what === 'record' && holdings.apply(this.#incoming(item)) === 'apply' ? item : undefined
    this.#bury(item.key)
    if (item.what === 'parked') this.#park({ key: item.key, hash: item.hash.toString('hex'), subject: subjectOf(item) })
    if (item.what === 'control' && item.heartbeat !== undefined) this.freshness.heartbeatApplied(item.offset, item.heartbeat.delayMs)
    this.#next = item.offset + 1
    if (item.sequence !== undefined) this.#lastSequence = Math.max(this.#lastSequence, item.sequence)
    if (isCheckpoint(item) && this.#next >= this.#completeFrom) {
      remember(this.#cuts, { nextOffset: this.#next, digest: holdings.digest(this.number), parkedDigest: this.parkedDigest })
      this.#compare()
    }
    return applied
  }

  /** Whether a bad event with this hash is the newest of its key, at an offset that was read. */
  hasParked(hash: string, offset: number): boolean {
    if (offset >= this.#next) return false
    for (const parked of this.#parked.values()) if (parked.hash === hash) return true
    return false
  }

  /** Takes in a bad event that a newer release can read; being the newest of its key, it has nothing of its record behind it. Nothing happens where it still cannot. @returns the version that became current, if one did. @throws what the holdings throw */
  redrive(item: Item, hash: string, holdings: Holdings): RecordItem | undefined {
    if (item.what === 'parked' || !this.hasParked(hash, item.offset)) return undefined
    for (const [key, parked] of this.#parked) if (parked.hash === hash) this.#bury(key)
    return item.what === 'record' && holdings.apply(this.#incoming(item)) === 'apply' ? item : undefined
  }

  /** What the region's own replica had at an offset of this log. */
  compare(cut: Cut): void {
    remember(this.#theirs, cut)
    this.#compare()
  }

  get parkedDigest(): string {
    return this.#parkedDigest.toString('hex')
  }

  /** The verdict at the newest offset that both have a checkpoint of. */
  #compare(): void {
    for (const mine of this.#cuts.toReversed()) {
      const theirs = this.#theirs.findLast(({ nextOffset }) => nextOffset === mine.nextOffset)
      if (theirs === undefined) continue
      this.proof = theirs.parkedDigest !== mine.parkedDigest ? 'parked sets differ' : theirs.digest !== mine.digest ? 'different' : 'equal'
      return
    }
  }

  #incoming(item: RecordItem): Incoming {
    return { recordId: item.key, version: item.version, hash: item.hash, ended: item.ended, place: this.number, offset: item.offset, code: keyOf(item), body: item.body }
  }

  #park(parked: Parked): void {
    if (this.#parked.size >= MAX_PARKED) this.#overflowed = true
    else this.#parked.set(parked.key, parked)
    this.#xor(parked)
  }

  #bury(key: string): void {
    const parked = this.#parked.get(key)
    if (parked === undefined) return
    this.#parked.delete(key)
    this.#xor(parked)
  }

  #xor({ hash }: Parked): void {
    for (const [n, byte] of Buffer.from(hash, 'hex').entries()) this.#parkedDigest[n]! ^= byte
  }
}

function columnAt(column: string): number {
  return TABLES['credit-blacklist'].columns.findIndex(({ name }) => name === column)
}

function remember(cuts: Cut[], cut: Cut): void {
  cuts.push(cut)
  if (cuts.length > CUTS_KEPT) cuts.shift()
}

function keyOf({ columns, ended }: RecordItem): string | undefined {
  return ended ? undefined : keyOfSubject(columns[USCC_COLUMN], columns[REG_NO_COLUMN])
}

/** A number that may be a person's is neither kept nor compared: the event then counts as one that names nobody. */
function subjectOf({ subject }: ParkedItem): string | null {
  if (subject === undefined || isIdentityShaped(subject, dateText(todayInShanghai()))) return null
  return normaliseUscc(subject)?.code ?? null
}
