import type { Db } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { acquireLease, FencedError, type Lease, releaseLease } from './store/lease.ts'

const ASK_MS = 300

/**
 * Waits for the lease and does `work` while it is held, again and again until `signal` fires. A former holder finds out by its fence,
 * at its next write; it then waits like any other.
 */
export async function whileLeading(options: {
  db: Db
  leaseMs: number
  log: Log
  work: (lease: Lease, signal: AbortSignal) => Promise<void>
  /** The lease came or went. */
  onChange: (leading: boolean) => void
  onFenced: () => void
}, signal: AbortSignal): Promise<void> {
  const { db, log } = options
  const owner = `${hostname()}/${process.pid}/${randomUUID()}`
  let silent = false
  while (!signal.aborted) {
    const lease = await acquireLease(db, owner, options.leaseMs).then((found) => {
      silent = false
      return found
    }, (error: unknown) => {
      if (!silent) log.warn({ err: error }, 'cannot ask for the lease')
      silent = true
      return undefined
    })
    if (lease === undefined) {
      await pause(ASK_MS, signal)
      continue
    }
    failpoint('replicate.leased')
    log.info({ epoch: String(lease.epoch), replica: lease.replicaId }, 'applying')
    options.onChange(true)
    try {
      await options.work(lease, signal)
    } catch (error) {
      if (!(error instanceof FencedError)) throw error
      options.onFenced()
      log.warn({ reason: error.message }, 'fenced, nothing of this is kept')
    } finally {
      options.onChange(false)
      // Also after a fence: it may have been a position, with the lease still ours.
      await releaseLease(db, lease.epoch).catch((error: unknown) => log.warn({ err: error }, 'lease not released, it runs out by itself'))
    }
  }
}
