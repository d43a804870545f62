import type { Text } from '@hub/schemas/codes'
import type { DataStream } from '@hub/schemas/streams'
import type { Act } from './compose/act.ts'
import type { EventInput } from './event-input.ts'
import type { Row } from './row.ts'
import type { SkipRule } from './verdict.ts'

/** One report or consultation: all that is kept of it. `report` is a keyed hash of its number; `content` one of what it says. */
export interface TallyInput {
  readonly report: string
  readonly content: string
  /** Of the source: its number or its time in ms. */
  readonly version: number
  readonly deleted: boolean
  readonly cell: TallyCell
}

/** What reports are counted by. `day` is of the registration, Asia/Shanghai. */
export interface TallyCell {
  readonly day: string
  readonly tallyType: 'report' | 'consultation'
  readonly division: string | null
  readonly issue: string | null
  readonly channel: string | null
}

/** What a row comes to: the whole state of a record, an act on one that is still to be composed, a report to be counted, or nothing. */
export type Outcome =
  | { readonly event: EventInput, readonly link?: string }
  | { readonly act: Act }
  | { readonly tally: TallyInput }
  | { readonly skip: SkipRule }
  | { readonly noted: true }

/** A column by all the names it is met under; of NDJSON and pages the path of a value. Spaces, width and case do not matter. */
export type Names = readonly string[]

/** One source shape: how its columns are named and what a row of it means. A folder of `shapes/` exports one. */
export interface Shape {
  readonly id: string
  readonly title: Text
  readonly stream: DataStream
  /** `table` = CSV or workbook, `lines` = NDJSON, `pages` = a JSON array, `sentences` = text of a notice. */
  readonly format: 'table' | 'lines' | 'pages' | 'sentences'
  readonly columns: Readonly<Record<string, Names>>
  /** A header fits when all columns of one of these sets are in it. */
  readonly required: readonly (readonly string[])[]
  /** Columns that are known and never read: people, texts, numbering. */
  readonly dropped: Names
  /** Where the version comes from, in words for the person who imports. */
  readonly version: Text
  /** Sheets of samples that passed, by name, and what their header has at least: their rows are passed over. */
  readonly passing?: { readonly sheets: RegExp, readonly required: readonly string[] }
  /** A file may be everything that its source has, so that what it does not name has ended: told by the source's declaration (`mode: full`). */
  readonly completeList?: true
  /** Of pages: the records of one, each with what the page says of it. Records `apart` are numbered for themselves. */
  recordsOf?(page: object): { readonly apart?: string, readonly value: object }[]
  read(row: Row): Outcome | undefined
}

/** What the sender says of the file; where it says nothing the encoding is detected and the separator is a comma. */
export interface Declared {
  readonly encoding?: 'utf-8' | 'gb18030'
  readonly delimiter?: ',' | ';' | '\t'
}
