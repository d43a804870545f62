import { innerCheckHolds, normaliseCode, outerCheckHolds } from './uscc.ts'

const LENGTH = 18
const DIGITS = 17
const EARLIEST = '19000101'
const IDENTITY = /^\d{17}[\dX]$/
const WRITTEN = /^[\dA-Z]{18}$/
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * True for a value that may be a person's identity number: 17 digits and a digit or X, a date from 1900 to `today` (`YYYY-MM-DD`) at 7–14,
 * and not a code that passes both USCC checks. Case, width, spaces and hyphens do not matter. Its own check digit is not asked: a
 * number with a typing error is personal data too.
 */
export function isIdentityShaped(text: string, today: string): boolean {
  if (text.length < LENGTH) return false
  // A credit code as it should be written: there is nothing to normalise.
  if (WRITTEN.test(text) && !IDENTITY.test(text)) return false
  const code = IDENTITY.test(text) ? text : normaliseCode(text)
  return isIdentity(code, today)
}

/**
 * True for a text in which an identity-shaped number stands as an unbroken run: exactly 18 digits, or 17 and an X, whatever is around them.
 * Longer runs of digits (order numbers) are none, and groups with hyphens between them are not joined: `330100-20240315-0012` is how
 * offices number their records. Costs next to nothing where no such run can be.
 */
export function containsIdentity(text: string, today: string): boolean {
  // A run of 17 digits covers one of every 17 neighbouring places.
  for (let probe = DIGITS - 1; probe < text.length; probe += DIGITS) {
    if (!isDigit(text.charCodeAt(probe))) continue
    let start = probe
    while (start > 0 && isDigit(text.charCodeAt(start - 1))) start--
    let end = probe + 1
    while (end < text.length && isDigit(text.charCodeAt(end))) end++
    if (end - start === DIGITS && isX(text.charCodeAt(end))) end++
    if (end - start === LENGTH && isIdentity(normaliseCode(text.slice(start, end)), today)) return true
    probe = end - 1
  }
  return false
}

function isIdentity(code: string, today: string): boolean {
  return IDENTITY.test(code) && isPlausible(code.slice(6, 14), today.replaceAll('-', '')) && !(outerCheckHolds(code) && innerCheckHolds(code))
}

/** `YYYYMMDD` of a day that exists, not before 1900 and not after `today` in the same form. */
function isPlausible(day: string, today: string): boolean {
  if (day < EARLIEST || day > today) return false
  const year = Number(day.slice(0, 4))
  const month = Number(day.slice(4, 6))
  const date = Number(day.slice(6))
  if (date < 1 || date > (MONTH_DAYS[month - 1] ?? 0)) return false
  return month !== 2 || date < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))
}

function isDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 0xff10 && code <= 0xff19)
}

/** X, x and their full-width forms. */
function isX(code: number): boolean {
  return code === 0x58 || code === 0x78 || code === 0xff38 || code === 0xff58
}
