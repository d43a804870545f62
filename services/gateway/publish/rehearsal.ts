import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import { Problem } from '@hub/runtime/http'
import { isEnding } from '@hub/schemas/record-rule'
import type { Publish } from '../intake/intake.ts'
import { planBatch } from './publish-batch.ts'
import type { PublishedVersion } from './publish-decision.ts'
import { readHistories } from './publisher.ts'

/** Events of one rehearsal: what it would have written is kept in memory, so that the body's own events see each other. */
export const MAX_REHEARSED = 100_000

/** Decides as publishing would and writes nothing. Good for one body. */
export function rehearse(db: Db, deadlineMs: number): Publish {
  const written = new Map<string, PublishedVersion[]>()
  let events = 0
  let last: Promise<unknown> = Promise.resolve()
  return (batch) => {
    events += batch.length
    if (events > MAX_REHEARSED) return Promise.reject(new Problem(413, 'REHEARSAL_TOO_LONG', '试运行的事件过多 · too many events for a dry run', `At most ${MAX_REHEARSED} in one body: split it.`))
    // Batches decide one after another: the second must see what the first would have written.
    const decided = last.then(async () => {
      const histories = await within(readHistories(db, batch, isEnding), deadlineMs)
      return planBatch(batch, histories, () => 0n, written).outcomes.map((outcome) => ('eventId' in outcome ? { ...outcome, eventId: null } : outcome))
    })
    last = decided.catch(() => {})
    return decided
  }
}
