import { parseDay, parseInstant } from '@hub/schemas/read-time'
import { instantText } from '@hub/schemas/record-json'
import { halfWidth } from './cell.ts'

const DAY_MS = 86_400_000
const SHANGHAI_MS = 8 * 3_600_000
/** Day 0 of office serials, in days before 1970-01-01; right from 1900-03-01 on. */
const SERIAL_ZERO = 25_569
/** Serials of 2000-01-01 to 2100-12-31: other numbers are no dates. */
const SERIALS = [36_526, 73_415] as const

/** What contracts take: the years 1900 to 2100. */
const FIRST_DAY = parseDay('1900-01-01')!
const LAST_DAY = parseDay('2100-12-31')!

const WRITTEN = /^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T\s]*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?)?$/
const CLOCK = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$/
const COMPACT = /^(\d{4})(\d{2})(\d{2})日?$/
const EPOCH_MS = /^-?\d{12,15}$/
const SERIAL = /^\d{5}(?:\.\d+)?$/

/** Days that stand for none (domain reference 5.2). */
const SENTINEL_DAYS = new Set(['9999-09-09', '2099-12-31', '1900-01-01'])

/**
 * A time as sources write it, RFC 3339 in Asia/Shanghai. A day alone is its beginning; a time without an offset is Shanghai's. Read are `2026-03-05 08:00:00`, `2026/3/5`, `2026.3.5`,
 * `2026年3月5日 08:00`, `20260305`, `2026-03-05T00:00:00Z`, ms since 1970 and office serials. `undefined` = no time, or one that does not exist.
 */
export function instantOf(text: string): string | undefined {
  return usualInstant(text) ?? anyInstant(text)
}

/** `2026-03-05 08:00:00`, `2026/3/5 8:00`, `2026.3.5`: what most cells hold, read without a match and its pieces. */
function usualInstant(text: string): string | undefined {
  const separator = text.charCodeAt(4)
  const monthEnd = numberEnd(text, 5)
  const dayEnd = numberEnd(text, monthEnd + 1)
  if (separator < 0x2d || separator > 0x2f || text.charCodeAt(monthEnd) !== separator) return undefined
  const day = `${text.slice(0, 4)}-${twoDigits(text, 5, monthEnd)}-${twoDigits(text, monthEnd + 1, dayEnd)}`
  if (parseDay(day) === undefined || SENTINEL_DAYS.has(day)) return undefined
  if (dayEnd === text.length) return `${day}T00:00:00+08:00`
  const hourEnd = numberEnd(text, dayEnd + 1)
  const minuteEnd = numberEnd(text, hourEnd + 1)
  const secondEnd = minuteEnd === text.length ? minuteEnd : numberEnd(text, minuteEnd + 1)
  if (secondEnd !== text.length || text.charCodeAt(dayEnd) !== 0x20 || text.charCodeAt(hourEnd) !== 0x3a || (minuteEnd !== secondEnd && text.charCodeAt(minuteEnd) !== 0x3a)) return undefined
  const clock = `${twoDigits(text, dayEnd + 1, hourEnd)}:${twoDigits(text, hourEnd + 1, minuteEnd)}:${minuteEnd === secondEnd ? '00' : twoDigits(text, minuteEnd + 1, secondEnd)}`
  return CLOCK.test(clock) ? `${day}T${clock}+08:00` : undefined
}

/** Behind the one or two digits that stand at `from`. */
function numberEnd(text: string, from: number): number {
  const digits = isDigit(text.charCodeAt(from)) ? (isDigit(text.charCodeAt(from + 1)) ? 2 : 1) : 0
  return from + digits
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function twoDigits(text: string, from: number, to: number): string {
  return to - from === 1 ? `0${text[from]!}` : text.slice(from, to)
}

function anyInstant(text: string): string | undefined {
  const ms = epochOf(halfWidth(text).trim())
  if (ms === undefined) return undefined
  const days = Math.floor((ms + SHANGHAI_MS) / DAY_MS)
  if (days < FIRST_DAY || days > LAST_DAY) return undefined
  const instant = instantText(Math.floor(ms / 1000) * 1000)
  return SENTINEL_DAYS.has(instant.slice(0, 10)) ? undefined : instant
}

/** The day of that time in Asia/Shanghai, `YYYY-MM-DD`. */
export function dayOf(text: string): string | undefined {
  return instantOf(text)?.slice(0, 10)
}

/** Whether a cell says "no date" in the form of a date. */
export function isSentinelDate(text: string): boolean {
  if (SENTINEL_DAYS.has(text.slice(0, 10))) return true
  if (!EPOCH_MS.test(text)) return false
  const day = new Date(Number(text) + SHANGHAI_MS)
  return Number.isNaN(day.getTime()) || SENTINEL_DAYS.has(day.toISOString().slice(0, 10))
}

function epochOf(text: string): number | undefined {
  const written = WRITTEN.exec(text) ?? COMPACT.exec(text)
  if (written !== null) {
    const [, year, month, day, hour = '0', minute = '0', second = '0'] = written
    const days = parseDay(`${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}`)
    if (days === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
    return days * DAY_MS + (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000 - SHANGHAI_MS
  }
  if (EPOCH_MS.test(text)) return Number(text)
  if (SERIAL.test(text)) {
    const serial = Number(text)
    return serial < SERIALS[0] || serial > SERIALS[1] ? undefined : Math.round((serial - SERIAL_ZERO) * DAY_MS) - SHANGHAI_MS
  }
  return parseInstant(text)
}
