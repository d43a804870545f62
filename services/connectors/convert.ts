import { dateText } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import { BOUNDS } from './readers/bounds.ts'
import { delimiterOf, readCsv } from './readers/csv.ts'
import { FileProblem } from './readers/file-problem.ts'
import { cellAt, readLines } from './readers/lines.ts'
import { headerOf, sameHeader, assign, type Header, type RawRow } from './readers/table.ts'
import { readSentences } from './readers/sentences.ts'
import { readPages } from './readers/pages.ts'
import { isWorkbook, readWorkbook } from './readers/xlsx.ts'
import { isRemark, isTotal } from './readers/furniture.ts'
import { Row, type Fields } from './row.ts'
import type { Context, Declared, Outcome, Shape } from './shape.ts'
import type { Place, RowFlag, RowProblem, SkipRule } from './verdict.ts'

/** What a row came to. `rows` > 1 only where a file is refused from here on: so many rows of it were not read. */
export type RowResult = { readonly place: Place, readonly flags: readonly RowFlag[] } & (
  | { readonly kind: 'read', readonly outcome: Exclude<Outcome, { skip: SkipRule }> }
  | { readonly kind: 'skipped', readonly rule: SkipRule }
  | { readonly kind: 'refused', readonly problems: readonly RowProblem[], readonly rows: number }
)

/**
 * Reads a file of a known shape row by row, in constant memory but for a workbook. Every row comes out once, read, skipped or refused; a file that cannot be read on ends
 * with one refusal for all the rows that are left. Nothing but the shape's columns leaves the reader.
 */
export async function* convert(source: AsyncIterable<Uint8Array>, shape: Shape, context: Context, declared: Declared = {}): AsyncGenerator<RowResult> {
  const counted = new CountedSource(source)
  const today = dateText(shanghaiDay(context.now))
  let read = 0
  try {
    for await (const result of resultsOf(counted, shape, context, declared, today)) {
      read++
      yield result
    }
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error
    const place: Place = { ...(error.sheet !== undefined && { sheet: error.sheet }), row: error.row }
    yield { place, flags: [], kind: 'refused', problems: [{ rule: error.rule, expected: error.expected }], rows: await counted.rowsAfter(read, shape, error) }
  }
}

function resultsOf(source: CountedSource, shape: Shape, context: Context, declared: Declared, today: string): AsyncGenerator<RowResult> {
  switch (shape.format) {
    case 'table': return tableResults(source, shape, context, declared, today)
    case 'lines': return lineResults(source, shape, context, today)
    case 'pages': return pageResults(source, shape, context, today)
    case 'sentences': return sentenceResults(source, shape, context, declared, today)
  }
}

async function* tableResults(source: CountedSource, shape: Shape, context: Context, declared: Declared, today: string): AsyncGenerator<RowResult> {
  const at = new Map(Object.keys(shape.columns).map((field, index) => [field, index]))
  let table = new Table()
  for await (const raw of tableRows(source, declared)) {
    if (raw.sheet !== table.sheet) {
      const result = table.unread(shape)
      if (result !== undefined) yield result
      table = new Table(raw.sheet)
    }
    if (table.header === undefined) {
      const header = headerOf(raw.cells, table.passing(shape) ? [shape.passing!.required] : shape.required, shape)
      if (header === undefined) table.above(raw.cells)
      else table.begin(header, raw.row)
      continue
    }
    const { header, preamble } = table
    const place: Place = raw.sheet === undefined ? { row: raw.row - table.headerRow } : { sheet: raw.sheet, row: raw.row }
    if (table.passing(shape)) yield skipped(place, 'passing-sample')
    else if (sameHeader(raw.cells, header)) yield skipped(place, 'repeated-header')
    else if (isTotal(raw.cells)) yield skipped(place, 'total')
    else if (isRemark(raw.cells)) yield skipped(place, 'remark')
    else if (raw.sheet === undefined && raw.cells.length !== header.width) yield refused(place, [{ rule: 'shifted-cells', expected: String(header.width) }])
    else yield resultOf(new Row(place, header.columns.map((column) => (column < 0 ? '' : raw.cells[column] ?? '')), { at, names: header.names, there: header.there }, context, today, preamble), shape)
  }
  const result = table.unread(shape)
  if (result !== undefined) yield result
}

/** One sheet, or a whole CSV, while its header is looked for and after. */
class Table {
  readonly sheet: string | undefined
  readonly preamble: string[] = []
  header: Header | undefined = undefined
  headerRow = 0
  #rows = 0
  #nearest: ReturnType<typeof assign> | undefined = undefined
  readonly #above: (readonly string[])[] = []

  constructor(sheet?: string) {
    this.sheet = sheet
  }

  passing(shape: Shape): boolean {
    return this.sheet !== undefined && shape.passing?.sheets.test(this.sheet) === true
  }

