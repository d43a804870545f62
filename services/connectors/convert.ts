import { dateText } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import { BOUNDS } from './readers/bounds.ts'
import { delimiterOf, readCsv } from './readers/csv.ts'
import { FileProblem } from './readers/file-problem.ts'
import { cellAt, readLines } from './readers/lines.ts'
import { CountedSource } from './readers/source.ts'
import { headerOf, sameHeader, Table, type Header, type RawRow } from './readers/table.ts'
import { readSentences } from './readers/sentences.ts'
import { readPages } from './readers/pages.ts'
import { isWorkbook, readWorkbook } from './readers/xlsx.ts'
import { isRemark, isTotal } from './readers/furniture.ts'
import { Row, type Fields } from './row.ts'
import type { Context } from './context.ts'
import type { Declared, Outcome, Shape } from './shape.ts'
import type { Place, RowFlag, RowProblem, SkipRule } from './verdict.ts'

/** What stands in a row, by the shape's columns; names as the file has them. Only where the context keeps cells. */
export interface Cells {
  readonly names: readonly string[]
  readonly values: readonly string[]
}

/** What a row came to. `rows` > 1 only where a file is refused from here on: so many rows of it were not read. */
export type RowResult = { readonly place: Place, readonly flags: readonly RowFlag[], readonly cells?: Cells } & (
  | { readonly kind: 'read', readonly outcome: Exclude<Outcome, { skip: SkipRule }> }
  | { readonly kind: 'skipped', readonly rule: SkipRule }
  | { readonly kind: 'refused', readonly problems: readonly RowProblem[], readonly rows: number }
)

/**
 * Reads a file of a known shape, some rows at a time, in constant memory but for a workbook. Every row comes out once, read, skipped or refused; a file that cannot be read on ends
 * with one refusal for all the rows that are left. Nothing but the shape's columns leaves the reader.
 */
export async function* convert(source: AsyncIterable<Uint8Array>, shape: Shape, context: Context, declared: Declared = {}): AsyncGenerator<readonly RowResult[]> {
  const counted = new CountedSource(source)
  const today = dateText(shanghaiDay(context.now))
  let read = 0
  try {
    for await (const results of resultsOf(counted, shape, context, declared, today)) {
      read += results.length
      yield results
    }
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error
    const place: Place = { ...(error.sheet !== undefined && { sheet: error.sheet }), row: error.row }
    yield [{ place, flags: [], kind: 'refused', problems: [{ rule: error.rule, expected: error.expected }], rows: await counted.rowsAfter(read, shape, error) }]
  } finally {
    await counted.close()
  }
}

function resultsOf(source: CountedSource, shape: Shape, context: Context, declared: Declared, today: string): AsyncGenerator<readonly RowResult[]> {
  switch (shape.format) {
    case 'table': return tableResults(source, shape, context, declared, today)
    case 'lines': return lineResults(source, shape, context, today)
    case 'pages': return pageResults(source, shape, context, today)
    case 'sentences': return sentenceResults(source, shape, context, declared, today)
  }
}

async function* tableResults(source: CountedSource, shape: Shape, context: Context, declared: Declared, today: string): AsyncGenerator<readonly RowResult[]> {
  const at = new Map(Object.keys(shape.columns).map((field, index) => [field, index]))
  let table = new Table()
  for await (const rows of tableRows(source, declared)) {
    const results: RowResult[] = []
    for (const raw of rows) {
      if (raw.sheet !== table.sheet) {
        results.push(...unread(table, shape))
        table = new Table(raw.sheet)
      }
      const result = table.header === undefined ? above(table, raw, shape) : tableResult(table, table.header, raw)
      if (result !== undefined) results.push(result)
    }
    if (results.length > 0) yield results
  }
  const left = unread(table, shape)
  if (left.length > 0) yield left

  function tableResult(table: Table, header: Header, { sheet, row, cells }: RawRow): RowResult {
    const place: Place = sheet === undefined ? { row: row - table.headerRow } : { sheet, row }
    if (table.passing(shape)) return skipped(place, 'passing-sample')
    if (sameHeader(cells, header)) return skipped(place, 'repeated-header')
    if (isTotal(cells)) return skipped(place, 'total')
    if (isRemark(cells)) return skipped(place, 'remark')
    if (sheet === undefined && cells.length !== header.width) return refused(place, [{ rule: 'shifted-cells', expected: String(header.width) }])
    const fields = { at, names: header.names, there: header.there }
    return resultOf(new Row(place, header.columns.map((column) => (column < 0 ? '' : cells[column] ?? '')), fields, context, today, table.preamble), shape)
  }
}

