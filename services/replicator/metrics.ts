import type { Metrics } from '@hub/runtime/metrics'
import { markRetention } from '@hub/runtime/retention'
import type { Partitions } from './partitions.ts'
import type { Queue } from './queue.ts'

export type ReplicatorMetrics = ReturnType<typeof createReplicatorMetrics>

export function createReplicatorMetrics(metrics: Metrics, { partitions, queue }: { partitions: Partitions; queue: Queue }) {
  metrics.gauge('hub_replicator_lag_events', 'Events on the log and not applied, as of the latest fetch', ['topic'], (gauge) => {
    gauge.reset()
    for (const { topic, logEnd, next } of partitions.slots) gauge.inc({ topic }, Math.max(0, logEnd - next))
  })
  metrics.gauge('hub_replicator_transport_staleness_seconds', 'How old the newest word of a region is here, on this process\'s own clock', ['origin'], (gauge) => {
    gauge.reset()
    const now = performance.now()
    const worst = new Map<string, number>()
    for (const { region, technical, freshness } of partitions.slots) {
      const staleness = technical ? undefined : freshness.staleness(now)
      if (staleness !== undefined) worst.set(region, Math.max(staleness, worst.get(region) ?? 0))
    }
    for (const [origin, ms] of worst) gauge.set({ origin }, ms / 1000)
  })
  metrics.gauge('hub_replicator_paused_partitions', 'Partitions that nothing is taken from, by reason', ['reason'], (gauge) => {
    gauge.reset()
    for (const { code } of partitions.stopped.values()) gauge.inc({ reason: code })
  })
  metrics.gauge('hub_replicator_parked_events', 'Parked events that are the newest of their key, by the region that published them', ['origin'], (gauge) => {
    gauge.reset()
    for (const { region, parkedOpen } of partitions.slots) gauge.inc({ origin: region }, parkedOpen)
  })
  metrics.gauge('hub_replicator_queue_events', 'Events consumed and not applied', [], (gauge) => gauge.set(queue.items))
  metrics.gauge('hub_replicator_queue_bytes', 'Memory they take, about', [], (gauge) => gauge.set(queue.bytes))
  return {
    trimmed: markRetention(metrics, 'replica'),
    active: metrics.gauge('hub_replicator_active', '1 while this process holds the lease and applies'),
    events: metrics.counter('hub_replicator_events_total', 'Events of committed transactions', ['class']),
    batchEvents: metrics.histogram('hub_replicator_transaction_events', 'Events of one transaction', [], [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000]),
    transactionSeconds: metrics.histogram('hub_replicator_transaction_seconds', 'From its begin to its commit'),
    failures: metrics.counter('hub_replicator_transaction_failures_total', 'Transactions that the database did not take and that were tried again'),
    fenced: metrics.counter('hub_replicator_fenced_total', 'Times this process found another one in its place'),
  }
}
