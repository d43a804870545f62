import { type Db, type TopicPartition } from '@hub/runtime/db'
import { isTransient } from '@hub/runtime/errors'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { keyOf } from './partition.ts'
import { trimRequests } from './requests.ts'
import { deletePublished, readLowest, readPositions, trimRanges, vacuumOutbox } from './store.ts'

const EVERY_MS = 1_000
const ROWS_PER_DELETE = 5_000n
const ROWS_PER_VACUUM = 100_000
const RANGES_KEPT = 1_000
const RANGES_EVERY_MS = 60_000
const REQUEST_DAYS = 90

/**
 * Deletes what is on the log from the outbox, in bounded steps, and frees the space itself after every 100 000 rows: at 20 000 events/s
 * autovacuum, which looks once a minute, would let the table grow by more than a million dead rows between two visits.
 */
export async function trim(db: Db, topics: readonly string[], onDone: () => void, log: Log, signal: AbortSignal): Promise<void> {
  const trimmed = new Map<string, bigint>()
  let deleted = 0
  let rangesAt = performance.now()
  while (!signal.aborted) {
    await pause(EVERY_MS, signal)
    try {
      deleted += await trimOnce(db, topics, trimmed, signal)
      if (deleted >= ROWS_PER_VACUUM) {
        await vacuumOutbox(db)
        deleted = 0
      }
      if (performance.now() - rangesAt >= RANGES_EVERY_MS) {
        await trimRanges(db, topics, RANGES_KEPT)
        await trimRequests(db, REQUEST_DAYS)
        rangesAt = performance.now()
      }
      onDone()
    } catch (error) {
      // Nothing depends on it within the second, and the relay's other work meets a failing database by itself.
      if (!isTransient(error)) throw error
      log.debug({ err: error }, 'published events were not deleted this time')
    }
  }
}

/** `trimmed`: what is gone already, by `topic/partition`; filled here. Returns the rows deleted. */
export async function trimOnce(db: Db, topics: readonly string[], trimmed: Map<string, bigint>, signal?: AbortSignal): Promise<number> {
  let deleted = 0
  const lowest = trimmed.size === 0 ? await readLowest(db, topics) : undefined
  for (const position of await readPositions(db, topics)) {
    const key = keyOf(position)
    let above = trimmed.get(key) ?? (lowest?.get(key) ?? position.lastSequence + 1n) - 1n
    while (above < position.lastSequence && signal?.aborted !== true) {
      const upTo = min(above + ROWS_PER_DELETE, position.lastSequence)
      deleted += await deletePublished(db, position satisfies TopicPartition, above, upTo)
      failpoint('relay.trimmed')
      above = upTo
    }
    trimmed.set(key, above)
  }
  return deleted
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
