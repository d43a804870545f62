import type { DbClient } from '@hub/runtime/db'
import { shanghaiDay } from '@hub/schemas/read-time'
import { lowestId } from '../publish/event-id.ts'
import { countSlice, sliceEnd, type CountedTable, type DayCount } from './store.ts'

const DAY_MS = 86_400_000
const SHANGHAI_MS = 8 * 3_600_000
const ROWS_PER_SLICE = 50_000
/** After this time no event or verdict with an earlier id is written any more (a commit waits 10 s at most), so that a count of it holds. */
const SETTLED_MS = 120_000
const DEADLINE_MS = 1_500
const FRESH_MS = 2_000

/** What this region was sent today. */
export interface Today {
  /** 0:00 in Asia/Shanghai, ms UTC. */
  readonly since: number
  readonly counts: readonly DayCount[]
  /** False where there was more than could be counted in time: the next asking goes on from there. */
  readonly complete: boolean
}

/**
 * Counts the day so far, for everybody at once. What is older than two minutes is counted once and remembered; each asking adds what has come since, in slices and for
 * one and a half seconds at most.
 */
export function createToday(db: DbClient): (now: number) => Promise<Today> {
  let since = -1
  let settled = new Map<string, DayCount>()
  let upTo: Record<CountedTable, string> = { published: '', verdict: '' }
  let asking: { at: number; answer: Promise<Today> } | undefined

  return (now) => {
    if (asking === undefined || now - asking.at > FRESH_MS) {
      const answer = count(now)
      asking = { at: now, answer }
      answer.catch(() => { asking = undefined })
    }
    return asking.answer
  }

  async function count(now: number): Promise<Today> {
    const until = performance.now() + DEADLINE_MS
    const day = shanghaiDay(now) * DAY_MS - SHANGHAI_MS
    if (day !== since) {
      since = day
      settled = new Map()
      upTo = { published: lowestId(day), verdict: lowestId(day) }
    }
    const holds = lowestId(Math.max(day, now - SETTLED_MS))
    const tomorrow = lowestId(day + DAY_MS)
    let complete = true
    for (const table of ['published', 'verdict'] as const) {
      for await (const { counts, end } of slices(table, upTo[table], holds)) {
        add(settled, counts)
        upTo[table] = end
        if (performance.now() > until) break
      }
      if (upTo[table] < holds) complete = false
    }
    const all = new Map(settled)
    if (complete) {
      for (const table of ['published', 'verdict'] as const) {
        for await (const { counts, end } of slices(table, holds, tomorrow)) {
          add(all, counts)
          if (end < tomorrow && performance.now() > until) {
            complete = false
            break
          }
        }
      }
    }
    return { since: day, counts: [...all.values()], complete }
  }

  async function* slices(table: CountedTable, from: string, below: string): AsyncGenerator<{ counts: DayCount[]; end: string }> {
    while (from < below) {
      const end = await sliceEnd(db, table, from, below, ROWS_PER_SLICE) ?? below
      yield { counts: await countSlice(db, table, from, end), end }
      from = end
    }
  }
}

function add(to: Map<string, DayCount>, counts: readonly DayCount[]): void {
  for (const one of counts) {
    const key = JSON.stringify([one.stream, one.source, one.caller, one.verdict])
    to.set(key, { ...one, count: one.count + (to.get(key)?.count ?? 0) })
  }
}
