import type { Region } from '@hub/schemas/streams'
import { readFileSync } from 'node:fs'
import type { CampaignId } from '../campaigns.ts'
import type { Day } from '../calendar/day.ts'
import type { DefinitionId } from './definitions.ts'
import { quoted, type QuotedRow } from './quoted.ts'

/** What the four bureaus published before the hub, as printed. */
export interface Bulletin {
  readonly campaign: CampaignId
  readonly year: number
  readonly publishedOn: Day
  readonly source: string
  /** The headline first. */
  readonly rows: readonly QuotedRow[]
}

interface Printed extends Omit<Bulletin, 'rows'> {
  readonly rows: readonly { readonly definition: DefinitionId, readonly regions: Readonly<Record<Region, number>> | null, readonly total: number }[]
}

export const BULLETINS: readonly Bulletin[] = (JSON.parse(readFileSync(new URL('../bulletins.json', import.meta.url), 'utf8')) as readonly Printed[])
  .map(({ rows, ...head }) => ({ ...head, rows: rows.map(({ definition, regions, total }) => quoted(definition, head.source, regions, total)) }))
