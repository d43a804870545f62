import type { Region } from '@hub/schemas/streams'
import type { Beginnings } from './beginnings.ts'
import { onDays, type Cells } from './cells.ts'
import { count, type CountId } from './counts.ts'
import { refOf } from './definitions.ts'
import type { Comparison, Window, YearOnYear } from './model.ts'
import { perRegion } from './per-region.ts'
import { lengthOf, pairDays } from './windows.ts'

/** What does not depend on how far a case has come can be compared with a year ago. */
const COMPARED = [['received', 'complaints'], ['reports', 'tallies'], ['consultations', 'tallies']] as const satisfies readonly (readonly [CountId, 'complaints' | 'tallies'])[]

/**
 * @param earlier the window of the year before; `null` = no calendar covers it
 */
export function yearOnYear(cells: Cells, begin: Beginnings, current: Window, earlier: Window | null, alignment: 'lunar' | 'date', present: readonly Region[]): YearOnYear {
  const head = { definition: refOf('year-on-year'), alignment, current: { ...current, days: lengthOf(current) } }
  if (earlier === null) return { ...head, earlier: null, comparedDays: 0, rows: [] }
  const pairs = pairDays(current, earlier, alignment)
  const now = onDays(cells, (day) => pairs.current.has(day))
  const before = onDays(cells, (day) => pairs.earlier.has(day))
  const [firstDay = ''] = pairs.earlier
  const rows = COMPARED.map(([id, kept]) => ({
    definition: refOf(id),
    values: perRegion(present, (regions): Comparison => {
      // A total with a region that has nothing to compare would compare three regions with four.
      const comparable = regions.size > 0 && [...regions].every((region) => {
        const first = begin[region][kept]
        return first !== null && first <= firstDay && count(id, before, new Set([region])) > 0
      })
      return { current: count(id, now, regions), earlier: comparable ? count(id, before, regions) : null }
    }),
  }))
  return { ...head, earlier: { ...earlier, days: lengthOf(earlier) }, comparedDays: pairs.current.size, rows }
}
