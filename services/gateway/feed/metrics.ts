import type { Metrics } from '@hub/runtime/metrics'
import type { DataStream } from '@hub/schemas/streams'

export interface FeedMetrics {
  readonly page: (stream: DataStream, changes: number) => void
  readonly delivered: (stream: DataStream, changes: number) => void
  readonly cut: (what: 'changes' | 'snapshot') => void
  readonly snapshot: (stream: DataStream, records: number) => void
}

/** @param readers live readers now */
export function createFeedMetrics(metrics: Metrics, readers: () => number): FeedMetrics {
  const pages = metrics.counter('hub_gateway_feed_pages_total', 'Pages of the change feed read from the database', ['stream'])
  const written = metrics.counter('hub_gateway_feed_changes_total', 'Changes written out, each once for all readers that share its page', ['stream'])
  const delivered = metrics.counter('hub_gateway_feed_delivered_total', 'Changes sent to readers', ['stream'])
  const cut = metrics.counter('hub_gateway_feed_cut_total', 'Readers cut because they did not take what was sent', ['what'])
  const snapshots = metrics.counter('hub_gateway_snapshot_records_total', 'Records sent in snapshots', ['stream'])
  metrics.gauge('hub_gateway_feed_readers', 'Live readers of change feeds', [], (gauge) => gauge.set(readers()))
  return {
    page(stream, changes) {
      pages.inc({ stream })
      written.inc({ stream }, changes)
    },
    delivered: (stream, changes) => delivered.inc({ stream }, changes),
    cut: (what) => cut.inc({ what }),
    snapshot: (stream, records) => snapshots.inc({ stream }, records),
  }
}
