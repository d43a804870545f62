import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'
import type { RawRow } from './table.ts'
import { decode, type Encoding } from './text.ts'

export const DELIMITERS = [',', ';', '\t'] as const
export type Delimiter = (typeof DELIMITERS)[number]

/**
 * Records of a CSV (RFC 4180), in order and as many at a time as a piece of the file has: a promise for each would cost more than cutting it out. They end with a line feed, with or without a carriage return. Quoted cells may hold separators, quotes and line ends; a quote inside an unquoted cell is one, and
 * so are those of a cell that goes on behind its closing quote. Blank lines are left out and not counted. What stands before an error comes out before it is thrown.
 */
export async function* readCsv(source: AsyncIterable<Uint8Array>, delimiter: Delimiter = ',', encoding?: Encoding): AsyncGenerator<readonly RawRow[]> {
  const splitter = new Splitter(delimiter)
  // A file that breaks off leaves no record: its last one may be cut anywhere.
  for await (const text of decode(source, encoding)) yield* splitter.split(text)
  yield* splitter.end()
}

/** The separator that a first line was written with: the one it holds most of. */
export function delimiterOf(line: string): Delimiter {
  const unquoted = line.replace(/"(?:[^"]|"")*"/g, '')
  return DELIMITERS.reduce((best, next) => (unquoted.split(next).length > unquoted.split(best).length ? next : best))
}

/** Cuts text into records. By far most of a large file's time went into looking at each character of it: this looks for separators, quotes and line ends alone. */
class Splitter {
  readonly #delimiter: Delimiter
  /** From the beginning of the record that is not whole yet. */
  #text = ''
  #row = 0
  /** Where the record ends that was cut last. */
  #at = 0

  constructor(delimiter: Delimiter) {
    this.#delimiter = delimiter
  }

  * split(text: string): Generator<readonly RawRow[]> {
    this.#text = this.#text.slice(this.#at) + text
    if (this.#row === 0 && this.#text.startsWith('\ufeff')) this.#text = this.#text.slice(1)
    this.#at = 0
    yield* this.#told(false)
    if (this.#text.length - this.#at > BOUNDS.lineBytes) throw this.#tooLong()
  }

  /** What is left is the last record. */
  * end(): Generator<readonly RawRow[]> {
    yield* this.#told(true)
    if (this.#at < this.#text.length) throw new FileProblem('broken-quotes', '"…"', { row: this.#row + 1 })
  }

  /** What stands before an error, then the error. */
  * #told(last: boolean): Generator<readonly RawRow[]> {
    const rows: RawRow[] = []
    const failure = this.#records(last, rows)
    if (rows.length > 0) yield rows
    if (failure !== undefined) throw failure
  }

  #records(last: boolean, into: RawRow[]): FileProblem | undefined {
    const text = this.#text
    let quote = text.indexOf('"', this.#at)
    while (this.#at < text.length) {
      const start = this.#at
      let end = text.indexOf('\n', start)
      if (end < 0) {
        if (!last) return undefined
        end = text.length
      }
      if (quote >= 0 && quote < start) quote = text.indexOf('"', start)
      let cells: string[] | undefined
      if (quote < 0 || quote > end) {
        cells = text.slice(start, lineEnd(text, end)).split(this.#delimiter)
        this.#at = end + 1
      } else cells = this.#quoted(start, last)
      if (cells === undefined) return undefined
      if (cells.length === 1 && cells[0] === '') continue
      this.#row++
      if (this.#at - start > BOUNDS.lineBytes) return this.#tooLong(this.#row)
      if (this.#row > BOUNDS.rows) return new FileProblem('too-large', `≤ ${BOUNDS.rows} rows`, { row: this.#row })
      if (cells.length > BOUNDS.columns) return new FileProblem('too-many-columns', `≤ ${BOUNDS.columns}`, { row: this.#row })
      into.push({ row: this.#row, cells })
    }
    return undefined
  }

  /** A record with quotes in it. Undefined = its end has not come yet. */
  #quoted(start: number, last: boolean): string[] | undefined {
    const text = this.#text
    const cells: string[] = []
    let at = start
    let end = -1
    for (;;) {
      let before = ''
      if (text.charCodeAt(at) === QUOTE) {
        const close = closing(text, at)
        if (close < 0 || (close === text.length - 1 && !last)) return undefined
        const inside = text.slice(at + 1, close)
        const after = text.charCodeAt(close + 1)
        const ends = close + 1 === text.length || after === LINE_FEED || after === this.#delimiter.charCodeAt(0) || (after === RETURN && text.charCodeAt(close + 2) === LINE_FEED)
        if (after === RETURN && close + 2 === text.length && !last) return undefined
        const whole = inside.includes('"') ? inside.replaceAll('""', '"') : inside
        at = close + 1
        before = ends ? whole : `"${whole}"`
      }
      if (end < at) {
        end = text.indexOf('\n', at)
        if (end < 0) {
          if (!last) return undefined
          end = text.length
        }
      }
      const next = text.indexOf(this.#delimiter, at)
      if (next >= 0 && next < end) {
        cells.push(before + text.slice(at, next))
        at = next + 1
        continue
      }
      cells.push(before + text.slice(at, lineEnd(text, end)))
      this.#at = end + 1
      return cells
    }
  }

  #tooLong(row = this.#row + 1): FileProblem {
    return new FileProblem('line-too-long', `≤ ${BOUNDS.lineBytes}`, { row })
  }
}

const QUOTE = 0x22
const LINE_FEED = 0x0a
const RETURN = 0x0d

/** Where the quote stands that closes the one at `open`; -1 = it has not come yet. */
function closing(text: string, open: number): number {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 2)) if (text.charCodeAt(at + 1) !== QUOTE) return at
  return -1
}

/** Without the carriage return before a line feed. */
function lineEnd(text: string, end: number): number {
  return text.charCodeAt(end - 1) === RETURN && end < text.length ? end - 1 : end
}
