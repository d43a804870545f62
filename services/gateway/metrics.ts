import type { Metrics } from '@hub/runtime/metrics'
import type { DataStream } from '@hub/schemas/streams'
import { VERDICTS, type Summary } from './verdict.ts'

export interface GatewayMetrics {
  verdicts(stream: DataStream, summary: Summary): void
  commit(seconds: number, events: number): void
}

/** @param waiting events taken in that are not durable yet */
export function createGatewayMetrics(metrics: Metrics, waiting: () => number): GatewayMetrics {
  const events = metrics.counter('hub_gateway_events_total', 'Events by stream and verdict; rehearsals are not counted', ['stream', 'verdict'])
  const commits = metrics.histogram('hub_gateway_commit_seconds', 'Time of one publishing transaction')
  const committed = metrics.counter('hub_gateway_committed_events_total', 'Events decided in publishing transactions')
  metrics.gauge('hub_gateway_waiting_events', 'Events taken in that are not durable yet', [], (gauge) => gauge.set(waiting()))
  return {
    verdicts(stream, summary) {
      for (const verdict of VERDICTS) if (summary[verdict] > 0) events.inc({ stream, verdict }, summary[verdict])
    },
    commit(seconds, count) {
      commits.observe(seconds)
      committed.inc(count)
    },
  }
}
