import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { pause } from '@hub/runtime/pause'
import type { Queue } from './queue.ts'
import { type Redriving, redriveWhileHolding } from './redriver.ts'
import { createScrubMetrics } from './scrub-metrics.ts'
import { type Scrubbing, scrubWhileHolding } from './scrubber.ts'
import type { Lease } from './store/lease.ts'
import { watchConvergence } from './watch-convergence.ts'

/** Events waiting that make a backlog. */
const BACKLOG = 1_000
/** Whoever waits for the lease must not wait for a statement of the scrubber; what outlives its lease is refused by the fence. */
const ENDING_MS = 1_000

export interface Proof extends Omit<Scrubbing, 'metrics' | 'busy'>, Redriving {
  readonly queue: Queue
  readonly metrics: Metrics
  readonly log: Log
}

/** Does `work` and, beside it, proves again and again that the replica is what the log and the other regions say, and redrives what it is asked to. Ends as `work` does. */
export async function withProof(lease: Lease, options: Proof, signal: AbortSignal, work: Promise<void>): Promise<void> {
  const { queue, metrics, log } = options
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  const beside = Promise.all([
    scrubWhileHolding(lease, { ...options, metrics: createScrubMetrics(metrics), busy: () => queue.items > BACKLOG }, ended),
    watchConvergence(options, ended),
    redriveWhileHolding(lease, options, ended),
  ]).catch((error: unknown) => log.error({ err: error }, 'the replica is not looked at any more, until the next lease'))
  try {
    await work
  } finally {
    stop.abort()
    await Promise.race([beside, pause(ENDING_MS, new AbortController().signal)])
  }
}
