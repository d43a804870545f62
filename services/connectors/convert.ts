import { dateText } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import { BOUNDS } from './readers/bounds.ts'
import { delimiterOf, readCsv } from './readers/csv.ts'
import { FileProblem } from './readers/file-problem.ts'
import { cellAt, readLines } from './readers/lines.ts'
import { CountedSource } from './readers/source.ts'
import { headerOf, sameHeader, Table, type RawRow } from './readers/table.ts'
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
  } finally {
    await counted.close()
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
      yield* unread(table, shape)
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
  yield* unread(table, shape)
}

/** One refusal for all rows of a table without a header. */
function* unread(table: Table, shape: Shape): Generator<RowResult> {
  const left = table.unread(shape)
  if (left === undefined) return
  const place: Place = { ...(table.sheet !== undefined && { sheet: table.sheet }), row: 0 }
  yield { ...refused(place, [{ rule: 'unknown-header', expected: left.expected }]), rows: left.rows }
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
