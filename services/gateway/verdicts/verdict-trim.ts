import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { trimRehearsals } from '../imports/store.ts'
import { lowestId } from '../publish/event-id.ts'
import { deleteVerdicts } from './verdict-store.ts'

/** How long verdicts are remembered. */
export const KEPT_MS = 90 * 86_400_000
const EVERY_MS = 10 * 60_000
const ROWS_PER_DELETE = 5_000
const BETWEEN_MS = 100

/** Deletes verdicts, and rehearsals of files, older than 90 days in small steps until aborted; several gateways do not meet on the same rows. */
export async function trimVerdicts(db: Db, onDone: () => void, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const before = lowestId(Date.now() - KEPT_MS)
      while (!signal.aborted && await deleteVerdicts(db, before, ROWS_PER_DELETE) === ROWS_PER_DELETE) await pause(BETWEEN_MS, signal)
      await trimRehearsals(db, before)
      onDone()
    } catch (error) {
      log.warn({ err: error }, 'old verdicts not deleted, will be tried later')
    }
    await pause(EVERY_MS, signal)
  }
}
