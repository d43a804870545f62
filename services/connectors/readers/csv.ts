import { parse, type CsvError } from 'csv-parse'
import { Readable } from 'node:stream'
import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'
import type { RawRow } from './table.ts'
import { decode, type Encoding } from './text.ts'

export const DELIMITERS = [',', ';', '\t'] as const
export type Delimiter = (typeof DELIMITERS)[number]

/** Records of a CSV, in order; quoted cells may hold separators, quotes and line ends. Blank lines are left out and not counted. */
export async function* readCsv(source: AsyncIterable<Uint8Array>, delimiter: Delimiter = ',', encoding?: Encoding): AsyncGenerator<RawRow> {
  const parser = parse({ delimiter, bom: true, relaxColumnCount: true, skipEmptyLines: true, recordDelimiter: ['\r\n', '\n'], maxRecordSize: BOUNDS.lineBytes })
  const text = Readable.from(decode(source, encoding), { objectMode: true, highWaterMark: 1 })
  text.on('error', (error) => parser.destroy(error))
  let row = 0
  try {
    for await (const cells of text.pipe(parser) as AsyncIterable<string[]>) {
      row++
      if (row > BOUNDS.rows) throw new FileProblem('too-large', `≤ ${BOUNDS.rows} rows`, { row })
      if (cells.length > BOUNDS.columns) throw new FileProblem('too-many-columns', `≤ ${BOUNDS.columns}`, { row })
      yield { row, cells }
    }
  } catch (error) {
    throw isCsvError(error) ? new FileProblem(error.code === 'CSV_MAX_RECORD_SIZE' ? 'line-too-long' : 'broken-quotes', error.code === 'CSV_MAX_RECORD_SIZE' ? `≤ ${BOUNDS.lineBytes}` : '"…"', { row: row + 1 }) : error
  } finally {
    text.destroy()
  }
}

/** The separator that a first line was written with: the one it holds most of. */
export function delimiterOf(line: string): Delimiter {
  const unquoted = line.replace(/"(?:[^"]|"")*"/g, '')
  return DELIMITERS.reduce((best, next) => (unquoted.split(next).length > unquoted.split(best).length ? next : best))
}

function isCsvError(error: unknown): error is CsvError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('CSV_')
}
