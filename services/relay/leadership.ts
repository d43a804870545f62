import { releaseLease, renewLease, tryLease, type Db, type Lease } from '@hub/runtime/db'
import { isTransient } from '@hub/runtime/errors'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { together } from './tasks.ts'

const TTL_MS = 10_000
const RENEW_EVERY_MS = 3_000
const ASK_EVERY_MS = 250

/**
 * Runs `work` whenever this process holds the lease; its signal fires when the lease is lost or may have run out, and with `signal`.
 * A transient failure of `work` gives the lease back and begins again; any other one is thrown. Two holders at once do no harm
 * (a stopped process may not have noticed), so this is for order, not for safety.
 */
export async function whileLeading(db: Db, name: string, owner: string, log: Log, work: (lease: Lease, signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
  let troubled = false
  while (!signal.aborted) {
    try {
      const since = performance.now()
      const lease = await tryLease(db, name, owner, TTL_MS)
      if (lease !== undefined) {
        log.info({ lease: name, epoch: lease.epoch.toString() }, 'lease taken')
        try {
          await together(signal, [(ended) => work(lease, ended), (ended) => keep(db, lease, since, log, ended)])
        } finally {
          await releaseLease(db, lease).catch(() => { /* it runs out */ })
        }
      }
      troubled = false
    } catch (error) {
      if (!isTransient(error)) throw error
      if (!troubled) log.warn({ err: error }, 'a dependency fails, the work begins again when it answers')
      troubled = true
    }
    await pause(ASK_EVERY_MS, signal)
  }
}

/** Returns when the lease is lost, or may be because the database has been silent for its whole length. */
async function keep(db: Db, lease: Lease, since: number, log: Log, signal: AbortSignal): Promise<void> {
  let renewedAt = since
  while (!signal.aborted) {
    await pause(RENEW_EVERY_MS, signal)
    if (signal.aborted) return
    const askedAt = performance.now()
    const answer = await Promise.race([
      renewLease(db, lease, TTL_MS).catch(() => undefined),
      pause(Math.max(0, renewedAt + TTL_MS - askedAt), signal).then(() => undefined),
    ])
    if (answer === true) renewedAt = askedAt
    if (answer === false || performance.now() - renewedAt >= TTL_MS) {
      log.warn({ lease: lease.name, epoch: lease.epoch.toString() }, 'lease lost')
      return
    }
  }
}
