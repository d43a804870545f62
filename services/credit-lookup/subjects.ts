import { isReference } from './reference.ts'
import { homeOf, SegmentedTable } from './table.ts'

/** Values of the 31 characters of a code by ASCII code, -1 = none. Any order would do; this one is kept in snapshots. */
const VALUES = Int8Array.from({ length: 128 }, (_, code) => '0123456789ABCDEFGHJKLMNPQRTUWXY'.indexOf(String.fromCharCode(code)))
const LENGTH = 18
const THIRTY = 0x3fff_ffff
const WIDTH = 4
/** Bits of a key word's slot word that hold the reference's upper bits. */
const LOW = 0b11

/**
 * From the code of a subject to where its details stand. A key is the whole code, 18 characters of 5 bits in three words of 30, scrambled by a
 * bijection: nothing is ever found for a code that is not there. A slot has 16 bytes: 3 × 30 bits of the code and 38 of the reference.
 */
export class Subjects {
  readonly table = new SegmentedTable(WIDTH, 0.8)
  /** The scrambled words of the code that is asked for, shifted to where they stand in a slot. */
  readonly #key = new Uint32Array(3)
  readonly #entry = new Uint32Array(WIDTH)

  get size(): number {
    return this.table.size
  }

  /** Where the details of a code stand, 0 when nothing is known of it. @param code in written form; see `normaliseUscc`. @throws RangeError */
  get(code: string): number {
    const segment = this.#read(code)
    const at = this.#find(segment)
    return at < 0 ? 0 : referenceAt(this.table.words[segment]!, at)
  }

  /** @throws RangeError for what is no code or no reference */
  set(code: string, reference: number): void {
    if (!isReference(reference)) throw new RangeError(`${reference} is no reference`)
    const segment = this.#read(code)
    const high = Math.floor(reference / 2 ** 32)
    const entry = this.#entry
    entry[0] = this.#key[0]! | (high & LOW)
    entry[1] = this.#key[1]! | ((high >>> 2) & LOW)
    entry[2] = this.#key[2]! | ((high >>> 4) & LOW)
    entry[3] = reference % 2 ** 32
    const at = this.#find(segment)
    if (at < 0) this.table.insert(segment, entry)
    else {
      this.table.touch(segment)
      this.table.words[segment]!.set(entry, at)
    }
  }

  /** True when there was something. @throws RangeError */
  delete(code: string): boolean {
    const segment = this.#read(code)
    const at = this.#find(segment)
    if (at < 0) return false
    this.table.removeAt(segment, at)
    return true
  }

  /** Reads a code into the key. @returns its segment */
  #read(code: string): number {
    if (code.length !== LENGTH) throw new RangeError('a code has 18 characters')
    let a = sixFrom(code, 0)
    let b = sixFrom(code, 6)
    let c = sixFrom(code, 12)
    // Each step changes one word by a function of the other two, so that it can be undone: different codes stay different.
    a = (a ^ mixed(b, c)) & THIRTY
    b = (b ^ mixed(c, a)) & THIRTY
    c = (c ^ mixed(a, b)) & THIRTY
    a = (a ^ mixed(b, c)) & THIRTY
    this.#key[0] = a << 2
    this.#key[1] = b << 2
    this.#key[2] = c << 2
    return b & 4095
  }

  /** Where the words of the key's slot begin in its segment; -1 = nowhere. */
  #find(segment: number): number {
    const words = this.table.words[segment]!
    const k0 = this.#key[0]! | 0
    const k1 = this.#key[1]! | 0
    const k2 = this.#key[2]! | 0
    for (let at = homeOf(k0, words.length / WIDTH) * WIDTH; words[at + 3] !== 0; at = at + WIDTH === words.length ? 0 : at + WIDTH) {
      if ((words[at]! & ~LOW) === k0 && (words[at + 1]! & ~LOW) === k1 && (words[at + 2]! & ~LOW) === k2) return at
    }
    return -1
  }
}

function referenceAt(words: Uint32Array, at: number): number {
  return ((words[at]! & LOW) | ((words[at + 1]! & LOW) << 2) | ((words[at + 2]! & LOW) << 4)) * 2 ** 32 + words[at + 3]!
}

function sixFrom(code: string, from: number): number {
  let word = 0
  for (let at = from; at < from + 6; at++) {
    const value = VALUES[code.charCodeAt(at)] ?? -1
    if (value < 0) throw new RangeError('a code has 31 characters to choose from')
    word = (word << 5) | value
  }
  return word
}

function mixed(one: number, other: number): number {
  let hash = Math.imul(one ^ 0x2545_f491, 0x9e37_79b1) ^ Math.imul(other ^ 0x6c62_272e, 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae35)
  hash = Math.imul(hash ^ (hash >>> 13), 0x27d4_eb2f)
  return hash ^ (hash >>> 16)
}
