import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Day } from '../calendar/day.ts'
import type { Cells } from './cells.ts'

/** The first day of which a region has complaints, and tallies; `null` = it has none. What begins later than a window cannot be compared with it. */
export type Beginnings = Readonly<Record<Region, { readonly complaints: Day | null, readonly tallies: Day | null }>>

/** As the cells themselves say, where they are all that a region has. */
export function beginningsOf({ days, tallies }: Cells): Beginnings {
  const complaints = firstDays(days)
  const tallied = firstDays(tallies)
  return Object.fromEntries(REGIONS.map((region) => [region, { complaints: complaints.get(region) ?? null, tallies: tallied.get(region) ?? null }])) as Beginnings
}

function firstDays(cells: readonly { readonly region: Region, readonly day: Day }[]): Map<Region, Day> {
  const first = new Map<Region, Day>()
  for (const { region, day } of cells) {
    const known = first.get(region)
    if (known === undefined || day < known) first.set(region, day)
  }
  return first
}
