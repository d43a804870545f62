import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { divisionName, placeAtStart } from './divisions.ts'

/** A bureau as events name it. `code` and `name` are of the register, where it is in it. */
export interface Authority {
  readonly code?: string
  readonly name?: string
  readonly rawName: string
}

/**
 * The register: every division has one market-regulation bureau, whose code is the division's. `authority-aliases.csv` holds what a name does not tell: bureaus
 * that were renamed or merged, and the short forms that systems use.
 */
const aliases = new Map(parse<Record<string, string>>(readFileSync(new URL('authority-aliases.csv', import.meta.url)), { columns: true }).map((row) => [row['alias']!, row['code']!]))

const BUREAU = /^(.+?)(?:市场监督管理局|市场监管局)$/

/** Names seen lately: the same few hundred come again and again. */
const seen = new Map<string, Authority>()
const MAX_SEEN = 5_000

/** Resolves the name of a bureau; one that is not in the register keeps its own text and has no code. */
export function authorityOf(rawName: string): Authority {
  const known = seen.get(rawName)
  if (known !== undefined) return known
  const code = aliases.get(rawName) ?? codeOf(rawName)
  const authority = code === undefined ? { rawName } : { code, name: `${fullName(code)}市场监督管理局`, rawName }
  if (seen.size >= MAX_SEEN) seen.clear()
  // A copy: the name is cut out of a piece of the file, which would stay in memory with it.
  const name = Buffer.from(rawName).toString()
  seen.set(name, { ...authority, rawName: name })
  return authority
}

/** The bureau that the title of a notice begins with, where the register has it. */
export function authorityIn(title: string): Authority | undefined {
  const name = /^.+?(?:市场监督管理局|市场监管局)/.exec(title)?.[0]
  if (name === undefined) return undefined
  const authority = authorityOf(name)
  return authority.code === undefined ? undefined : authority
}

function codeOf(rawName: string): string | undefined {
  const place = BUREAU.exec(rawName)?.[1]
  if (place === undefined) return undefined
  const found = placeAtStart(place)
  return found?.length === place.length ? found.code : undefined
}

/** As bureaus call themselves: a district with its city, a county and a county-level city alone. */
function fullName(code: string): string {
  const name = divisionName(code)!
  if (!name.endsWith('区')) return name
  return `${divisionName(`${code.slice(0, 4)}00`) ?? divisionName(`${code.slice(0, 2)}0000`)!}${name}`
}
