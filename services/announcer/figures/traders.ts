import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Cells } from './cells.ts'
import type { TraderRow, Window } from './model.ts'
import { isIn } from './windows.ts'

/** A code of this kind is a sole trader's, who is a person (GB 32100: registered by market regulation, kind 2). */
const SOLE_TRADER = '92'

interface Sum {
  counted: number
  accepted: number
  settled: number
  terminated: number
  /** Counted complaints by the name they use. */
  readonly names: Map<string, number>
  /** Accepted complaints by region. */
  readonly regions: Map<Region, number>
}

/**
 * The firms that the list names: at least `minimum` accepted complaints in the window, the regions together, most of them first, ties by
 * counted complaints, then by code.
 */
export function traderRows(cells: Pick<Cells, 'traders'>, window: Window, minimum: number, present: readonly Region[]): TraderRow[] {
  const sums = new Map<string, Sum>()
  for (const { region, day, uscc, name, counted, accepted, settled, terminated } of cells.traders) {
    if (!isIn(window, day) || !present.includes(region) || uscc.startsWith(SOLE_TRADER)) continue
    let sum = sums.get(uscc)
    if (sum === undefined) sums.set(uscc, sum = { counted: 0, accepted: 0, settled: 0, terminated: 0, names: new Map(), regions: new Map() })
    sum.counted += counted
    sum.accepted += accepted
    sum.settled += settled
    sum.terminated += terminated
    if (name !== null) sum.names.set(name, (sum.names.get(name) ?? 0) + counted)
    sum.regions.set(region, (sum.regions.get(region) ?? 0) + accepted)
  }
  return [...sums].filter(([, { accepted }]) => accepted >= minimum)
    .map(([uscc, { names, regions, counted, accepted, settled, terminated }]) => (
      { uscc, name: mostUsed(names) ?? uscc, regions: REGIONS.filter((region) => (regions.get(region) ?? 0) > 0), counted, accepted, settled, terminated }))
    .sort((a, b) => b.accepted - a.accepted || b.counted - a.counted || (a.uscc < b.uscc ? -1 : 1))
}

/** Of two that are used alike the one that sorts first. */
function mostUsed(names: ReadonlyMap<string, number>): string | undefined {
  return [...names].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0]
}
