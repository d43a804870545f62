import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { lowestId } from './publish/event-id.ts'
import { trimVersions } from './store.ts'

const EVERY_MS = 24 * 3_600_000
const RETRY_MS = 10 * 60_000
const BETWEEN_MS = 100
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
