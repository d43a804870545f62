import type { Shape } from '../shape.ts'
import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'

/** The bytes of a file, bounded; it counts lines, so that a file that is given up can say how many rows were not read. */
export class CountedSource implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>
  readonly #waiting: Uint8Array[] = []
  #bytes = 0
  #lines = 0
  #last = 0x0a

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** The first bytes, which are still to be read. */
  async head(): Promise<Uint8Array> {
    while (this.#waiting.reduce((sum, { length }) => sum + length, 0) < 8) {
      const { done, value } = await this.#chunks.next()
      if (done === true) break
      this.#waiting.push(value)
    }
    return Buffer.concat(this.#waiting)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = await this.#next()
      if (chunk === undefined) return
      if (this.#bytes > BOUNDS.textBytes) throw new FileProblem('too-large', `≤ ${BOUNDS.textBytes} bytes`)
      yield chunk
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  /** How many rows a refused file has beyond those that were read: at least one, unless it is empty. */
  async rowsAfter(read: number, { format }: Shape, { rule }: FileProblem): Promise<number> {
    if (rule === 'empty-file') return 0
    if (format !== 'table' || rule === 'too-large' || rule === 'broken-workbook' || rule === 'protected-workbook' || rule === 'zip-bomb') return 1
    while (await this.#next() !== undefined);
    const lines = this.#lines + (this.#last === 0x0a ? 0 : 1)
    return Math.max(1, lines - 1 - read)
  }

  async #next(): Promise<Uint8Array | undefined> {
    const waiting = this.#waiting.shift()
    const { done, value } = waiting === undefined ? await this.#chunks.next() : { done: false, value: waiting }
    if (done === true) return undefined
    const chunk: Uint8Array = value
    this.#bytes += chunk.length
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) this.#lines++
    if (chunk.length > 0) this.#last = chunk[chunk.length - 1]!
    return chunk
  }
}
