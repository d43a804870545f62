import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Cells, TraderCell } from './cells.ts'
import type { TraderRow, Window } from './model.ts'
import { isIn } from './windows.ts'

/** A code of this kind is a sole trader's, who is a person (GB 32100: registered by market regulation, kind 2). */
const SOLE_TRADER = '92'

/**
 * The firms that the list names: at least `minimum` accepted complaints in the window, the regions together, most of them first, ties by
 * counted complaints, then by code.
 */
export function traderRows(cells: Cells, window: Window, minimum: number, present: readonly Region[]): TraderRow[] {
  const inside = cells.traders.filter(({ region, day, uscc }) => present.includes(region) && isIn(window, day) && !uscc.startsWith(SOLE_TRADER))
  return [...Map.groupBy(inside, ({ uscc }) => uscc)]
    .map(([uscc, found]) => ({
      uscc,
      name: mostUsedName(found) ?? uscc,
      regions: REGIONS.filter((region) => found.some((cell) => cell.region === region && cell.accepted > 0)),
      counted: sum(found, 'counted'),
      accepted: sum(found, 'accepted'),
      settled: sum(found, 'settled'),
      terminated: sum(found, 'terminated'),
    }))
    .filter(({ accepted }) => accepted >= minimum)
    .sort((a, b) => b.accepted - a.accepted || b.counted - a.counted || (a.uscc < b.uscc ? -1 : 1))
}

/** By counted complaints; of two that are used alike the one that sorts first. */
function mostUsedName(cells: readonly TraderCell[]): string | undefined {
  const uses = new Map<string, number>()
  for (const { name, counted } of cells) if (name !== null) uses.set(name, (uses.get(name) ?? 0) + counted)
  return [...uses].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0]
}

function sum(cells: readonly TraderCell[], what: 'counted' | 'accepted' | 'settled' | 'terminated'): number {
  return cells.reduce((n, cell) => n + cell[what], 0)
}
