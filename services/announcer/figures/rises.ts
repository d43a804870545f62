import type { Text } from '@hub/schemas/codes'
import type { Region } from '@hub/schemas/streams'
import { alignmentOf, windowBefore, type Plan } from '../campaigns.ts'
import type { Calendar } from '../calendar/calendar.ts'
import { beginningsOf, type Beginnings } from './beginnings.ts'
import { onDays, type Cells } from './cells.ts'
import { classCounts, type ClassTableId } from './classes.ts'
import { addedUp, periodsOf } from './periods.ts'
import { pairDays } from './windows.ts'

/** A class with markedly more complaints than a year ago: what an officer may write a tip about. */
export interface Rise {
  readonly table: ClassTableId
  readonly code: string
  readonly name: Text
  /** Complaints received on the days compared, this year and the year before. */
  readonly current: number
  readonly earlier: number
  readonly comparedDays: number
  /** A beginning, never published as it is. */
  readonly draft: Text
}

/** Stands in every draft until an officer has put advice in its place; an edition with it is not put together. */
export const UNEDITED = '【请补充消费提示】'

/** Fewer complaints than these are no rise. */
const LEAST = 10
const MOST_RISES = 5

/**
 * The largest rises over the days that both windows have, of all regions together. A rise counts when it is more than two standard deviations of
 * the difference of two such counts: (current − earlier)² > 4 (current + earlier). Without data of the year before there are none.
 */
export function risesOf(cells: Cells, plan: Plan, calendar: Calendar, present: readonly Region[], begin: Beginnings = beginningsOf(cells)): Rise[] {
  const earlier = windowBefore(calendar, plan)
  if (earlier === null) return []
  const pairs = pairDays(plan.window, earlier, alignmentOf(plan.campaign))
  const [firstDay = ''] = pairs.earlier
  if (present.some((region) => begin[region].complaints === null || begin[region].complaints > firstDay)) return []
  const sums = addedUp(cells, periodsOf(plan, calendar))
  const now = onDays(sums, (day) => pairs.current.has(day))
  const before = onDays(sums, (day) => pairs.earlier.has(day))
  return (['goods', 'services', 'issues'] as const).flatMap((table) => {
    const then = new Map(classCounts(table, before, present, 'received').map(({ code, total }) => [code, total]))
    return classCounts(table, now, present, 'received').flatMap(({ code, name, total }) => {
      const was = then.get(code) ?? 0
      if (code === null || total < LEAST || total <= was || (total - was) ** 2 <= 4 * (total + was)) return []
      return [{ table, code, name, current: total, earlier: was, comparedDays: pairs.current.size, draft: draftOf(name, was, total, pairs.current.size) }]
    })
  }).sort((a, b) => (b.current - b.earlier) - (a.current - a.earlier) || (a.code < b.code ? -1 : 1)).slice(0, MOST_RISES)
}

function draftOf([zh, en]: Text, earlier: number, current: number, days: number): Text {
  return [`与上年同期可比的${days}天相比，“${zh}”投诉由${earlier}件增至${current}件。${UNEDITED}`, `Against the ${days} comparable days of the year before, complaints about ${en} went from ${earlier} to ${current}. [add advice]`]
}
