import { readFileSync } from 'node:fs'
import { addDays, daysFrom, type Day } from './day.ts'

/** Days of a year that the moon and the sun give. */
export interface Anchors {
  /** Day 1 of the lunar year. */
  readonly springFestival: Day
  readonly qingming: Day
  readonly dragonBoat: Day
  readonly midAutumn: Day
}

export const HOLIDAYS = ['元旦', '春节', '清明节', '劳动节', '端午节', '中秋节', '国庆节'] as const
export type Holiday = (typeof HOLIDAYS)[number]

const ANCHORS: Readonly<Record<string, Anchors>> = JSON.parse(readFileSync(new URL('anchors.json', import.meta.url), 'utf8')).years

/** Since then a year has 13 days: the eve of the Spring Festival and 2 May came in (全国年节及纪念日放假办法, 4th revision of 2024-11-10). */
const FIRST_YEAR_OF_13 = 2025

/** `undefined` for a year that the table does not reach (2019 to 2030). */
export function anchorsOf(year: number): Anchors | undefined {
  return ANCHORS[year]
}

/** How many days off the law gives a year; two on one day count twice, because both are made up for. */
export function statutoryDays(year: number): number {
  return year >= FIRST_YEAR_OF_13 ? 13 : 11
}

/** Days off by the law alone, before a notice arranges the days around them. Without anchors those of the solar calendar. */
export function statutoryHolidays(year: number): ReadonlyMap<Holiday, readonly Day[]> {
  const anchors = anchorsOf(year)
  const thirteen = year >= FIRST_YEAR_OF_13
  const days = new Map<Holiday, readonly Day[]>([
    ['元旦', [`${year}-01-01`]],
    ['劳动节', thirteen ? [`${year}-05-01`, `${year}-05-02`] : [`${year}-05-01`]],
    ['国庆节', daysFrom(`${year}-10-01`, `${year}-10-03`)],
  ])
  if (anchors === undefined) return days
  const newYear = anchors.springFestival
  return days
    .set('春节', daysFrom(thirteen ? addDays(newYear, -1) : newYear, addDays(newYear, 2)))
    .set('清明节', [anchors.qingming]).set('端午节', [anchors.dragonBoat]).set('中秋节', [anchors.midAutumn])
}
