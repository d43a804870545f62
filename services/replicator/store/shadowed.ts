import { type DbClient, type DbTx, int8Array, textArray } from '@hub/runtime/db'
import { contractFor } from '@hub/schemas/contracts'
import { TABLES } from '@hub/schemas/tables'
import type { RecordStream } from './columns.ts'

/**
 * Hands the current bytes of these records to the gateway for publishing again: on the log a useless event lies above them, and
 * compaction would keep that one. Its time on the log is when it was applied here. Runs after the current rows are written.
 */
export function putShadowed(c: DbTx, topic: string, region: string, stream: RecordStream, rows: readonly { key: string; offset: number }[]): void {
  if (rows.length === 0) return
  const subject = TABLES[stream].columns.some(({ name }) => name === 'uscc') ? 't.uscc' : 'NULL'
  c.send({
    text: `INSERT INTO shadowed (topic, partition, record_id, version, event_id, type, subject, value, time_ms, detected_offset, at)
     SELECT $1, t.partition, t.record_id, t.version, t.event_id, CASE WHEN t.ended THEN $4 ELSE $3 END, ${subject}, t.body, (extract(epoch FROM t.applied_at) * 1000)::int8, k.log_offset, now()
       FROM unnest($5::text[], $6::int8[]) AS k (record_id, log_offset)
       JOIN ${TABLES[stream].table} t ON t.region = $2 AND t.record_id = k.record_id
     ON CONFLICT (topic, record_id) DO UPDATE SET version = excluded.version, event_id = excluded.event_id, type = excluded.type,
       value = excluded.value, time_ms = excluded.time_ms, detected_offset = excluded.detected_offset, queued_sequence = NULL, at = excluded.at`,
    values: [topic, region, contractFor(stream, 'original').fullName, contractFor(stream, 'void').fullName, textArray(rows.map(({ key }) => key)), int8Array(rows.map(({ offset }) => offset))],
  })
}

/** Topics and partitions of which `shadowed` holds records, as `topic/partition`. */
export async function readShadowing(db: DbClient): Promise<Set<string>> {
  const { rows } = await db.query<{ topic: string; partition: number }>('SELECT DISTINCT topic, partition FROM shadowed')
  return new Set(rows.map(({ topic, partition }) => `${topic}/${partition}`))
}

/** Takes out records whose newest version has come again. */
export function dropShadowed(c: DbTx, topic: string, keys: readonly string[]): void {
  if (keys.length === 0) return
  c.send({ name: 'drop shadowed', text: 'DELETE FROM shadowed WHERE topic = $1 AND record_id = ANY ($2::text[])', values: [topic, textArray(keys)] })
}
