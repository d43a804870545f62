import type { Metrics } from '@hub/runtime/metrics'

export type ScrubMetrics = ReturnType<typeof createScrubMetrics>

export function createScrubMetrics(metrics: Metrics) {
  return {
    partitions: metrics.counter('hub_replicator_scrub_partitions_total', 'Passes over a partition, by what they ended with', ['result']),
    rows: metrics.counter('hub_replicator_scrub_rows_total', 'Rows recomputed from their bytes'),
    seconds: metrics.histogram('hub_replicator_scrub_seconds', 'One pass over a partition, pauses included', [], [0.01, 0.1, 0.5, 1, 5, 20, 60, 300]),
    findings: metrics.counter('hub_replicator_scrub_findings_total', 'Records that differed from the log', ['what']),
    repaired: metrics.counter('hub_replicator_scrub_repaired_rows_total', 'Rows put right from the log'),
    age: metrics.gauge('hub_replicator_scrub_oldest_seconds', 'How long ago the partition was looked at that waits longest; for one that never was, since this process took over'),
    different: metrics.gauge('hub_replicator_scrub_different_partitions', 'Partitions that are not what the log makes of them and could not be put right'),
  }
}
