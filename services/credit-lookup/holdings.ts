import { decide, type Ruling } from '@hub/schemas/record-rule'
import { Details } from './details.ts'
import type { Entry, NewEntry } from './entry.ts'
import { isCode } from './key.ts'
import { Records } from './records.ts'
import { Subjects } from './subjects.ts'

/** A good version of a credit record as it came from the log. */
export interface Incoming {
  readonly recordId: string
  readonly version: bigint
  /** 16 bytes; see `recordHash` of the schemas. */
  readonly hash: Buffer
  readonly ended: boolean
  /** Number of its topic partition, below the number of digests. */
  readonly place: number
  readonly offset: number
  /** What it is found by, see `keyOfSubject`; undefined for a stub, or when it has nothing of the kind. */
  readonly code: string | undefined
  /** The wire value. */
  readonly body: Buffer
}

/** A current record of a subject and where it stands in the log. */
export interface Held {
  readonly place: number
  readonly offset: number
  readonly recordId: string
  readonly body: Buffer
}

/** What holdings remember beside the tables and the details. */
export interface Tallies {
  /** XOR of the hashes of the current versions, per place: 32 hexadecimal digits. */
  readonly digests: readonly string[]
  /** Records that are not ended and have no unified social credit code to be found by. */
  readonly withoutCode: number
}

const GROUP_HASH = Buffer.alloc(16)
const NO_BODY = Buffer.alloc(0)

/**
 * The current credit records and who they are of: the record rule over two tables and the details. What is replaced or ends is out of every answer with
 * the same call. Errors of the details (`DetailsDamaged`, a full disk) leave it unusable: build it anew.
 */
export class Holdings implements Disposable {
  readonly details: Details
  readonly subjects = new Subjects()
  readonly records = new Records()
  readonly #digests: Uint32Array
  #withoutCode = 0
  #rewriting: { readonly slot: number; last: Entry | undefined } | undefined

  constructor(details: Details, places: number, tallies?: Tallies) {
    this.details = details
    this.#digests = new Uint32Array(places * 4)
    this.#withoutCode = tallies?.withoutCode ?? 0
    for (const [place, text] of (tallies?.digests ?? []).entries()) this.#xor(place, Buffer.from(text, 'hex'))
  }

