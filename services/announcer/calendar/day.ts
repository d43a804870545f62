import { parseDay } from '@hub/schemas/read-time'
import { dateText } from '@hub/schemas/record-json'

/** A day of the civil calendar, `YYYY-MM-DD`; in this service always one of Asia/Shanghai. */
export type Day = string

/** @throws RangeError when the text is no day that exists between 1900 and 2100 */
export function dayNumber(day: Day): number {
  const number = parseDay(day)
  if (number === undefined) throw new RangeError(`${day} is not a day: YYYY-MM-DD, from 1900 to 2100`)
  return number
}

export function addDays(day: Day, days: number): Day {
  return dateText(dayNumber(day) + days)
}

/** Days from the first to the second; negative when the second comes first. */
export function daysBetween(from: Day, to: Day): number {
  return dayNumber(to) - dayNumber(from)
}

/** Every day from the first to the last, both inside; none when the last comes first. */
export function daysFrom(from: Day, to: Day): Day[] {
  const first = dayNumber(from)
  return Array.from({ length: Math.max(0, dayNumber(to) - first + 1) }, (_, i) => dateText(first + i))
}

export function yearOf(day: Day): number {
  return Number(day.slice(0, 4))
}

/** 1970-01-01 was a Thursday. */
export function isWeekend(day: Day): boolean {
  const sinceMonday = (((dayNumber(day) + 3) % 7) + 7) % 7
  return sinceMonday >= 5
}
