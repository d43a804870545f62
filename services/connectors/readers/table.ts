import { headerKey } from '../normalise/cell.ts'
import type { Shape } from '../shape.ts'
import { BOUNDS } from './bounds.ts'

/** A row of a table as it stands in the file. `row` = number of the sheet's row, or of the record in a CSV, from 1. */
export interface RawRow {
  readonly sheet?: string
  readonly row: number
  readonly cells: readonly string[]
}

/** A header that fits a shape: where each of its fields stands, and which columns it does not know. */
export interface Header {
  /** Column by field, in the order of the shape's columns; -1 = not in this file. */
  readonly columns: readonly number[]
  /** As the file names them, in the same order. */
  readonly names: readonly string[]
  /** The names as headers are compared. */
  readonly keys: readonly string[]
  /** Fields that have a column. */
  readonly there: ReadonlySet<string>
  readonly unknown: readonly string[]
  readonly width: number
}

/** The header in a row, if all columns of one of the sets are in it. */
export function headerOf(cells: readonly string[], required: Shape['required'], shape: Shape): Header | undefined {
  const fields = Object.keys(shape.columns)
  const { columns, unknown } = assign(cells, shape)
  const there = new Set(fields.filter((_, at) => columns[at]! >= 0))
  if (!required.some((set) => set.every((field) => there.has(field)))) return undefined
  const names = columns.map((column, at) => (column < 0 ? fields[at]! : cells[column]!.trim()))
  return { columns, names, keys: names.map(headerKey), there, unknown, width: cells.length }
}

/** How well a row of cells serves as a header of the shape, for recognition and for messages. */
export function assign(cells: readonly string[], shape: Shape): { columns: number[], unknown: string[], missing: string[] } {
  const keys = cells.slice(0, BOUNDS.columns).map(headerKey)
  const columns = Object.values(shape.columns).map((names) => {
    for (const name of names) {
      const at = keys.indexOf(headerKey(name))
      if (at >= 0) return at
    }
    return -1
  })
  const dropped = new Set(shape.dropped.map(headerKey))
  const unknown = cells.filter((_cell, at) => keys[at] !== '' && keys[at] !== undefined && !columns.includes(at) && !dropped.has(keys[at]))
  const fields = Object.keys(shape.columns)
  const absent = (field: string): boolean => columns[fields.indexOf(field)]! < 0
  const [closest] = shape.required.toSorted((a, b) => b.filter((field) => !absent(field)).length - a.filter((field) => !absent(field)).length)
  const missing = closest!.filter(absent)
  return { columns, unknown, missing }
}

export function sameHeader(cells: readonly string[], { columns, keys }: Header): boolean {
  return columns.every((column, at) => column < 0 || headerKey(cells[column] ?? '') === keys[at])
}

/** One sheet, or a whole CSV, while its header is looked for and after. */
export class Table {
  readonly sheet: string | undefined
  readonly preamble: string[] = []
  header: Header | undefined = undefined
  headerRow = 0
  #rows = 0
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

  /** Where no header was found: how many rows are not read for that, and the names of which columns would do. */
  unread(shape: Shape): { readonly rows: number, readonly expected: string } | undefined {
    if (this.header !== undefined || this.#rows === 0) return undefined
    let nearest: ReturnType<typeof assign> | undefined
    for (const cells of this.#above) {
      const fit = assign(cells, shape)
      if (nearest === undefined || fit.missing.length < nearest.missing.length) nearest = fit
    }
    const missing = nearest!.missing.map((field) => shape.columns[field]!.join('/'))
    return { rows: Math.max(1, this.#rows - 1), expected: `${shape.id}: ${missing.join('、')}` }
  }
}