  get tallies(): Tallies {
    return { digests: Array.from({ length: this.#digests.length / 4 }, (_, place) => this.digest(place)), withoutCode: this.#withoutCode }
  }

  /** As checkpoints have it. */
  digest(place: number): string {
    return [...this.#digests.subarray(place * 4, place * 4 + 4)].map((word) => word.toString(16).padStart(8, '0')).join('')
  }

  /** The current records of a code, in no order; bodies are bounded, their number is that of the subject's records. @throws RangeError, DetailsDamaged */
  of(code: string): Held[] {
    const reference = this.subjects.get(code)
    if (reference === 0) return []
    const first = this.details.read(reference)
    if (first.kind === 'record') return [heldOf(first)]
    return referencesIn(first.body).map((one) => heldOf(this.details.read(one)))
  }

  /** The current version of a record, without its body. @throws DetailsDamaged */
  current(recordId: string): Entry | undefined {
    let found: Entry | undefined
    this.records.get(recordId, (reference) => {
      const head = this.details.head(reference)
      if (head.kind !== 'record' || head.key !== recordId) return false
      found = head
      return true
    })
    return found
  }

  /** The wire value of a record that is here and has not ended. @throws DetailsDamaged */
  currentBody(recordId: string): Buffer {
    return this.details.read(this.current(recordId)!.reference).body
  }

  /** Takes in a version by the record rule. */
  apply(incoming: Incoming): Ruling {
    const { recordId, version, hash, ended, place, offset } = incoming
    const previous = this.current(recordId)
    const ruling = decide(previous, incoming)
    if (ruling !== 'apply') return ruling
    const code = ended ? '' : incoming.code ?? ''
    const reference = this.details.append({ kind: 'record', place, offset, version, hash, ended, code, key: recordId, body: ended ? NO_BODY : incoming.body })
    this.records.set(recordId, reference, previous?.reference ?? 0)
    this.#move(previous?.code ?? '', previous?.reference ?? 0, code, reference)
    if (previous !== undefined) {
      if (!previous.ended && !isCode(previous.code)) this.#withoutCode--
      this.#xor(previous.place, previous.hash)
      this.details.wipe(previous)
      this.details.release(previous)
    }
    if (!ended && !isCode(code)) this.#withoutCode++
    this.#xor(place, hash)
    return 'apply'
  }

  /**
   * Rewrites files that are mostly dead, a slice at a call: what is current is appended again, then the file is let go. Not before the log was read to
   * its end: until then entries may be current here that were replaced before the last stop.
   * @param entries at most this many are looked at
   * @returns whether there is more to do
   */
  compact(entries: number): boolean {
    const slot = this.#rewriting?.slot ?? this.details.wasteful?.slot
    if (slot === undefined) return false
    this.#rewriting ??= { slot, last: undefined }
    for (let left = entries; left > 0; left--) {
      const reference = this.details.next(slot, this.#rewriting.last)
      if (reference === undefined) {
        this.details.retire(slot)
        this.#rewriting = undefined
        return this.details.wasteful !== undefined
      }
      const head = this.details.head(reference)
      if (this.#isCurrent(head)) this.#rewrite(reference)
      this.#rewriting.last = head
    }
    return true
  }

  [Symbol.dispose](): void {
    this.details[Symbol.dispose]()
  }

  #isCurrent({ kind, key, code, reference }: Entry): boolean {
    return kind === 'group' ? this.subjects.get(code) === reference : this.records.get(key, (found) => found === reference) !== 0
  }

  #rewrite(reference: number): void {
    const entry = this.details.read(reference)
    const copy = this.details.append(entry)
    if (entry.kind === 'group') this.subjects.set(entry.code, copy)
    else {
      this.records.set(entry.key, copy, reference)
      this.#move(entry.code, reference, entry.code, copy)
    }
    this.details.release(entry)
  }

  /** Takes a record from one subject's and puts it among another's, or the same one's; '' is nobody. */
  #move(from: string, previous: number, to: string, reference: number): void {
    if (from !== '') this.#change(from, (references) => references.flatMap((one) => (one !== previous ? [one] : from === to ? [reference] : [])))
    if (to !== '' && to !== from) this.#change(to, (references) => [...references, reference])
  }

  #change(code: string, change: (references: readonly number[]) => readonly number[]): void {
    const before = this.subjects.get(code)
    const head = before === 0 ? undefined : this.details.head(before)
    const group = head?.kind === 'group' ? head : undefined
    const references = change(group !== undefined ? referencesIn(this.details.read(before).body) : before === 0 ? [] : [before])
    if (references.length === 0) this.subjects.delete(code)
    else this.subjects.set(code, references.length === 1 ? references[0]! : this.details.append(groupOf(code, references)))
    if (group !== undefined) this.details.release(group)
  }

  #xor(place: number, hash: Buffer): void {
    for (let word = 0; word < 4; word++) this.#digests[place * 4 + word]! ^= hash.readUInt32BE(word * 4)
  }
}

function heldOf({ place, offset, key, body }: NewEntry): Held {
  return { place, offset, recordId: key, body }
}

function groupOf(code: string, references: readonly number[]): NewEntry {
  const body = Buffer.alloc(references.length * 8)
  for (const [n, reference] of references.entries()) body.writeDoubleLE(reference, n * 8)
  return { kind: 'group', place: 0, offset: 0, version: 0n, hash: GROUP_HASH, ended: false, code, key: '', body }
}

function referencesIn(body: Buffer): number[] {
  return Array.from({ length: body.length / 8 }, (_, n) => body.readDoubleLE(n * 8))
}
