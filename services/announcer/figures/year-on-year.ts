import type { Region } from '@hub/schemas/streams'
import { onDays, type Cells } from './cells.ts'
import { count, type CountId } from './counts.ts'
import { refOf } from './definitions.ts'
import type { Comparison, Window, YearOnYear } from './model.ts'
import { perRegion } from './per-region.ts'
import { lengthOf, pairDays } from './windows.ts'

/** What does not depend on how far a case has come can be compared with a year ago. */
const COMPARED = ['received', 'reports', 'consultations'] as const satisfies readonly CountId[]

/**
 * @param earlier the window of the year before; `null` = no calendar covers it
 */
export function yearOnYear(cells: Cells, current: Window, earlier: Window | null, alignment: 'lunar' | 'date', present: readonly Region[]): YearOnYear {
  const head = { definition: refOf('year-on-year'), alignment, current: { ...current, days: lengthOf(current) } }
  if (earlier === null) return { ...head, earlier: null, comparedDays: 0, rows: [] }
  const pairs = pairDays(current, earlier, alignment)
  const now = onDays(cells, (day) => pairs.current.has(day))
  const before = onDays(cells, (day) => pairs.earlier.has(day))
  const [firstDay = ''] = pairs.earlier
  const rows = COMPARED.map((id) => ({
    definition: refOf(id),
    values: perRegion(present, (regions): Comparison => {
      // A total with a region that has nothing to compare would compare three regions with four.
      const comparable = regions.size > 0 && [...regions].every((region) => count(id, before, new Set([region])) > 0 && begins(id, cells, region, firstDay))
      return { current: count(id, now, regions), earlier: comparable ? count(id, before, regions) : null }
    }),
  }))
  return { ...head, earlier: { ...earlier, days: lengthOf(earlier) }, comparedDays: pairs.current.size, rows }
}

/** Whether a region's data go back to a day: what begins in the middle of the days compared is not all of them. */
function begins(id: (typeof COMPARED)[number], cells: Cells, region: Region, day: string): boolean {
  const kept = id === 'received' ? cells.days : cells.tallies
  return kept.some((cell) => cell.region === region && cell.day <= day)
}
