import { appendOutbox, ensureHeads, lockHeads, notifyOutbox, type OutboxRow } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Cut } from '@hub/schemas/generated/cut'
import { parseDay } from '@hub/schemas/read-time'
import { PARTITIONS, topicName } from '@hub/schemas/streams'
import type { Calendar } from './calendar/calendar.ts'
import { addDays } from './calendar/day.ts'
import type { Plan } from './campaigns.ts'
import { runsOf, spansOf } from './figures/periods.ts'
import type { Window } from './figures/model.ts'
import type { Speaker } from './store/acts.ts'
import type { Run } from './store/announcements.ts'
import { readOwnSources } from './store/sources.ts'

const CUT = 'cn.yrd.control.Cut'
const STREAMS = ['complaint', 'tally'] as const

/**
 * Writes this region's markers behind everything committed before, once: whoever notes the cut writes them, in the same transaction.
 * @returns false when they were written before
 */
export async function writeMarkers({ db, codec, region, topicPrefix, wakeup }: Speaker, { campaign, year, demo }: Run, plan: Plan, calendar: Calendar): Promise<boolean> {
  const { encode } = await codec.writer(CUT)
  const partitions = STREAMS.flatMap((stream) => Array.from({ length: PARTITIONS[stream] }, (_, partition) => ({ topic: topicName(region, stream, topicPrefix), partition })))
  const { from, to } = coverOf(plan, calendar)
  const { periods, traders } = spansOf(plan, calendar)
  const runs = runsOf(periods).map((run) => ({ firstDay: parseDay(run.from)!, lastDay: parseDay(run.to)! }))
  await ensureHeads(db, partitions)
  const written = await db.tx(async (c) => {
    const heads = await lockHeads(c, partitions)
    failpoint('announce.heads-locked', `${campaign}/${year}`)
    const { rows: [claimed] } = await c.query<{ cut_at: Date }>('UPDATE announcement SET cut_at = clock_timestamp() WHERE campaign = $1 AND year = $2 AND cut_at IS NULL RETURNING cut_at', [campaign, year])
    if (claimed === undefined) return false
    const sources = await readOwnSources(c)
    const cutAt = claimed.cut_at.getTime()
    appendOutbox(c, partitions.map(({ topic, partition }): OutboxRow => {
      const cut: Cut = { campaign, year, topic: topic.slice(topicPrefix.length), partition, cutAt, firstDay: parseDay(from)!, lastDay: parseDay(to)!, demo, sources, periods: runs, tradersFrom: parseDay(traders.from)! }
      return { topic, partition, sequence: heads.get(`${topic}/${partition}`)!, key: `cut/${campaign}/${year}`, value: encode(cut), type: CUT, eventId: null, subject: null, timeMs: cutAt, traceparent: null }
    }))
    failpoint('announce.markers-written', `${campaign}/${year}`)
    return true
  })
  if (written) {
    failpoint('announce.markers-committed', `${campaign}/${year}`)
    wakeup.signal()
    notifyOutbox(db)
  }
  return written
}

/** The days that an announcement counts or compares with, as one range. */
export function coverOf(plan: Plan, calendar: Calendar): Window {
  const { window, earlier, traders } = spansOf(plan, calendar)
  const from = [window.from, earlier?.from ?? window.from, traders.from].sort()[0]!
  return { from, to: [window.to, traders.to, addDays(plan.publishOn, -1)].sort().at(-1)! }
}
