import type { Region } from '@hub/schemas/streams'

/**
 * What the figures of an announcement are computed from: counts of current records, one row per combination of what distinguishes them, for one
 * partition or for many. Adding up the rows of all partitions gives the region. Days are days of registration in Asia/Shanghai, `YYYY-MM-DD`;
 * records voided by their origin are in no cell, expired, withdrawn and erased ones are in all but the trader cells. Whoever reads them may add up
 * what differs in the day alone, within a period (`periods.ts`).
 */
export interface Cells {
  readonly days: readonly DayCell[]
  readonly classes: readonly ClassCell[]
  readonly tallies: readonly TallyCell[]
  readonly traders: readonly TraderCell[]
}

/** Complaints of one day that agree in state, outcome and the rest; `null` = the record does not say. */
export interface DayCell {
  readonly region: Region
  readonly day: string
  /** Code of `complaint-state`. */
  readonly state: string | null
  /** Code of `mediation-outcome`. */
  readonly outcome: string | null
  /** Bought on the web. */
  readonly online: boolean | null
  readonly n: number
  /** Sum of what was recovered, fen; exact beyond 2^53. */
  readonly recoveredFen: bigint
}

/** Complaints of one day in one class; every complaint is in one cell of each dimension, also without a code. */
export interface ClassCell {
  readonly region: Region
  readonly day: string
  readonly dimension: 'object' | 'issue' | 'channel'
  /** `object-kind` of an object, null otherwise or when the record does not say. */
  readonly kind: string | null
  /** National code; null = the local class has none, or the record does not say. */
  readonly code: string | null
  readonly received: number
  readonly counted: number
}

/** Reports or consultations of one day. */
export interface TallyCell {
  readonly region: Region
  readonly day: string
  /** Code of `tally-type`. */
  readonly tallyType: string
  readonly n: number
}

/**
 * Complaints of one day against one trader: the verified respondent, else the reported one, by its credit code. One cell per name the records
 * use, so that the most frequent one can be found. Records without a credit code, and those of sole traders and persons, are in none.
 */
export interface TraderCell {
  readonly region: Region
  readonly day: string
  readonly uscc: string
  readonly name: string | null
  readonly counted: number
  readonly accepted: number
  readonly settled: number
  readonly terminated: number
}

export const NO_CELLS: Cells = { days: [], classes: [], tallies: [], traders: [] }

/** The cells of several partitions, or regions, together. */
export function together(parts: readonly Cells[]): Cells {
  return {
    days: parts.flatMap(({ days }) => days),
    classes: parts.flatMap(({ classes }) => classes),
    tallies: parts.flatMap(({ tallies }) => tallies),
    traders: parts.flatMap(({ traders }) => traders),
  }
}

/** The cells of some days. */
export function onDays(cells: Cells, days: (day: string) => boolean): Cells {
  const isOn = (cell: { readonly day: string }) => days(cell.day)
  return { days: cells.days.filter(isOn), classes: cells.classes.filter(isOn), tallies: cells.tallies.filter(isOn), traders: cells.traders.filter(isOn) }
}
