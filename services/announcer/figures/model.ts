import type { Text } from '@hub/schemas/codes'
import type { Region } from '@hub/schemas/streams'

/** One value per region and the total of those that are there. `null` = the region is missing: never a zero. */
export type PerRegion<T> = Readonly<Record<Region, T | null>> & { readonly total: T }

/** What a number means. A number without one cannot be published, and numbers of different ones are never added or compared. */
export interface Definition {
  readonly id: string
  /** Goes up when the meaning changes, however little. */
  readonly version: number
  readonly name: Text
  readonly text: Text
}

/** A definition as figures name it: `received@1`. */
export type DefinitionRef = `${string}@${number}`

/** First and last day, both inside; `YYYY-MM-DD`, Asia/Shanghai. */
export interface Window {
  readonly from: string
  readonly to: string
}

export interface Ratio {
  readonly numerator: number
  readonly denominator: number
}

export interface CountRow {
  readonly definition: DefinitionRef
  readonly counts: PerRegion<number>
}

/** Counted complaints bought on the web, of those that say whether they were. */
export interface OnlineShare {
  readonly online: number
  readonly stated: number
  readonly unstated: number
}

/** What became of a cohort: the accepted complaints of the window. */
export interface Mediation {
  readonly accepted: number
  /** Of those, how many are without an outcome at the cut. */
  readonly open: number
  /** More than half is open: neither rate nor amount says anything yet, so neither is given. */
  readonly withheld: boolean
  /** settled ÷ (settled + terminated); `null` = withheld, or none has come to either end. */
  readonly success: Ratio | null
  /** Sum recovered for the consumers, fen, decimal digits; `null` = withheld. */
  readonly recoveredFen: string | null
}

export interface ClassRow {
  /** National code; `null` = complaints without one. */
  readonly code: string | null
  readonly name: Text
  readonly counts: PerRegion<number>
}

/** Every class that occurs, the largest total first, complaints without a class last; the rows add up to `of`. */
export interface ClassTable {
  readonly definition: DefinitionRef
  readonly of: PerRegion<number>
  readonly rows: readonly ClassRow[]
}

/** A number and its counterpart of the year before, over the compared days alone. `earlier: null` = 无可比数据. */
export interface Comparison {
  readonly current: number
  readonly earlier: number | null
}

export interface ComparisonRow {
  readonly definition: DefinitionRef
  readonly values: PerRegion<Comparison>
}

/** `earlier: null` and no rows: the year before has no window that could be compared. */
export interface YearOnYear {
  readonly definition: DefinitionRef
  /** How a day finds its counterpart: by its distance to lunar day 1, or by month and day. */
  readonly alignment: 'lunar' | 'date'
  readonly current: Window & { readonly days: number }
  readonly earlier: (Window & { readonly days: number }) | null
  /** Days that both windows have. */
  readonly comparedDays: number
  readonly rows: readonly ComparisonRow[]
}

/** When the last complaint of the window should be at its end, by the rules in force; or why that cannot be said. */
export type MediationDue =
  | { readonly day: string, readonly provisional: boolean, readonly rules: readonly string[], readonly calendar: readonly string[] }
  | { readonly day: null, readonly unverified: readonly string[], readonly why: Text }

/** All figures of an announcement but the list of traders. Whole numbers and text alone. */
export interface Figures {
  /** The headline `received` first, then what it is made of, then reports and consultations. */
  readonly counts: readonly CountRow[]
  readonly online: { readonly definition: DefinitionRef, readonly shares: PerRegion<OnlineShare> }
  readonly goods: ClassTable
  readonly services: ClassTable
  readonly issues: ClassTable
  readonly mediation: {
    readonly success: DefinitionRef
    readonly recovered: DefinitionRef
    readonly open: DefinitionRef
    readonly values: PerRegion<Mediation>
    readonly due: MediationDue
  }
  readonly yearOnYear: YearOnYear
}

/** A trader that the list names. Over the twelve months to the cut, all regions that are in the edition together. */
export interface TraderRow {
  readonly uscc: string
  /** The name that most of its complaints use at the cut. */
  readonly name: string
  /** Regions that accepted complaints against it. */
  readonly regions: readonly Region[]
  /** 投诉量 */
  readonly counted: number
  /** 受理量 */
  readonly accepted: number
  /** 调解成功率 = settled ÷ (settled + terminated) */
  readonly settled: number
  readonly terminated: number
}
