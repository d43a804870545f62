import type { Region } from '@hub/schemas/streams'
import { alignmentOf, type Plan, windowBefore } from '../campaigns.ts'
import type { Calendar } from '../calendar/calendar.ts'
import { beginningsOf, type Beginnings } from './beginnings.ts'
import { onDays, type Cells } from './cells.ts'
import { classTable } from './classes.ts'
import { countRow, mediation, onlineShare, type CountId } from './counts.ts'
import { refOf } from './definitions.ts'
import { mediationDue } from './mediation-due.ts'
import type { Figures } from './model.ts'
import { addedUp, periodsOf } from './periods.ts'
import { perRegion } from './per-region.ts'
import { isIn } from './windows.ts'
import { yearOnYear } from './year-on-year.ts'

/** The headline first, then what it is made of. */
const ROWS = ['received', 'counted', 'accepted', 'refused', 'pending', 'transferred', 'reports', 'consultations'] as const satisfies readonly CountId[]

/**
 * All figures of an announcement. The same cells give the same figures in every region, in whatever order and however many parts they come.
 * @param cells all that the markers copied, or those of `spansOf`; of all partitions, added up or not; those of regions that are not `present` are left out
 * @param present regions whose every partition was cut
 * @param begin where the data of each region begin, when `cells` are not all of them
 */
export function figuresOf(cells: Cells, plan: Plan, calendar: Calendar, present: readonly Region[], begin: Beginnings = beginningsOf(cells)): Figures {
  const sums = addedUp(cells, periodsOf(plan, calendar))
  const inside = onDays(sums, (day) => isIn(plan.window, day))
  return {
    counts: ROWS.map((id) => countRow(id, inside, present)),
    online: { definition: refOf('online-share'), shares: perRegion(present, (regions) => onlineShare(inside, regions)) },
    goods: classTable('goods', inside, present),
    services: classTable('services', inside, present),
    issues: classTable('issues', inside, present),
    mediation: {
      success: refOf('success-rate'),
      recovered: refOf('recovered'),
      open: refOf('open-share'),
      values: perRegion(present, (regions) => mediation(inside, regions)),
      due: mediationDue(calendar, plan.window),
    },
    yearOnYear: yearOnYear(sums, begin, plan.window, windowBefore(calendar, plan), alignmentOf(plan.campaign), present),
  }
}
