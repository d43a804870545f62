import type { ColumnValue, PgType } from './tables.ts'

/** Longest text of a typed column: an index entry of PostgreSQL holds 2 704 bytes. */
const LONGEST = 600
const INT4 = 2_147_483_647
const DAY = /^\d{4}-\d{2}-\d{2}$/
const YEAR_10000_MS = 253_402_300_800_000

/** Whether PostgreSQL takes this value: what it would refuse is a bad event, not a failing database. */
export function isStorable(pgType: PgType, value: ColumnValue): boolean {
  if (value === null) return true
  switch (pgType) {
    case 'text':
      return isStorableText(value as string)
    case 'numeric':
      return /^-?\d{1,100}(\.\d{1,100})?$/.test(value as string)
    case 'int8':
      return Number.isSafeInteger(value)
    case 'int4':
      return isInt4(value as number)
    case 'bool':
      return true
    case 'date':
      return DAY.test(value as string)
    case 'timestamptz':
      return isInstant(value as number)
  }
}

export function isStorableText(text: string): boolean {
  return text.length <= LONGEST && !text.includes('\0')
}

const LONGS = new Set(['version', 'nextOffset', 'offset', 'lastSequence', 'rows'])
const INSTANTS = new Set(['at', 'declaredSince', 'baselineCompleteAt', 'redrivenAt', 'cutAt', 'lastHandOverAt'])

/** The same for a whole technical event: every text, number and time in it is stored. */
export function isStorableTechnical(value: unknown, name = ''): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value === 'number') return INSTANTS.has(name) ? isInstant(value) : LONGS.has(name) ? Number.isSafeInteger(value) && value >= 0 : isInt4(value)
  if (Buffer.isBuffer(value) || value === null || typeof value === 'boolean') return true
  if (Array.isArray(value)) return value.every((item) => isStorableTechnical(item, name))
  return Object.entries(value as object).every(([field, inner]) => isStorableTechnical(inner, field))
}

function isInt4(value: number): boolean {
  return Number.isInteger(value) && value >= -INT4 && value <= INT4
}

function isInstant(value: number): boolean {
  return Number.isSafeInteger(value) && value >= -YEAR_10000_MS / 4 && value < YEAR_10000_MS
}
