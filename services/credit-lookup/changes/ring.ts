import { createWakeup } from '@hub/runtime/wakeup'

/** Changes that are remembered; who comes back later than that asks for its codes anew. */
export const REMEMBERED = 100_000
/** Those of them that a snapshot keeps: enough for whoever was cut by a restart. */
const KEPT = 20_000
/** How long changes are gathered before readers are woken. */
const GATHER_MS = 10

/** A version that became current here. */
export interface Change {
  /** Number of its topic partition, as holdings have it. */
  readonly place: number
  readonly offset: number
  readonly recordId: string
  /** When it was taken in here; ms UTC. */
  readonly at: number
  /** Whoever holds the record has to stop using it. */
  readonly stops: boolean
  /** It was read after what lies behind it (a redrive): no cursor says whether a reader has it, so every reader is told. */
  readonly late: boolean
}

/** What a snapshot keeps of it; JSON. */
export interface RingState {
  readonly from: readonly number[]
  readonly changes: readonly (readonly [place: number, offset: number, recordId: string, at: number, flags: number])[]
}

/** The newest changes in the order in which they were taken in, each with a number. It holds record ids and no content: what is told of one is what it is then. */
export class Ring {
  readonly #size: number
  readonly #changes: (Change | undefined)[]
  readonly #from: number[]
  readonly #bell = createWakeup()
  #first = 0
  #end = 0
  #timer: NodeJS.Timeout | undefined

  /** @param nexts where each place is read from: what lies below is not here */
  constructor(nexts: readonly number[], state?: RingState, size = REMEMBERED) {
    this.#size = size
    this.#changes = Array.from({ length: size }, () => undefined)
    this.#from = [...(state?.from ?? nexts)]
    for (const [place, offset, recordId, at, flags] of state?.changes ?? []) this.note({ place, offset, recordId, at, stops: (flags & 1) !== 0, late: (flags & 2) !== 0 })
  }

  /** Lowest offset of each place from which on nothing is missing. */
  get from(): readonly number[] {
    return this.#from
  }

  /** Number of the oldest change, and of the one to come. */
  get first(): number {
    return this.#first
  }

  get end(): number {
    return this.#end
  }

  /** @param number from `first` to before `end` */
  at(number: number): Change {
    return this.#changes[number % this.#size]!
  }

  note(change: Change): void {
    if (this.#end - this.#first === this.#size) {
      const { place, offset, late } = this.at(this.#first++)
      if (!late) this.#from[place] = offset + 1
    }
    this.#changes[this.#end++ % this.#size] = change
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#bell.signal()
    }, GATHER_MS).unref()
  }

  /** Resolves when there is more than `end`, after `timeoutMs`, or when `signal` fires. */
  async moved(end: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#end === end) await this.#bell.wait(timeoutMs, signal)
  }

  get state(): RingState {
    const from = [...this.#from]
    const begin = Math.max(this.#first, this.#end - KEPT)
    for (let number = this.#first; number < begin; number++) {
      const { place, offset, late } = this.at(number)
      if (!late) from[place] = offset + 1
    }
    return {
      from,
      changes: Array.from({ length: this.#end - begin }, (_, n) => {
        const { place, offset, recordId, at, stops, late } = this.at(begin + n)
        return [place, offset, recordId, at, (stops ? 1 : 0) | (late ? 2 : 0)] as const
      }),
    }
  }
}
