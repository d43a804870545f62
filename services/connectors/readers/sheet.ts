import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'
import type { RawRow } from './table.ts'
import { columnIndex, local, xmlParser } from './xml.ts'

/** How numbers of a sheet are shown: whether as dates, by style; and texts by number. */
export interface Book {
  readonly strings: readonly string[]
  readonly dateStyles: ReadonlySet<number>
  readonly since1904: boolean
}

/** A cell that reaches over several rows; column from 0, rows as the office program numbers them. */
export interface Merge {
  readonly column: number
  readonly from: number
  readonly to: number
}

const SERIAL_ZERO = 25_569
const DAYS_1904 = 1_462
const DAY_MS = 86_400_000

/** Rows of one sheet that hold anything, some at a time. Dates come out as `YYYY-MM-DD` (with the time where there is one), other numbers as they are stored. */
export async function* readSheet(sheet: string, xml: AsyncIterable<string>, book: Book, merges: readonly Merge[]): AsyncGenerator<readonly RawRow[]> {
  const parser = xmlParser()
  let rows: RawRow[] = []
  let row = 0
  let cells: string[] = []
  let column = 0
  let type = 'n'
  let style = 0
  let value = ''
  let inValue = false
  const carried = new Map<number, { text: string, to: number }>()
  const starts = Map.groupBy(merges, ({ from }) => from)

  parser.onopentag = ({ name, attributes }) => {
    const { r, t, s } = attributes as Record<string, string>
    switch (local(name)) {
      case 'row':
        row = r === undefined ? row + 1 : Number(r)
        cells = []
        column = 0
        break
      case 'c':
        if (r !== undefined) column = columnIndex(r.replace(/\d+$/, ''))
        type = t ?? 'n'
        style = Number(s ?? 0)
        value = ''
        break
      case 'v':
      case 't': inValue = true
    }
  }
  parser.ontext = (text) => { if (inValue && value.length <= BOUNDS.cellLength) value += text }
  parser.onclosetag = (name) => {
    switch (local(name)) {
      case 'v':
      case 't': inValue = false; break
      case 'c': place(); break
      case 'row': finish()
    }
  }
  for await (const text of xml) {
    parser.write(text)
    const done = rows
    rows = []
    if (done.length > 0) yield done
  }

  function place(): void {
    const text = textOf()
    if (text !== '') {
      if (column >= BOUNDS.columns) throw new FileProblem('too-many-columns', `≤ ${BOUNDS.columns}`, { sheet, row })
      while (cells.length < column) cells.push('')
      cells[column] = text
    }
    column++
  }

  function textOf(): string {
    switch (type) {
      case 's': return book.strings[Number(value)] ?? ''
      case 'e': return ''
      case 'n': return value !== '' && book.dateStyles.has(style) ? dateOf(Number(value) + (book.since1904 ? DAYS_1904 : 0)) : value
      default: return value
    }
  }

  function finish(): void {
    for (const [at, { text, to }] of carried) {
      if (row > to) carried.delete(at)
      else if ((cells[at] ?? '') === '') {
        while (cells.length < at) cells.push('')
        cells[at] = text
      }
    }
    for (const merge of starts.get(row) ?? []) if ((cells[merge.column] ?? '') !== '') carried.set(merge.column, { text: cells[merge.column]!, to: merge.to })
    if (!cells.some((cell) => cell !== '')) return
    if (row > BOUNDS.rows) throw new FileProblem('too-large', `≤ ${BOUNDS.rows} rows`, { sheet, row })
    rows.push({ sheet, row, cells })
  }
}

function dateOf(serial: number): string {
  const date = new Date(Math.round((serial - SERIAL_ZERO) * DAY_MS))
  if (Number.isNaN(date.getTime())) return ''
  const text = date.toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.slice(0, 19).replace('T', ' ')
}
