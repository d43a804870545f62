import { statfs } from 'node:fs/promises'
import { watchTableSizes, type Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { markRetention } from '@hub/runtime/retention'
import { sharedReading } from '@hub/runtime/shared-reading'
import type { GatewayConfig } from './config.ts'
import { countOpenImports } from './imports/store.ts'
import { trimPublished } from './publish/published-trim.ts'
import { trimVerdicts } from './verdicts/verdict-trim.ts'

const DATABASE_MS = 2_000

/** What nobody asks for and somebody must do: forgets what is kept for a time only, and measures tables, disk and what waits, until disposed. */
export function keepUp(db: Db, { historyMonths, stateDir }: GatewayConfig, waitingVerdicts: () => number, metrics: Metrics, log: Log): AsyncDisposable {
  watchTableSizes(db, metrics)
  const disk = sharedReading(() => statfs(stateDir))
  metrics.gauge('hub_state_disk_free_bytes', 'Bytes free on the disk of HUB_STATE_DIR, where uploads and long answers wait', [], async (gauge) => {
    const { bavail, bsize } = await disk()
    gauge.set(bavail * bsize)
  })
  metrics.gauge('hub_state_disk_bytes', 'Bytes of the disk of HUB_STATE_DIR', [], async (gauge) => {
    const { blocks, bsize } = await disk()
    gauge.set(blocks * bsize)
  })
  metrics.gauge('hub_gateway_waiting_verdicts', 'Verdicts given that the history does not have yet', [], (gauge) => gauge.set(waitingVerdicts()))
  metrics.gauge('hub_gateway_open_imports', 'Imports of the region that have not ended, by state', ['state'], async (gauge) => {
    const open = await within(countOpenImports(db), DATABASE_MS)
    gauge.reset()
    for (const { state, imports } of open) gauge.set({ state }, imports)
  })
  const stop = new AbortController()
  const trimming = Promise.all([
    trimVerdicts(db, markRetention(metrics, 'verdict'), log, stop.signal),
    trimPublished(db, historyMonths, markRetention(metrics, 'published'), log, stop.signal),
  ])
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await trimming
    },
  }
}
