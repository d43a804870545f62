import type { Metrics } from '@hub/runtime/metrics'
import type { DataStream } from '@hub/schemas/streams'
import { count, emptySummary, VERDICTS, type Verdict } from './verdicts/verdict.ts'

export interface GatewayMetrics {
  verdicts(stream: DataStream, verdicts: readonly Verdict[]): void
  /** Verdicts that were given and could not be remembered. */
  forgotten(verdicts: number): void
  commit(seconds: number, events: number): void
  commitFailed(): void
}

/** @param waiting events taken in that are not durable yet */
export function createGatewayMetrics(metrics: Metrics, waiting: () => number): GatewayMetrics {
  const events = metrics.counter('hub_gateway_events_total', 'Events by stream and verdict; rehearsals are not counted', ['stream', 'verdict'])
  const commits = metrics.histogram('hub_gateway_commit_seconds', 'Time of one publishing transaction')
  const committed = metrics.counter('hub_gateway_committed_events_total', 'Events decided in publishing transactions')
  const failures = metrics.counter('hub_gateway_commit_failures_total', 'Publishing transactions that the database did not take; most are tried again')
  const forgotten = metrics.counter('hub_gateway_forgotten_verdicts_total', 'Verdicts that were given and that the history lacks, because the database did not take them in time')
  metrics.gauge('hub_gateway_waiting_events', 'Events taken in that are not durable yet', [], (gauge) => gauge.set(waiting()))
  return {
    commitFailed: () => failures.inc(),
    forgotten: (verdicts) => forgotten.inc(verdicts),
    verdicts(stream, verdicts) {
      const summary = emptySummary()
      for (const { verdict } of verdicts) count(summary, verdict)
      for (const verdict of VERDICTS) if (summary[verdict] > 0) events.inc({ stream, verdict }, summary[verdict])
    },
    commit(seconds, count) {
      commits.observe(seconds)
      committed.inc(count)
    },
  }
}
