import type { CampaignId } from '../campaigns.ts'
import type { Statement } from '../edition/model.ts'
import type { Bulletin } from './bulletins.ts'
import type { CountRow, DefinitionRef } from './model.ts'
import type { QuotedRow } from './quoted.ts'

/** One year of a series: out of an edition of the hub, or out of a bulletin from before it. */
export interface SeriesPoint {
  readonly year: number
  readonly edition: number | null
  readonly demo: boolean
  readonly row: CountRow | QuotedRow
}

/** Numbers that do not mean the same thing are not put in one row. */
export class MixedDefinitions extends Error {
  readonly definitions: readonly DefinitionRef[]
  constructor(definitions: readonly DefinitionRef[]) {
    super(`口径不同，不能并列比较：${definitions.join('、')} / numbers of different definitions make no series: ${definitions.join(', ')}`)
    this.name = 'MixedDefinitions'
    this.definitions = definitions
  }
}

/**
 * A campaign's counts over the years, one definition alone: the one asked for, else the headline of every year.
 * @param statements the newest edition of each year
 * @throws MixedDefinitions when the headlines mean different things
 */
export function seriesOf(campaign: CampaignId, statements: readonly Statement[], bulletins: readonly Bulletin[], definition?: DefinitionRef): SeriesPoint[] {
  const chosen = <T extends CountRow>(rows: readonly T[]): T[] => (definition === undefined ? rows.slice(0, 1) : rows.filter((row) => row.definition === definition))
  const points = [
    ...bulletins.filter((one) => one.campaign === campaign).flatMap(({ year, rows }) => chosen(rows).map((row): SeriesPoint => ({ year, edition: null, demo: false, row }))),
    ...statements.filter((one) => one.campaign === campaign).flatMap(({ year, edition, demo, figures }) => chosen(figures?.counts ?? []).map((row): SeriesPoint => ({ year, edition, demo, row }))),
  ]
  const definitions = [...new Set(points.map(({ row }) => row.definition))]
  if (definitions.length > 1) throw new MixedDefinitions(definitions.sort())
  return points.sort((a, b) => a.year - b.year)
}
