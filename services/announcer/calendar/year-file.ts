import { parseDay } from '@hub/schemas/read-time'
import { addDays, daysBetween, daysFrom, isWeekend, yearOf, type Day } from './day.ts'
import { HOLIDAYS, statutoryDays, statutoryHolidays, type Holiday } from './statutory.ts'

/** The holidays of one year as the State Council arranged them: one version per notice, the newest last. Days of the December before may be in it. */
export interface YearFile {
  readonly year: number
  readonly versions: readonly YearVersion[]
}

export interface YearVersion {
  /** 1, 2, …: an amendment during the year is a version of its own, with everything in it. */
  readonly version: number
  /** What an amendment changed; absent in version 1. */
  readonly change?: string
  /** Every notice that this version rests on; the newest last, on whose date the version began to be known. */
  readonly papers: readonly Paper[]
  readonly holidays: readonly Arrangement[]
}

export interface Paper {
  /** 发文字号 */
  readonly number: string
  readonly title: string
  readonly issuedOn: Day
}

/** One sentence of a notice: days off from `from` to `to`, and the days of weekends that are worked for them. */
export interface Arrangement {
  /** More than one when holidays are merged. */
  readonly names: readonly Holiday[]
  readonly from: Day
  readonly to: Day
  /** 共 N 天 */
  readonly days: number
  readonly makeUpWorkdays: readonly Day[]
}

/** A year file that cannot be what a notice said. Nothing is computed with it. */
export class YearFileRefused extends Error {
  readonly problems: readonly string[]
  constructor(name: string, problems: readonly string[]) {
    super(`节假日文件 ${name} 不可用，请对照国务院办公厅通知更正 / the year file ${name} is refused, compare it with the notice: ${problems.join('; ')}`)
    this.name = 'YearFileRefused'
    this.problems = problems
  }
}

/**
 * Reads a year file, refusing one with a hole: a holiday that is not arranged, a day of the law that is worked, a run that does not have the
 * days it states, make-up days that do not add up to what the law gives.
 * @throws YearFileRefused with everything that is wrong
 */
export function readYearFile(name: string, json: unknown): YearFile {
  const file = json as YearFile
  const problems = shapeProblems(file)
  if (problems.length > 0) throw new YearFileRefused(name, problems)
  if (name !== `${file.year}.json`) problems.push(`is of the year ${file.year}`)
  for (const [at, version] of file.versions.entries()) {
    if (version.version !== at + 1) problems.push(`version ${version.version} stands where ${at + 1} belongs`)
    problems.push(...versionProblems(file.year, version, file.versions[at - 1]).map((problem) => `version ${version.version}: ${problem}`))
  }
  if (problems.length > 0) throw new YearFileRefused(name, problems)
  return file
}

function shapeProblems(file: YearFile): string[] {
  const problems: string[] = []
  if (!Number.isInteger(file?.year)) problems.push('year is missing')
  if (!Array.isArray(file?.versions) || file.versions.length === 0) return [...problems, 'versions are missing']
  for (const [at, version] of file.versions.entries()) {
    const where = `version ${at + 1}`
    if (!Array.isArray(version?.papers) || version.papers.length === 0) problems.push(`${where}: no notice is named`)
    for (const paper of version?.papers ?? []) if (!paper?.number || !paper.title || !isDay(paper.issuedOn)) problems.push(`${where}: a notice lacks number, title or date`)
    if (!Array.isArray(version?.holidays)) problems.push(`${where}: holidays are missing`)
    for (const one of version?.holidays ?? []) {
      const fits = Array.isArray(one?.names) && one.names.length > 0 && isDay(one.from) && isDay(one.to) && Number.isInteger(one.days) && Array.isArray(one.makeUpWorkdays) && one.makeUpWorkdays.every(isDay)
      if (!fits) problems.push(`${where}: an arrangement lacks names, days or make-up workdays`)
    }
  }
  return problems
}

function versionProblems(year: number, version: YearVersion, before: YearVersion | undefined): string[] {
  const problems: string[] = []
  const law = statutoryHolidays(year)
  const off = new Set<Day>()
  const worked = new Set<Day>()
  for (const { names, from, to, days, makeUpWorkdays } of version.holidays) {
    const title = names.join('、')
    const run = daysFrom(from, to)
    if (daysBetween(from, to) + 1 !== days) problems.push(`${title} has ${run.length} days, not ${days}`)
    for (const day of run) off.has(day) ? problems.push(`${day} is off twice`) : off.add(day)
    for (const day of makeUpWorkdays) worked.has(day) ? problems.push(`${day} is worked twice`) : worked.add(day)
    for (const name of names) for (const day of law.get(name) ?? []) if (!run.includes(day)) problems.push(`${name}: ${day} is a day off by law and is left out`)
  }
  const arranged = version.holidays.flatMap(({ names }) => names)
  for (const name of HOLIDAYS) if (!arranged.includes(name)) problems.push(`${name} is not arranged`)
  if (new Set(arranged).size !== arranged.length) problems.push('a holiday is arranged twice')
  for (const name of arranged) if (!HOLIDAYS.includes(name)) problems.push(`${name} is no holiday of the law`)
  for (const day of worked) {
    if (!isWeekend(day)) problems.push(`${day} is a weekday: it is worked without being said`)
    if (off.has(day)) problems.push(`${day} is off and worked`)
  }
  for (const day of [...off, ...worked]) if (yearOf(day) !== year && day < `${year - 1}-12-01`) problems.push(`${day} is not in this year nor in the December before`)
  for (const day of [...off, ...worked]) if (yearOf(day) > year) problems.push(`${day} is not in this year nor in the December before`)

  // What is off on weekdays is given by law or made up for on weekends; only an extension gives more.
  const given = [...off].filter((day) => !isWeekend(day)).length - worked.size
  if (before === undefined ? given !== statutoryDays(year) : given < statutoryDays(year)) problems.push(`days off less make-up workdays are ${given}, the law gives ${statutoryDays(year)}`)
  if (before !== undefined) {
    if (!version.change) problems.push('an amendment says what it changed')
    if (issuedOn(version) < issuedOn(before)) problems.push('the amendment is older than what it amends')
  }
  return problems
}

/** When a version began to be known: the date of its newest notice. */
export function issuedOn(version: YearVersion): Day {
  return version.papers.at(-1)!.issuedOn
}

function isDay(value: unknown): boolean {
  return typeof value === 'string' && parseDay(value) !== undefined
}

/** The days of a version, off or worked against the weekend. */
export function arrangedDays(version: YearVersion): ReadonlyMap<Day, boolean> {
  const days = new Map<Day, boolean>()
  for (const { from, to, makeUpWorkdays } of version.holidays) {
    for (let day = from; day <= to; day = addDays(day, 1)) days.set(day, false)
    for (const day of makeUpWorkdays) days.set(day, true)
  }
  return days
}
