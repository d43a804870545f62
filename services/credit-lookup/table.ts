/** Parts of a table. Each grows by itself, so no call ever moves more than one part's entries. */
export const SEGMENTS = 4096
/** A full segment grows by so much: little, because what is free costs memory, and a segment is moved in microseconds. */
const GROWTH = 1.125
const SMALLEST = 8
/** Upper bits of an entry's first word that say where it belongs in its segment. */
const HOME_BITS = 27
/** Low bits of the first word that belong to the reference. */
const SPARE_BITS = 32 - HOME_BITS
const PER_HOME = 2 ** -HOME_BITS

/** A table as it was when the snapshot began. */
export interface TableSnapshot extends Disposable {
  /** Entries and words of each segment. */
  readonly sizes: readonly { readonly count: number; readonly words: number }[]
  /** The words of a segment, for the caller to keep; from the first segment to the last. */
  take(segment: number): Uint32Array
}

/**
 * Open addressing with linear probing in 4 096 segments of typed arrays; no tombstones, a removal closes its gap. An entry is `width` words:
 * the upper 27 bits of the first are spread evenly and are its home, the last one is never 0 (0 = free slot). What the words mean is the matter of
 * those who look for them: they know the segment, scan from `home` and compare.
 */
export class SegmentedTable {
  readonly width: number
  readonly words: Uint32Array[]
  readonly #counts = new Uint32Array(SEGMENTS)
  readonly #fullest: number
  #size = 0
  /** Segments from here on are still to be written by the snapshot that runs; none runs at `SEGMENTS`. */
  #unsaved = SEGMENTS
  readonly #saved = new Map<number, Uint32Array>()

  /** @param fullest entries per slot above which a segment grows: a fuller one takes less memory and longer to look through */
  constructor(width: number, fullest: number) {
    this.width = width
    this.#fullest = fullest
    this.words = Array.from({ length: SEGMENTS }, () => new Uint32Array(SMALLEST * width))
  }

  get size(): number {
    return this.#size
  }

  /** Bytes of all slots, free ones included. */
  get bytes(): number {
    return this.words.reduce((sum, words) => sum + words.byteLength, 0)
  }

  /** To be called before the words of a segment are changed in place. */
  touch(segment: number): void {
    if (segment >= this.#unsaved && !this.#saved.has(segment)) this.#saved.set(segment, this.words[segment]!.slice())
  }

  /** Adds an entry that is not in the segment yet. */
  insert(segment: number, entry: ArrayLike<number>): void {
    this.touch(segment)
    const count = ++this.#counts[segment]!
    this.#size++
    const words = this.words[segment]!
    const slots = words.length / this.width
    if (count <= slots * this.#fullest) place(words, this.width, entry, 0)
    else {
      const grown = new Uint32Array(Math.ceil(slots * GROWTH) * this.width)
      for (let at = 0; at < words.length; at += this.width) if (words[at + this.width - 1] !== 0) place(grown, this.width, words, at)
      place(grown, this.width, entry, 0)
      this.words[segment] = grown
    }
  }

  /** Takes out the entry whose words begin at `at`; those behind it that belong further ahead move up. */
  removeAt(segment: number, at: number): void {
    this.touch(segment)
    this.#counts[segment]!--
    this.#size--
    const { width } = this
    const words = this.words[segment]!
    let gap = at
    for (let next = at; ;) {
      next = next + width === words.length ? 0 : next + width
      if (words[next + width - 1] === 0) break
      const home = homeOf(words[next]!, words.length / width) * width
      // It may move into the gap unless its home lies behind the gap, seen from the gap around to where it stands.
      const behind = gap <= next ? home > gap && home <= next : home > gap || home <= next
      if (behind) continue
      words.copyWithin(gap, next, next + width)
      gap = next
    }
    words.fill(0, gap, gap + width)
  }

  /**
   * The table as it is at this call, however much changes while its segments are taken: what is about to change is copied first. One at a time;
   * dispose of it when done, or changes go on being copied.
   */
  snapshot(): TableSnapshot {
    if (this.#unsaved !== SEGMENTS) throw new Error('a snapshot of this table is under way')
    this.#unsaved = 0
    const end = (): void => {
      this.#unsaved = SEGMENTS
      this.#saved.clear()
    }
    return {
      sizes: this.words.map((words, segment) => ({ count: this.#counts[segment]!, words: words.length })),
      take: (segment) => {
        if (segment < this.#unsaved) throw new Error('segments are taken in order, each once')
        const saved = this.#saved.get(segment)
        this.#saved.delete(segment)
        this.#unsaved = segment + 1
        return saved ?? this.words[segment]!.slice()
      },
      [Symbol.dispose]: end,
    }
  }

  /** Puts back a segment of a snapshot. @throws Error when the words cannot be those of a segment */
  restore(segment: number, count: number, words: Uint32Array): void {
    const slots = words.length / this.width
    if (!Number.isInteger(slots) || slots < SMALLEST || count > slots * this.#fullest) throw new Error(`segment ${segment} has ${count} entries in ${words.length} words`)
    this.#size += count - this.#counts[segment]!
    this.#counts[segment] = count
    this.words[segment] = words
  }
}

/** The slot that an entry is looked for from, of `slots`, by its first word. */
export function homeOf(firstWord: number, slots: number): number {
  return Math.floor((firstWord >>> SPARE_BITS) * slots * PER_HOME)
}

function place(words: Uint32Array, width: number, from: ArrayLike<number>, at: number): void {
  let slot = homeOf(from[at]!, words.length / width) * width
  while (words[slot + width - 1] !== 0) slot = slot + width === words.length ? 0 : slot + width
  for (let word = 0; word < width; word++) words[slot + word] = from[at + word]!
}
