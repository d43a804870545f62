import { readFileSync } from 'node:fs'
import { isIdentityShaped } from '@hub/schemas/identity'
import { GB_CODES, REGIONS, type DataStream, type Region } from '@hub/schemas/streams'
import { normaliseUscc } from '@hub/schemas/uscc'

/** One line of a sample: an event in the form a publisher sends it. */
export interface SampleLine {
  readonly stream: DataStream
  readonly event: Event
}

export interface Event extends Readonly<Record<string, unknown>> {
  readonly recordId: string
  readonly kind: string
  readonly occurredOn: string
  readonly recordedAt: string
}

export type Row = Readonly<Record<string, string>>

export function readText(path: string, encoding: 'utf-8' | 'gb18030' = 'utf-8'): string {
  return new TextDecoder(encoding, { fatal: true }).decode(readFileSync(path))
}

/** Rows of a CSV by the names of its header; quoted cells may hold commas, quotes and line ends. */
export function readCsv(path: string, encoding: 'utf-8' | 'gb18030' = 'utf-8'): Row[] {
  const [header = [], ...rows] = cells(readText(path, encoding))
  return rows.map((row) => Object.fromEntries(header.map((name, i) => [name, (row[i] ?? '').trim()])))
}

function cells(text: string): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    if (end === '' && quoted === undefined && plain === '' && row.length === 0) break
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}

/** What the sources write where they have nothing. */
const NOTHING = new Set(['', '\\N', '暂无', '9999-09-09', '2099-12-31', '1900-01-01 00:00:00'])

/** A cell with something in it. */
export function given(cell: string | number | null | undefined): string | undefined {
  const text = String(cell ?? '').trim()
  return NOTHING.has(text) ? undefined : text
}

const TIME = /^(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?(?:[T ](\d{1,2}):(\d\d)(?::(\d\d))?(Z?))?$/

/** RFC 3339 in Asia/Shanghai of any of the sources' times; a day alone is its beginning. Undefined for no time, or one that does not exist. */
export function instant(cell: string | number | undefined): string | undefined {
  const ms = typeof cell === 'number' ? cell : epoch(cell)
  return ms === undefined ? undefined : `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`
}

/** The day of that time in Asia/Shanghai, `YYYY-MM-DD`. */
export function day(cell: string | number | undefined): string | undefined {
  return instant(cell)?.slice(0, 10)
}

function epoch(cell: string | undefined): number | undefined {
  const match = TIME.exec(given(cell) ?? '')
  if (match === null) return undefined
  const [year, month, date, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [number, number, number, number, number, number]
  const utc = Date.UTC(year, month - 1, date, hour, minute, second)
  if (new Date(utc).getUTCMonth() !== month - 1) return undefined
  return match[7] === 'Z' ? utc : utc - 8 * 3_600_000
}

/** Fen of an amount in yuan. */
export function fen(cell: string | number | null | undefined): number | undefined {
  const text = given(cell)
  return text === undefined ? undefined : Math.round(Number(text.replace(/[,元]/g, '')) * 100)
}

/** A credit code as the hub has it; undefined for none, and for what may be a person's number. */
export function uscc(cell: string | undefined): string | undefined {
  const text = given(cell)
  return text === undefined || isIdentityShaped(text, '2026-04-01') ? undefined : normaliseUscc(text)?.code
}

/** A firm as contracts have it; where its division is not told, the code has that of its registration (GB 32100, places 3 to 8). */
export function party(name: string | undefined, code: string | undefined, division: string | undefined): Readonly<Record<string, string>> | undefined {
  const known = { name: given(name), uscc: uscc(code) }
  if (known.name === undefined && known.uscc === undefined) return undefined
  const place = divisionOf(division) ?? divisionOf(known.uscc?.slice(2, 8))
  const entityType = known.uscc === undefined ? undefined : ENTITY_TYPES[known.uscc.slice(0, 2)]
  return present({ ...known, division: place, region: place === undefined ? undefined : regionOf(place), entityType })
}

const ENTITY_TYPES: Readonly<Record<string, string>> = { 91: 'enterprise', 92: 'sole-trader', 93: 'cooperative' }

export function divisionOf(cell: string | undefined): string | undefined {
  const text = given(cell)
  return text !== undefined && /^[1-9]\d{5}$/.test(text) ? text : undefined
}

export function regionOf(division: string): Region | 'other' {
  return REGIONS.find((region) => division.startsWith(GB_CODES[region])) ?? 'other'
}

/** Without the fields that are not there. */
export function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> }
}

/** Every n-th key so that about `count` are left, in their order. */
export function spread<T>(keys: readonly T[], count: number): T[] {
  const step = keys.length / count
  return keys.filter((_, i) => step <= 1 || Math.floor(i / step) !== Math.floor((i - 1) / step))
}
