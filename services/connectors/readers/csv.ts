import { CsvError, parse } from 'csv-parse'
import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'
import type { RawRow } from './table.ts'
import { decode, type Encoding } from './text.ts'

export const DELIMITERS = [',', ';', '\t'] as const
export type Delimiter = (typeof DELIMITERS)[number]

/**
 * Records of a CSV, in order; quoted cells may hold separators, quotes and line ends, and a quote inside an unquoted cell is one. Blank lines are left out and not counted. What stands before an error comes out
 * before it is thrown.
 */
export async function* readCsv(source: AsyncIterable<Uint8Array>, delimiter: Delimiter = ',', encoding?: Encoding): AsyncGenerator<RawRow> {
  const parser = parse({ delimiter, bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, record_delimiter: ['\r\n', '\n'], max_record_size: BOUNDS.lineBytes })
  let failure: Error | undefined
  parser.on('error', (error) => { failure = error })
  let over = false
  for (const event of ['end', 'close']) parser.once(event, () => { over = true })
  let row = 0
  try {
    for await (const text of decode(source, encoding)) {
      parser.write(text)
      yield* records()
      // An error is told a turn later than it happens.
      await undefined
      if (failure !== undefined) break
    }
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error
    // The parser still holds what came last.
    failure = error
  }
  parser.end()
  yield* records()
  // What is left comes with the end, and the end only after all was read.
  while (!over) {
    await new Promise((resolve) => { for (const event of ['readable', 'end', 'close']) parser.once(event, resolve) })
    yield* records()
  }
  // The parser's own words hold the cell that it stopped at.
  if (failure !== undefined) throw failure instanceof CsvError ? problemOf(failure, row + 1) : failure

  // The parser works within write(), so its records are read at once: a promise for each would cost more than parsing it.
  function* records(): Generator<RawRow> {
    for (let cells = parser.read() as string[] | null; cells !== null; cells = parser.read() as string[] | null) {
      row++
      if (row > BOUNDS.rows) throw new FileProblem('too-large', `≤ ${BOUNDS.rows} rows`, { row })
      if (cells.length > BOUNDS.columns) throw new FileProblem('too-many-columns', `≤ ${BOUNDS.columns}`, { row })
      yield { row, cells }
    }
  }
}

/** The separator that a first line was written with: the one it holds most of. */
export function delimiterOf(line: string): Delimiter {
  const unquoted = line.replace(/"(?:[^"]|"")*"/g, '')
  return DELIMITERS.reduce((best, next) => (unquoted.split(next).length > unquoted.split(best).length ? next : best))
}

function problemOf({ code }: CsvError, row: number): FileProblem {
  return code === 'CSV_MAX_RECORD_SIZE' ? new FileProblem('line-too-long', `≤ ${BOUNDS.lineBytes}`, { row }) : new FileProblem('broken-quotes', '"…"', { row })
}
