/** The 31 characters of GB 32100 in the order of their values: digits and capitals without I, O, S, V and Z. */
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const OUTER_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]
const INNER_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2]
const LENGTH = 18
const INNER_START = 8

/** Value of a character in the outer check, by ASCII code; -1 = not in the alphabet. */
const OUTER = Int8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)))
/** Value of a character in the inner check: 0–9, then A = 10 … Z = 35. */
const INNER = Int8Array.from({ length: 128 }, (_, code) => (code >= 48 && code <= 57 ? code - 48 : code >= 65 && code <= 90 ? code - 55 : -1))

/** What people type between the groups of a code: spaces, line ends, hyphens and dashes, narrow and wide, zero-width characters. */
const SEPARATOR = /[\s\-\u00ad\u200b-\u200d\u2010-\u2015\u2212\u2060\ufeff\uff0d]/g

/**
 * A unified social credit code in its one written form: upper-case, half-width, without spaces, tabs and hyphens. `undefined` unless that
 * leaves 18 characters of the code's alphabet. `valid` = both check characters hold; genuinely issued codes fail (domain reference 2.1), so a
 * code that is not valid is flagged and kept.
 */
export function normaliseUscc(raw: string): { code: string; valid: boolean } | undefined {
  const written = isWritten(raw)
  const code = written ? raw : normaliseCode(raw)
  if (!written && !isWritten(code)) return undefined
  return { code, valid: outerCheckHolds(code) && innerCheckHolds(code) }
}

/** Upper-case, half-width, without separators; whatever else stands in it stays. */
export function normaliseCode(raw: string): string {
  return raw
    .replace(SEPARATOR, '')
    .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .toUpperCase()
}

/** Character 18 by GB 32100-2015, of 18 characters in written form. */
export function outerCheckHolds(code: string): boolean {
  let sum = 0
  for (let at = 0; at < LENGTH - 1; at++) sum += valueOf(OUTER, code, at) * OUTER_WEIGHTS[at]!
  return valueOf(OUTER, code, LENGTH - 1) === (31 - (sum % 31)) % 31
}

/** Character 17 by GB 11714: the check of the organisation code in positions 9–17. */
export function innerCheckHolds(code: string): boolean {
  let sum = 0
  for (let at = 0; at < INNER_WEIGHTS.length; at++) sum += valueOf(INNER, code, INNER_START + at) * INNER_WEIGHTS[at]!
  const check = 11 - (sum % 11)
  return code[LENGTH - 2] === (check === 11 ? '0' : check === 10 ? 'X' : String(check))
}

function isWritten(text: string): boolean {
  if (text.length !== LENGTH) return false
  for (let at = 0; at < LENGTH; at++) if (valueOf(OUTER, text, at) < 0) return false
  return true
}

function valueOf(values: Int8Array, text: string, at: number): number {
  return values[text.charCodeAt(at)] ?? -1
}
