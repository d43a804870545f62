import { isReference } from './reference.ts'
import { homeOf, SegmentedTable } from './table.ts'

const WIDTH = 2
const LOW = 0b11111

/**
 * From a record id to where its current version stands: what the record rule needs. A slot has 8 bytes, 27 bits of a hash and the reference;
 * the details have the id itself, so whoever looks confirms what is found.
 */
export class Records {
  readonly table = new SegmentedTable(WIDTH, 0.88)
  readonly #entry = new Uint32Array(WIDTH)
  #tag = 0

  get size(): number {
    return this.table.size
  }

  /** The reference of a record, 0 when there is none. @param isIt whether what stands at a reference is this record's */
  get(recordId: string, isIt: (reference: number) => boolean): number {
    const segment = this.#read(recordId)
    const at = this.#find(segment, isIt)
    return at < 0 ? 0 : referenceAt(this.table.words[segment]!, at)
  }

  /** @param previous where it stands now, 0 for a record that is not here yet. @throws RangeError */
  set(recordId: string, reference: number, previous: number): void {
    if (!isReference(reference)) throw new RangeError(`${reference} is no reference`)
    const segment = this.#read(recordId)
    this.#entry[0] = this.#tag | Math.floor(reference / 2 ** 32)
    this.#entry[1] = reference % 2 ** 32
    if (previous === 0) {
      this.table.insert(segment, this.#entry)
      return
    }
    const at = this.#find(segment, (found) => found === previous)
    if (at < 0) throw new RangeError(`the record does not stand at ${previous}`)
    this.table.touch(segment)
    this.table.words[segment]!.set(this.#entry, at)
  }

  #read(recordId: string): number {
    let one = 0x811c_9dc5
    let other = 0x1b87_3593
    for (let at = 0; at < recordId.length; at++) {
      const code = recordId.charCodeAt(at)
      one = Math.imul(one ^ code, 0x0100_0193)
      other = Math.imul(other ^ code, 0x5bd1_e995) ^ (other >>> 15)
    }
    one = Math.imul(one ^ (one >>> 16), 0x85eb_ca6b)
    other = Math.imul(other ^ (other >>> 13), 0xc2b2_ae35)
    this.#tag = ((one ^ (one >>> 13)) & ~LOW) >>> 0
    return (other ^ (other >>> 16)) & 4095
  }

  #find(segment: number, isIt: (reference: number) => boolean): number {
    const words = this.table.words[segment]!
    const tag = this.#tag | 0
    for (let at = homeOf(this.#tag, words.length / WIDTH) * WIDTH; words[at + 1] !== 0; at = at + WIDTH === words.length ? 0 : at + WIDTH) {
      if ((words[at]! & ~LOW) === tag && isIt(referenceAt(words, at))) return at
    }
    return -1
  }
}

function referenceAt(words: Uint32Array, at: number): number {
  return (words[at]! & LOW) * 2 ** 32 + words[at + 1]!
}
