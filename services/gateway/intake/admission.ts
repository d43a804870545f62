import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Db } from '@hub/runtime/db'
import { Problem, type Dependency } from '@hub/runtime/http'
import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { keepClosed } from './closed.ts'
import { keepQuota } from './outbox-quota.ts'

/** Events that wait for the database; beyond it new ones are turned away, while those of bodies under way still find room. */
const MAX_WAITING = 20_000
const LOOK_MS = 1_000

/** How the gateway stands, as far as it decides whether new events are taken in. */
export interface Standing {
  /** Events taken in that are not durable yet. */
  readonly waiting: number
  /** The event loop is late by more than the limit. */
  readonly loopLate: boolean
  readonly outboxFull: boolean
  /** The database is older than its own logs. */
  readonly restored: boolean
}

/** Why new events are not taken in now, or undefined. What is under way or was acknowledged is not touched. A rehearsal needs no room in the outbox. */
export function turnedAway({ waiting, loopLate, outboxFull, restored }: Standing, rehearsal: boolean): Problem | undefined {
  if (restored) return databaseIsRestored()
  if (outboxFull && !rehearsal) return outboxIsFull()
  if (waiting < MAX_WAITING && !loopLate) return undefined
  return new Problem(503, 'OVERLOADED', '网关繁忙，请稍后重试 · the gateway is overloaded: try again', 'Nothing of it was taken in. Send it again after Retry-After, and fewer at a time.', { retryAfterSeconds: 2 })
}

/** The broker has been away for long: the database has no room for more that waits for it. */
function outboxIsFull(): Problem {
  return new Problem(503, 'OUTBOX_FULL', '待发送事件已达上限，请稍后重试 · too many events wait for the broker: try again later', 'What was acknowledged stays and will be sent. Send the rest once the broker is back; /readyz tells.', { retryAfterSeconds: 30 })
}

/** What was published since the backup is not known here yet, so that no verdict would be right. */
export function databaseIsRestored(): Problem {
  return new Problem(503, 'DATABASE_RESTORED', '本地区数据库刚从备份恢复，恢复完成前不接收事件 · the database of this region was restored from a backup and takes no events before it has caught up', 'Send them again later, and everything that was sent since the backup: what the hub has already is a duplicate and does no harm.', { retryAfterSeconds: 60 })
}

export interface Admission extends AsyncDisposable {
  /** Throws when new events are not taken in now. */
  admit(rehearsal: boolean): void
  /** Why a body under way is not read further, or undefined. */
  enough(rehearsal: boolean): Problem | undefined
  health(): Dependency[]
}

/**
 * @param waiting events taken in that are not durable yet
 * @param maxLoopDelayMs mean delay of the event loop over a second beyond which new work is turned away
 */
export function createAdmission(options: { db: Db; waiting: () => number; outboxMaxBytes: number; maxLoopDelayMs: number; log: Log; metrics: Metrics }): Admission {
  const { waiting, metrics } = options
  const quota = keepQuota(options.db, options.outboxMaxBytes, options.log, metrics)
  const outbox = keepClosed(options.db, options.log)
  const refused = metrics.counter('hub_gateway_turned_away_total', 'Requests with events that were turned away before their body was read', ['code'])
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  let loopDelayMs = 0
  const looking = setInterval(() => {
    // The resolution itself is part of what is measured; nothing measured at all is NaN.
    loopDelayMs = Number.isNaN(delay.mean) ? 0 : Math.max(0, delay.mean / 1e6 - 20)
    delay.reset()
  }, LOOK_MS).unref()
  return {
    admit(rehearsal) {
      const problem = turnedAway({ waiting: waiting(), loopLate: loopDelayMs >= options.maxLoopDelayMs, outboxFull: quota.full, restored: outbox.closed }, rehearsal)
      if (problem === undefined) return
      refused.inc({ code: problem.code })
      throw problem
    },
    enough: (rehearsal) => (outbox.closed ? databaseIsRestored() : quota.full && !rehearsal ? outboxIsFull() : undefined),
    health: () => [quota.health(), outbox.health()],
    async [Symbol.asyncDispose]() {
      clearInterval(looking)
      delay.disable()
      await Promise.all([quota[Symbol.asyncDispose](), outbox[Symbol.asyncDispose]()])
    },
  }
}
