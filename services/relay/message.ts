import type { ProduceBatch } from '@hub/runtime/kafka'
import { SEQUENCE_START } from '@hub/schemas/log-event'
import type { WaitingRow } from './store.ts'

export type ProduceMessage = ProduceBatch['messages'][number]

/**
 * An outbox row as it goes to the log: the value untouched, CloudEvents (binary mode) and the dense sequence as headers, by which readers
 * notice a loss. `delayMs` is for heartbeats: time from the commit to this produce. `logStart`: the first sequence of a log that holds none yet.
 */
export function toMessage(row: WaitingRow, from: { topic: string; partition: number; region: string }, { delayMs, logStart }: { delayMs?: number | undefined; logStart?: bigint | undefined } = {}): ProduceMessage {
  const sequence = row.sequence.toString()
  const headers: Record<string, string> = {
    ce_id: row.eventId ?? `${from.topic}/${from.partition}/${sequence}`,
    ce_source: `/region/${from.region}`,
    ce_type: row.type,
    ce_time: new Date(row.timeMs).toISOString(),
    ce_specversion: '1.0',
    'content-type': 'application/avro',
    sequence,
  }
  if (row.subject !== null) headers['ce_subject'] = row.subject
  if (row.traceparent !== null) headers['traceparent'] = row.traceparent
  if (delayMs !== undefined) headers['delay-ms'] = Math.ceil(delayMs).toString()
  if (logStart !== undefined) headers[SEQUENCE_START] = logStart.toString()
  return { key: row.key, value: row.value, headers }
}