/** A row where no header has come yet: it is one, or stands above it. */
function above(table: Table, { row, cells }: RawRow, shape: Shape): undefined {
  const header = headerOf(cells, table.passing(shape) ? [shape.passing!.required] : shape.required, shape)
  if (header === undefined) table.above(cells)
  else table.begin(header, row)
}

/** One refusal for all rows of a table without a header. */
function unread(table: Table, shape: Shape): readonly RowResult[] {
  const left = table.unread(shape)
  if (left === undefined) return []
  const place: Place = { ...(table.sheet !== undefined && { sheet: table.sheet }), row: 0 }
  return [{ ...refused(place, [{ rule: 'unknown-header', expected: left.expected }]), rows: left.rows }]
}

async function* tableRows(source: CountedSource, declared: Declared): AsyncGenerator<readonly RawRow[]> {
  const head = await source.head()
  if (isWorkbook(head)) return yield* readWorkbook(source)
  const delimiter = declared.delimiter ?? ','
  let first = true
  for await (const rows of readCsv(source, delimiter, declared.encoding)) {
    const [line] = rows[0]!.cells
    if (first && rows[0]!.cells.length === 1) {
      const other = delimiterOf(line!)
      if (other !== delimiter && line!.includes(other)) throw new FileProblem('other-delimiter', `"${delimiter}" ≠ "${other}"`)
    }
    first = false
    yield rows
  }
}

async function* lineResults(source: AsyncIterable<Uint8Array>, shape: Shape, context: Context, today: string): AsyncGenerator<readonly RowResult[]> {
  const { fields, cellsOf } = pathsOf(shape)
  for await (const { row, value, fault } of readLines(source)) {
    const place = { row }
    if (value === undefined) yield [refused(place, [{ rule: fault!, expected: fault === 'line-too-long' ? `≤ ${BOUNDS.lineBytes} bytes` : fault === 'invalid-encoding' ? 'UTF-8' : 'JSON' }])]
    else yield [resultOf(new Row(place, cellsOf(value), fields, context, today), shape)]
  }
}

async function* pageResults(source: AsyncIterable<Uint8Array>, shape: Shape, context: Context, today: string): AsyncGenerator<readonly RowResult[]> {
  const { fields, cellsOf } = pathsOf(shape)
  const rows = new Map<string | undefined, number>()
  for await (const page of readPages(source)) {
    for (const { apart, value } of shape.recordsOf!(page)) {
      const row = (rows.get(apart) ?? 0) + 1
      rows.set(apart, row)
      yield [resultOf(new Row(apart === undefined ? { row } : { sheet: apart, row }, cellsOf(value), fields, context, today), shape)]
    }
  }
}

async function* sentenceResults(source: AsyncIterable<Uint8Array>, shape: Shape, context: Context, declared: Declared, today: string): AsyncGenerator<readonly RowResult[]> {
  const names = Object.keys(shape.columns)
  const fields: Fields = { at: new Map(names.map((field, at) => [field, at])), names }
  for await (const { row, cells } of readSentences(source, declared.encoding)) {
    yield [resultOf(new Row({ row }, names.map((name) => cells[name] ?? ''), fields, context, today), shape)]
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
  const result = judged(row, shape)
  return row.context.keepCells === true ? { ...result, cells: row.cells } : result
}

function judged(row: Row, shape: Shape): RowResult {
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
