import type { Db } from '@hub/runtime/db'
import { isTransient } from '@hub/runtime/errors'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import type { GatewayMetrics } from '../metrics.ts'
import type { Verdict } from './verdict.ts'
import { rowsToKeep, type Asked, type VerdictRow } from './verdict-row.ts'
import { insertVerdicts } from './verdict-store.ts'

const GATHER_MS = 100
const ROWS_PER_INSERT = 2_000
const ROWS_WAITING = 10_000
const RETRY_MS = 1_000

export interface VerdictLog extends AsyncDisposable {
  /**
   * Remembers verdicts that were given. Returns nothing while there is room; else a promise of room, for the intake to wait on. While the database does not
   * take them there is none to wait for: what does not fit is counted as lost, since each sender has its own answer.
   */
  add(rows: VerdictRow[]): Promise<void> | undefined
  readonly waiting: number
}

/** Writes verdicts in batches, beside the requests that they were given for: a killed process loses those of the last tenth of a second. */
export function createVerdictLog(db: Db, onLost: (rows: number) => void, log: Log, limit = ROWS_WAITING): VerdictLog {
  const stopped = new AbortController()
  let waiting: VerdictRow[] = []
  let running: Promise<void> | undefined
  let failing = false
  let room = Promise.withResolvers<void>()

  return {
    get waiting() {
      return waiting.length
    },
    add(rows) {
      if (rows.length === 0) return undefined
      const taken = failing || stopped.signal.aborted ? rows.slice(0, Math.max(0, limit - waiting.length)) : rows
      if (taken.length < rows.length) onLost(rows.length - taken.length)
      for (const row of taken) waiting.push(row)
      running ??= run()
      return waiting.length < limit || failing ? undefined : room.promise
    },
    async [Symbol.asyncDispose]() {
      stopped.abort()
      await running
      room.resolve()
    },
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      if (waiting.length < ROWS_PER_INSERT) await pause(GATHER_MS, stopped.signal)
      const batch = waiting.slice(0, ROWS_PER_INSERT)
      try {
        await insertVerdicts(db, batch)
        waiting = waiting.slice(batch.length)
        if (failing) log.info({ waiting: waiting.length }, 'verdicts are written again')
        failing = false
      } catch (error) {
        if (!failing) log.warn({ err: error, waiting: waiting.length }, 'verdicts could not be written, tried again')
        failing = true
        // What the database will not take in this form would stop everything behind it; a stopping process has tried.
        if (!isTransient(error) || stopped.signal.aborted) {
          waiting = waiting.slice(batch.length)
          onLost(batch.length)
        } else {
          await pause(RETRY_MS, stopped.signal)
        }
      }
      if (waiting.length < limit || failing) {
        room.resolve()
        room = Promise.withResolvers()
      }
    }
    running = undefined
  }
}

/** Counts verdicts and remembers them. */
export function remember(history: VerdictLog, metrics: GatewayMetrics): (asked: Asked, verdicts: Verdict[]) => Promise<void> | undefined {
  return (asked, verdicts) => {
    metrics.verdicts(asked.stream, verdicts)
    return history.add(rowsToKeep(verdicts, asked, Date.now()))
  }
}
