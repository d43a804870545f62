import type { Db, DbClient } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { lowestId } from './event-id.ts'

const EVERY_MS = 24 * 3_600_000
const RETRY_MS = 10 * 60_000
const BETWEEN_MS = 100
const ROWS_A_STEP = 5_000
const LOWEST = '00000000-0000-0000-0000-000000000000'

/**
 * Forgets, once a day, which versions of a record stood between its first and its newest, published longer ago than `months`. What decides about new events stays for ever: the
 * newest version. A version that was forgotten and comes again is `stale` and no longer `duplicate` or `conflict`; its receipt is 404. The first stays for who takes an import back.
 */
export async function trimPublished(db: Db, months: number, onDone: () => void, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const before = new Date()
      before.setUTCMonth(before.getUTCMonth() - months)
      for (let after: string | undefined = LOWEST; after !== undefined && !signal.aborted; await pause(BETWEEN_MS, signal)) {
        after = await trimVersions(db, after, lowestId(before.getTime()))
      }
      if (!signal.aborted) onDone()
      await pause(EVERY_MS, signal)
    } catch (error) {
      log.warn({ err: error }, 'old versions not forgotten, will be tried later')
      await pause(RETRY_MS, signal)
    }
  }
}

/**
 * Deletes versions with ids above `after` and below `before` that have an older and a newer one of their record, among some thousands that it looks at.
 * @returns where to go on; undefined = nothing is left
 */
export async function trimVersions(db: DbClient, after: string, before: string): Promise<string | undefined> {
  const { rows: [last] } = await db.query<{ id: string }>(
    `WITH slice AS MATERIALIZED (SELECT topic, record_id, version, event_id FROM published WHERE event_id > $1::uuid AND event_id < $2::uuid ORDER BY event_id LIMIT ${ROWS_A_STEP}),
          gone AS (
            DELETE FROM published p USING slice s
             WHERE p.topic = s.topic AND p.record_id = s.record_id AND p.version = s.version
               AND EXISTS (SELECT FROM published o WHERE o.topic = s.topic AND o.record_id = s.record_id AND o.version < s.version)
               AND EXISTS (SELECT FROM published n WHERE n.topic = s.topic AND n.record_id = s.record_id AND n.version > s.version))
     SELECT event_id::text AS id FROM slice ORDER BY event_id DESC LIMIT 1`, [after, before])
  return last?.id
}
