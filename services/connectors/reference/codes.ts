import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'
import type { Region } from '@hub/schemas/streams'

const DOMAINS = ['issue', 'object', 'channel', 'state', 'type'] as const
export type Domain = (typeof DOMAINS)[number]

/** National code by local code; null = the local code is known and has none. */
export type Codes = Readonly<Record<Domain, ReadonlyMap<string, string | null>>>

/** Stands with records whose codes were mapped by these tables. */
export const CODE_VERSION = '2026-03'

/**
 * The code table of a region (`codes/<region>.csv`): columns `domain, local_code, local_name, national_code, …`. Codes that were retired stay in it, for old records.
 */
export function codesOf(region: Region): Codes {
  const rows = parse<Record<string, string>>(readFileSync(new URL(`codes/${region}.csv`, import.meta.url)), { columns: true })
  return Object.fromEntries(DOMAINS.map((domain) => [domain, new Map(rows.filter((row) => row['domain'] === domain).map((row) => [row['local_code']!, row['national_code'] || null]))])) as Record<Domain, Map<string, string | null>>
}
