import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import type { Metrics } from '@hub/runtime/metrics'
import { markRetention } from '@hub/runtime/retention'
import { sharedReading } from '@hub/runtime/shared-reading'
import { readBacklog } from './store.ts'

/** A collector gives up on the whole answer after some seconds. */
const DATABASE_DEADLINE_MS = 2_000

export type RelayMetrics = ReturnType<typeof createRelayMetrics>

export function createRelayMetrics(metrics: Metrics, db: Db, topics: readonly string[]) {
  const read = sharedReading(() => within(readBacklog(db, topics), DATABASE_DEADLINE_MS))
  metrics.gauge('hub_relay_waiting_events', 'Events in the outbox that are not known to be on the log; no value while the database is silent', ['topic'], async (gauge) => {
    const backlog = await read()
    gauge.reset()
    for (const { topic, rows } of backlog) gauge.set({ topic }, rows)
  })
  metrics.gauge('hub_relay_oldest_waiting_seconds', 'Age of the oldest event in the outbox that is not known to be on the log; no value while the database is silent', ['topic'], async (gauge) => {
    const backlog = await read()
    gauge.reset()
    for (const { topic, oldestSeconds } of backlog) gauge.set({ topic }, oldestSeconds)
  })
  return {
    active: metrics.gauge('hub_relay_active', '1 while this process holds the lease and sends'),
    paused: metrics.gauge('hub_relay_paused_partitions', 'Partitions that do not move, by reason', ['reason']),
    sends: metrics.counter('hub_relay_sends_total', 'Produce requests acknowledged'),
    events: metrics.counter('hub_relay_events_total', 'Events acknowledged by the broker', ['topic']),
    unknown: metrics.counter('hub_relay_unknown_outcomes_total', 'Produce requests without an answer; their events were sent again'),
    overtaken: metrics.counter('hub_relay_overtaken_events_total', 'Events acknowledged to this relay after another had brought them to the log: repeats there, and their positions were not written again'),
    refused: metrics.counter('hub_relay_refused_total', 'Produce requests the broker refused', ['topic']),
    produceSeconds: metrics.histogram('hub_relay_produce_seconds', 'From handing a request to the producer to its acknowledgement'),
    trimmed: markRetention(metrics, 'outbox'),
    heartbeats: metrics.counter('hub_relay_heartbeats_total', 'Heartbeat ticks written'),
  }
}
