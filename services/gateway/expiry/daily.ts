import { schedule } from 'node-cron'
import { sqlState } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { markRetention } from '@hub/runtime/retention'
import { createWakeup } from '@hub/runtime/wakeup'
import { expireDue, type Expiring } from './expire.ts'

/** Minutes and hours of Asia/Shanghai. */
const DAILY = '5 0 * * *'
/** A day and a little: a clock that was set, or a machine that slept, costs a day at most. */
const EVERY_MS = 25 * 3_600_000
const RETRY_MS = 60_000
/** SQLSTATE undefined_table: no replica stands beside this gateway yet. */
const UNDEFINED_TABLE = '42P01'

/** Ends what is past its own date: at the start, so that a day that was missed is made up for, and then each day at five minutes past midnight in Shanghai, until disposed. */
export function expireDaily(expiring: Expiring, metrics: Metrics, log: Log): AsyncDisposable {
  const expired = metrics.counter('hub_gateway_expired_records_total', 'Records of this region that were ended because their own date is past')
  const onDone = markRetention(metrics, 'expiry')
  const stop = new AbortController()
  const bell = createWakeup()
  const midnight = schedule(DAILY, () => bell.signal(), { timezone: 'Asia/Shanghai' })
  const looking = look()

  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await midnight.destroy()
      await looking
    },
  }

  async function look(): Promise<void> {
    while (!stop.signal.aborted) {
      let wait = RETRY_MS
      try {
        const { ended, whole } = await expireDue(expiring, stop.signal)
        if (ended > 0) {
          expired.inc(ended)
          log.info({ records: ended }, 'records ended on their own date')
        }
        if (whole) {
          onDone()
          wait = EVERY_MS
        }
      } catch (error) {
        if (sqlState(error) !== UNDEFINED_TABLE) log.warn({ err: error }, 'records past their own date not ended, will be tried later')
      }
      await bell.wait(wait, stop.signal)
    }
  }
}
