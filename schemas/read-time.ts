const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const DAY_MS = 86_400_000
/** Asia/Shanghai keeps one offset all year. */
const SHANGHAI_MS = 8 * 3_600_000
const FIRST_YEAR = 1900
const LAST_YEAR = 2100
const INSTANT = /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Days since 1970-01-01 of a `YYYY-MM-DD` that exists, from 1900 to 2100. */
export function parseDay(text: string): number | undefined {
  return text.length === 10 ? dayAt(text) : undefined
}

/** The same of a text that begins with a day. */
function dayAt(text: string): number | undefined {
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return undefined
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  const day = digits(text, 8, 10)
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month))) return undefined
  return daysBefore(year, month) + day - 1
}

/** ms UTC of an RFC 3339 time with an offset, in the years 1900 to 2100; parts of a millisecond are cut off. */
export function parseInstant(text: string): number | undefined {
  return parseUsual(text) ?? parseAny(text)
}

/** `2026-03-15T09:30:00+08:00`, the form that nearly all have: without a match and its pieces, which cost more than the reading. */
function parseUsual(text: string): number | undefined {
  if (text.length !== 25 || text.charCodeAt(10) !== 84 || text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58 || !text.endsWith('+08:00')) return undefined
  const day = dayAt(text)
  const hour = digits(text, 11, 13)
  const minute = digits(text, 14, 16)
  const second = digits(text, 17, 19)
  return day === undefined || !(hour <= 23 && minute <= 59 && second <= 59) ? undefined : day * DAY_MS + (hour * 3600 + minute * 60 + second) * 1000 - SHANGHAI_MS
}

function parseAny(text: string): number | undefined {
  const match = INSTANT.exec(text)
  if (match === null) return undefined
  const day = parseDay(match[1]!)
  const [hour, minute, second] = [Number(match[2]), Number(match[3]), Number(match[4])]
  const [offsetHours, offsetMinutes] = [Number(match[7] ?? 0), Number(match[8] ?? 0)]
  if (day === undefined || hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return undefined
  const offset = (offsetHours * 60 + offsetMinutes) * (match[6] === '-' ? -60_000 : 60_000)
  const ms = match[5] === undefined ? 0 : Number(match[5].slice(0, 3).padEnd(3, '0'))
  return day * DAY_MS + (hour * 3600 + minute * 60 + second) * 1000 + ms - offset
}

/** Days since 1970-01-01 of the day that an instant (ms UTC) has in Asia/Shanghai. */
export function shanghaiDay(instant: number): number {
  return Math.floor((instant + SHANGHAI_MS) / DAY_MS)
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return NaN
    value = value * 10 + digit
  }
  return value
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function daysOf(year: number, month: number): number {
  return month === 2 && isLeap(year) ? 29 : MONTH_DAYS[month - 1]!
}

/** Days from 1970-01-01 to the first of a month. */
function daysBefore(year: number, month: number): number {
  const before = year - 1
  let days = before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162
  for (let earlier = 1; earlier < month; earlier++) days += daysOf(year, earlier)
  return days
}