  /** A row that is no header; the first ones may be titles. */
  above(cells: readonly string[]): void {
    this.#rows++
    if (this.#rows > BOUNDS.preambleRows) return
    this.#above.push(cells)
    this.preamble.push(cells.filter((cell) => cell !== '').join(' '))
  }

  begin(header: Header, row: number): void {
    if (this.#rows > BOUNDS.preambleRows) return
    this.header = header
    this.headerRow = row
  }

  /** A refusal for all rows, where no header was found among them. */
  unread(shape: Shape): RowResult | undefined {
    if (this.header !== undefined || this.#rows === 0) return undefined
    for (const cells of this.#above) {
      const fit = assign(cells, shape)
      if (this.#nearest === undefined || fit.missing.length < this.#nearest.missing.length) this.#nearest = fit
    }
    const missing = this.#nearest!.missing.map((field) => shape.columns[field]!.join('/'))
    return { ...refused({ ...(this.sheet !== undefined && { sheet: this.sheet }), row: 0 }, [{ rule: 'unknown-header', expected: `${shape.id}: ${missing.join('、')}` }]), rows: Math.max(1, this.#rows - 1) }
  }
}

async function* tableRows(source: CountedSource, declared: Declared): AsyncGenerator<RawRow> {
  const head = await source.head()
  if (isWorkbook(head)) return yield* readWorkbook(source)
  const delimiter = declared.delimiter ?? ','
  let first = true
  for await (const row of readCsv(source, delimiter, declared.encoding)) {
    if (first && row.cells.length === 1) {
      const other = delimiterOf(row.cells[0]!)
      if (other !== delimiter && row.cells[0]!.includes(other)) throw new FileProblem('other-delimiter', `"${delimiter}" ≠ "${other}"`)
    }
    first = false
    yield row
  }
}

async function* lineResults(source: AsyncIterable<Uint8Array>, shape: Shape, context: Context, today: string): AsyncGenerator<RowResult> {
  const { fields, cellsOf } = pathsOf(shape)
  for await (const { row, value, fault } of readLines(source)) {
    const place = { row }
    if (value === undefined) yield refused(place, [{ rule: fault!, expected: fault === 'line-too-long' ? `≤ ${BOUNDS.lineBytes} bytes` : fault === 'invalid-encoding' ? 'UTF-8' : 'JSON' }])
    else yield resultOf(new Row(place, cellsOf(value), fields, context, today), shape)
  }
}

async function* pageResults(source: AsyncIterable<Uint8Array>, shape: Shape, context: Context, today: string): AsyncGenerator<RowResult> {
  const { fields, cellsOf } = pathsOf(shape)
  const rows = new Map<string | undefined, number>()
  for await (const page of readPages(source)) {
    for (const { apart, value } of shape.recordsOf!(page)) {
      const row = (rows.get(apart) ?? 0) + 1
      rows.set(apart, row)
      yield resultOf(new Row(apart === undefined ? { row } : { sheet: apart, row }, cellsOf(value), fields, context, today), shape)
    }
  }
}

async function* sentenceResults(source: AsyncIterable<Uint8Array>, shape: Shape, context: Context, declared: Declared, today: string): AsyncGenerator<RowResult> {
  const names = Object.keys(shape.columns)
  const fields: Fields = { at: new Map(names.map((field, at) => [field, at])), names }
  for await (const { row, cells } of readSentences(source, declared.encoding)) {
    yield resultOf(new Row({ row }, names.map((name) => cells[name] ?? ''), fields, context, today), shape)
  }
}

function pathsOf(shape: Shape): { fields: Fields, cellsOf: (value: object) => string[] } {
  const paths = Object.values(shape.columns).map((names) => names.map((name) => name.split('.')))
  const fields: Fields = { at: new Map(Object.keys(shape.columns).map((field, at) => [field, at])), names: Object.values(shape.columns).map(([name]) => name!) }
  return { fields, cellsOf: (value) => paths.map((options) => firstOf(options, value)) }
}

function firstOf(paths: readonly (readonly string[])[], value: object): string {
  for (const path of paths) {
    const cell = cellAt(value, path)
    if (cell !== '') return cell
  }
  return ''
}

function resultOf(row: Row, shape: Shape): RowResult {
  const outcome = row.problems.length > 0 ? undefined : shape.read(row)
  if (row.problems.length > 0) return refused(row.place, row.problems)
  if (outcome === undefined) throw new Error(`${shape.id}: a row was neither read nor refused`)
  if ('skip' in outcome) return skipped(row.place, outcome.skip)
  return { place: row.place, flags: row.flags, kind: 'read', outcome }
}

function refused(place: Place, problems: readonly RowProblem[]): RowResult & { kind: 'refused' } {
  return { place, flags: [], kind: 'refused', problems, rows: 1 }
}

function skipped(place: Place, rule: SkipRule): RowResult {
  return { place, flags: [], kind: 'skipped', rule }
}

/** The bytes of a file, bounded; it counts lines, so that a file that is given up can say how many rows were not read. */
class CountedSource implements AsyncIterable<Uint8Array> {
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
