import { type Db, OutboxClosedError } from '@hub/runtime/db'
import { isTransient } from '@hub/runtime/errors'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import type { Wakeup } from '@hub/runtime/wakeup'
import { isEnding } from '@hub/schemas/record-rule'
import { databaseIsRestored } from '../intake/admission.ts'
import { createGroupCommit, type GroupCommit } from './group-commit.ts'
import type { GatewayMetrics } from '../metrics.ts'
import type { Outcome, PreparedEvent } from './publish-batch.ts'
import { publishBatch } from './publisher.ts'

/** What has not become durable by then is answered 503. */
export const COMMIT_DEADLINE_MS = 10_000

/** The one door to the outbox: everything that waits goes in together. */
export function createCommitter(db: Db, wakeup: Wakeup, metrics: GatewayMetrics, log: Log): GroupCommit<PreparedEvent, Outcome> {
  return createGroupCommit<PreparedEvent, Outcome>({
    async commit(events) {
      failpoint('publish.taken')
      const started = performance.now()
      try {
        const outcomes = await publishBatch(db, events, isEnding, wakeup)
        metrics.commit((performance.now() - started) / 1000, events.length)
        return outcomes
      } catch (error) {
        metrics.commitFailed()
        throw error instanceof OutboxClosedError ? databaseIsRestored() : error
      }
    },
    isTransient,
    onRetry: (error) => log.warn({ err: error }, 'publishing transaction failed, tried again'),
    maxItems: 1_000,
    // Room for what all streamed bodies together may have under way; new work is turned away before (admission.ts).
    maxWaiting: 40_000,
  })
}
