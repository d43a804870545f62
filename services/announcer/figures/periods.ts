import { alignmentOf, windowBefore, type Plan } from '../campaigns.ts'
import type { Calendar } from '../calendar/calendar.ts'
import { addDays, daysFrom, type Day } from '../calendar/day.ts'
import type { Cells, ClassCell, DayCell, TallyCell } from './cells.ts'
import type { Window } from './model.ts'
import { pairDays, twelveMonthsBefore } from './windows.ts'

/** The days whose cells an announcement reads; of others it only asks where the data of a region begin. */
export interface Spans {
  readonly window: Window
  /** The window of the year before; `null` = no calendar covers it. */
  readonly earlier: Window | null
  /** Of traders' cells: the twelve months to the cut. */
  readonly traders: Window
  readonly periods: readonly Period[]
}

export function spansOf(plan: Plan, calendar: Calendar): Spans {
  return { window: plan.window, earlier: windowBefore(calendar, plan), traders: twelveMonthsBefore(plan.publishOn), periods: periodsOf(plan, calendar) }
}

/**
 * Days that no figure tells apart. Cells that differ in the day alone, of one period, may be added up before anything is computed; the sum has the
 * earliest of their days.
 */
export interface Period {
  /** Days of the window with and without a counterpart a year before, and those counterparts. */
  readonly name: 'compared' | 'window' | 'earlier'
  readonly days: readonly Day[]
}

/** The periods of an announcement. A day is in one at most; on other days only traders are counted. */
export function periodsOf(plan: Plan, calendar: Calendar): Period[] {
  const window = daysFrom(plan.window.from, plan.window.to)
  const earlier = windowBefore(calendar, plan)
  if (earlier === null) return [{ name: 'window', days: window }]
  const pairs = pairDays(plan.window, earlier, alignmentOf(plan.campaign))
  return [
    { name: 'compared', days: [...pairs.current] },
    { name: 'window', days: window.filter((day) => !pairs.current.has(day)) },
    { name: 'earlier', days: [...pairs.earlier] },
  ]
}

/** The runs of days that periods consist of, in order. */
export function runsOf(periods: readonly Period[]): Window[] {
  return periods.flatMap(({ days }) => {
    const runs: { from: Day; to: Day }[] = []
    for (const day of [...days].sort()) {
      const last = runs.at(-1)
      if (last !== undefined && addDays(last.to, 1) === day) last.to = day
      else runs.push({ from: day, to: day })
    }
    return runs
  })
}

/** The cells of the periods, added up within each. Traders are left out: they are counted over months of their own. */
export function addedUp(cells: Cells, periods: readonly Period[]): Cells {
  const periodOf = new Map(periods.flatMap(({ name, days }) => days.map((day) => [day, name] as const)))
  const add = <T extends { readonly day: Day }>(all: readonly T[], keyOf: (cell: T) => string, sum: (a: T, b: T) => Omit<T, 'day'>): T[] => {
    const sums = new Map<string, T>()
    for (const cell of all) {
      const period = periodOf.get(cell.day)
      if (period === undefined) continue
      const key = `${period}\0${keyOf(cell)}`
      const before = sums.get(key)
      sums.set(key, before === undefined ? cell : { ...sum(before, cell), day: before.day < cell.day ? before.day : cell.day } as T)
    }
    return [...sums.values()]
  }
  return {
    days: add<DayCell>(cells.days, ({ region, state, outcome, online }) => `${region}\0${state}\0${outcome}\0${online}`, (a, b) => ({ ...a, n: a.n + b.n, recoveredFen: a.recoveredFen + b.recoveredFen })),
    classes: add<ClassCell>(cells.classes, ({ region, dimension, kind, code }) => `${region}\0${dimension}\0${kind}\0${code}`, (a, b) => ({ ...a, received: a.received + b.received, counted: a.counted + b.counted })),
    tallies: add<TallyCell>(cells.tallies, ({ region, tallyType }) => `${region}\0${tallyType}`, (a, b) => ({ ...a, n: a.n + b.n })),
    traders: [],
  }
}
