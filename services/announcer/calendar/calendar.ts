import type { Window } from '../figures/model.ts'
import { addDays, dayNumber, isWeekend, yearOf, type Day } from './day.ts'
import { statutoryHolidays } from './statutory.ts'
import { arrangedDays, issuedOn, YearFileRefused, type YearFile, type YearVersion } from './year-file.ts'

/** Which days are worked in the years that have a notice, as far as it was known on some day. */
export interface Calendar {
  readonly files: readonly YearFile[]
  readonly years: ReadonlyMap<number, YearVersion>
  /** Day to worked or not, of all years together; a December may be arranged by the year after. */
  readonly arranged: ReadonlyMap<Day, boolean>
}

/** What is known of a day. Provisional = the notice that decides it is not there: law and weekends alone were asked. */
export interface DayKind {
  readonly workday: boolean
  readonly provisional: boolean
}

/** A computed day, and what it rests on: the versions of the years it touched, `2026.1`. It is computed anew when one of them changes. */
export interface ComputedDay {
  readonly day: Day
  readonly provisional: boolean
  readonly calendar: readonly string[]
}

/** A year without a notice. It is never guessed: nothing is planned in it. */
export class YearUncovered extends Error {
  readonly year: number
  constructor(year: number) {
    super(`${year}年节假日安排尚未收录，不能据此安排公示；请在国务院办公厅通知发布后补充节假日文件 / no notice covers ${year}: nothing is planned in it until its year file is there`)
    this.name = 'YearUncovered'
    this.year = year
  }
}

/**
 * @param known versions that were issued after this day are left out; all versions without it
 * @throws YearFileRefused when a year between two others is missing
 */
export function calendarOf(files: readonly YearFile[], known?: Day): Calendar {
  const sorted = files.toSorted((a, b) => a.year - b.year)
  for (const [at, { year }] of sorted.entries()) if (at > 0 && sorted[at - 1]!.year !== year - 1) throw new YearFileRefused(`${year - 1}.json`, [`stands between ${sorted[at - 1]!.year} and ${year} and is missing`])
  const years = new Map<number, YearVersion>()
  const arranged = new Map<Day, boolean>()
  for (const { year, versions } of sorted) {
    const version = versions.findLast((one) => known === undefined || issuedOn(one) <= known)
    if (version === undefined) continue
    years.set(year, version)
    for (const [day, workday] of arrangedDays(version)) arranged.set(day, workday)
  }
  return { files, years, arranged }
}

/** The calendar as it was known on a day: without versions that were issued after it. */
export function knownOn({ files }: Calendar, day: Day): Calendar {
  return calendarOf(files, day)
}

/** @throws YearUncovered */
export function requireCovered(calendar: Calendar, year: number): void {
  if (!calendar.years.has(year)) throw new YearUncovered(year)
}

/** A December is settled by two notices: its own year's and the one of the year after. */
export function dayKind(calendar: Calendar, day: Day): DayKind {
  const year = yearOf(day)
  const arranged = calendar.arranged.get(day)
  const provisional = !calendar.years.has(year) || (day.slice(5, 7) === '12' && !calendar.years.has(year + 1))
  if (arranged !== undefined) return { workday: arranged, provisional }
  const byLaw = !calendar.years.has(year) && [...statutoryHolidays(year).values()].some((days) => days.includes(day))
  return { workday: !isWeekend(day) && !byLaw, provisional }
}

/**
 * The day on which a term of working days ends. The day it starts from does not count (domain 3.2); a term of 0 ends on it, worked or not.
 * @param from first day that does not count
 */
export function addWorkdays(calendar: Calendar, from: Day, workdays: number): ComputedDay {
  if (!Number.isInteger(workdays) || workdays < 0) throw new RangeError(`a term is a whole number of working days, not ${workdays}`)
  let day = from
  let provisional = false
  for (let left = workdays; left > 0;) {
    day = addDays(day, 1)
    const kind = dayKind(calendar, day)
    provisional ||= kind.provisional
    if (kind.workday) left -= 1
  }
  return { day, provisional, calendar: versionsTouched(calendar, from, day) }
}

/** Working days after `from`, up to and including `to`. */
export function workdaysBetween(calendar: Calendar, from: Day, to: Day): number {
  let count = 0
  for (let day = addDays(from, 1); day <= to; day = addDays(day, 1)) if (dayKind(calendar, day).workday) count += 1
  return count
}

/** A run of days off around a day, weekends that adjoin it included: merged holidays are one run. `undefined` when that day is worked. */
export function offRun(calendar: Calendar, anchor: Day): (Window & { readonly provisional: boolean, readonly calendar: readonly string[] }) | undefined {
  if (dayKind(calendar, anchor).workday) return undefined
  let [from, to] = [anchor, anchor]
  while (!dayKind(calendar, addDays(from, -1)).workday) from = addDays(from, -1)
  while (!dayKind(calendar, addDays(to, 1)).workday) to = addDays(to, 1)
  // The days that end the run decide it too.
  const [before, after] = [addDays(from, -1), addDays(to, 1)]
  let provisional = false
  for (let day = before; day <= after; day = addDays(day, 1)) provisional ||= dayKind(calendar, day).provisional
  return { from, to, provisional, calendar: versionsTouched(calendar, before, after) }
}

/** Year files that decide about the days from the first to the last, as `year.version`; a year without one is not in the list. */
export function versionsTouched(calendar: Calendar, from: Day, to: Day): string[] {
  const last = yearOf(to) + (to.slice(5, 7) === '12' ? 1 : 0)
  const touched: string[] = []
  for (let year = yearOf(from); year <= last; year += 1) {
    const version = calendar.years.get(year)
    if (version !== undefined) touched.push(`${year}.${version.version}`)
  }
  return touched
}

/** A day that one calendar works and another does not, and how each knows. */
export interface Moved {
  readonly day: Day
  readonly before: DayKind
  readonly after: DayKind
}

/** Every day that another version of the calendar answers differently, in order: what an amendment, or a new year's notice, changed. */
export function whatMoved(before: Calendar, after: Calendar): Moved[] {
  const years = [...new Set([...before.years.keys(), ...after.years.keys()])]
  const days = new Set<Day>([...before.arranged.keys(), ...after.arranged.keys(), ...years.flatMap((year) => [...statutoryHolidays(year).values()].flat())])
  return [...days].sort((a, b) => dayNumber(a) - dayNumber(b))
    .map((day) => ({ day, before: dayKind(before, day), after: dayKind(after, day) }))
    .filter((one) => one.before.workday !== one.after.workday)
}
