import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { trimArchive } from './store/archive.ts'
import { markChanges } from './store/change-mark.ts'
import { trimCheckpoints } from './store/checkpoints.ts'
import { trimCuts } from './store/cuts.ts'
import { trimHistory } from './store/history.ts'
import { thinPositionLog } from './store/region-position.ts'
import { trimRedriveRequests } from './store/redrive.ts'
import { trimAudit, trimParked, trimRedriven, trimRegionParked } from './store/retention.ts'
import { trimRequests } from './store/scrub.ts'
import { thinVectors } from './store/vectors.ts'

const EVERY_MS = 3_600_000
const CHECKPOINT_DAYS = 3
const POSITION_LOG_DAYS = 30
const REQUEST_DAYS = 90
/** Acts of people are looked into years later. */
const AUDIT_MONTHS = 60

/** Forgets, every hour, what is kept for a time only. Two processes may do it at once. */
export async function trimHourly(db: Db, { historyMonths, archiveMonths }: { readonly historyMonths: number; readonly archiveMonths: number }, onDone: () => void, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await thinVectors(db, historyMonths)
      await markChanges(db, historyMonths)
      for (const [trim, months] of [[trimHistory, historyMonths], [trimParked, historyMonths], [trimRegionParked, historyMonths], [trimRedriven, historyMonths], [trimAudit, AUDIT_MONTHS], [trimArchive, archiveMonths]] as const) {
        while (!signal.aborted && (await trim(db, months)) > 0);
      }
      await trimCuts(db, historyMonths)
      await trimCheckpoints(db, CHECKPOINT_DAYS)
      await thinPositionLog(db, POSITION_LOG_DAYS)
      await trimRequests(db, REQUEST_DAYS)
      await trimRedriveRequests(db, REQUEST_DAYS)
      onDone()
    } catch (error) {
      log.warn({ err: error }, 'nothing is trimmed this time')
    }
    await pause(EVERY_MS, signal)
  }
}
