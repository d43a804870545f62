import { addDays, daysBetween, daysFrom, yearOf, type Day } from '../calendar/day.ts'
import { anchorsOf } from '../calendar/statutory.ts'
import type { Window } from './model.ts'

export function isIn(window: Window, day: Day): boolean {
  return day >= window.from && day <= window.to
}

export function lengthOf(window: Window): number {
  return daysBetween(window.from, window.to) + 1
}

/** Days of a window and their counterparts of the year before, as far as both windows have them. */
export interface PairedDays {
  readonly current: ReadonlySet<Day>
  readonly earlier: ReadonlySet<Day>
}

/** Lunar: a day's counterpart is as far from lunar day 1 of its year. Date: it is the same day of the same month; 29 February has none. */
export function pairDays(current: Window, earlier: Window, alignment: 'lunar' | 'date'): PairedDays {
  const place = alignment === 'lunar' ? fromNewYear : (day: Day) => day.slice(5)
  const places = new Map(daysFrom(earlier.from, earlier.to).map((day) => [place(day), day]))
  const pairs = daysFrom(current.from, current.to).flatMap((day) => {
    const counterpart = places.get(place(day))
    return counterpart === undefined ? [] : [[day, counterpart] as const]
  })
  return { current: new Set(pairs.map(([day]) => day)), earlier: new Set(pairs.map(([, day]) => day)) }
}

function fromNewYear(day: Day): number {
  const newYear = anchorsOf(yearOf(day))?.springFestival
  if (newYear === undefined) throw new RangeError(`no lunar new year is known for ${yearOf(day)}`)
  return daysBetween(newYear, day)
}

/** The twelve months before a day, that day not in them: for 2026-02-25 they are 2025-02-25 to 2026-02-24. */
export function twelveMonthsBefore(day: Day): Window {
  return { from: sameDayOf(yearOf(day) - 1, day), to: addDays(day, -1) }
}

/** The day of the same name in another year; 29 February becomes 28 February. */
export function sameDayOf(year: number, day: Day): Day {
  const leapDay = day.slice(5) === '02-29'
  return leapDay && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) ? `${year}-02-28` : `${year}${day.slice(4)}`
}
