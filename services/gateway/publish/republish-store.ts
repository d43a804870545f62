import { int8Array, textArray, type DbClient } from '@hub/runtime/db'
import type { RecordKey } from './published.ts'

/** A record of this region whose newest version is not the last on the log (design 3, "Compaction"). */
export interface ShadowedRow {
  topic: string
  partition: number
  record_id: string
  version: bigint
  event_id: string
  type: string
  subject: string | null
  value: Buffer
  time_ms: bigint
  detected_offset: bigint
}

export async function readShadowed(db: DbClient, topics: readonly string[], limit: number): Promise<ShadowedRow[]> {
  const { rows } = await db.query<ShadowedRow>(
    `SELECT topic, partition, record_id, version, event_id, type, subject, value, time_ms, detected_offset
       FROM shadowed WHERE queued_sequence IS NULL AND topic = ANY ($1::text[]) ORDER BY topic, partition, record_id LIMIT $2`,
    [textArray(topics), limit],
  )
  return rows
}

/** The newest version and its sequence of each of these records. */
export async function readNewest(db: DbClient, keys: RecordKey[]): Promise<(RecordKey & { version: bigint; sequence: bigint })[]> {
  const { rows } = await db.query<{ topic: string; record_id: string; version: bigint; sequence: bigint }>(
    `SELECT p.* FROM unnest($1::text[], $2::text[]) AS k (topic, record_id)
      CROSS JOIN LATERAL (
        SELECT topic, record_id, version, sequence FROM published
         WHERE topic = k.topic AND record_id = k.record_id ORDER BY version DESC LIMIT 1) p`,
    [textArray(keys.map((key) => key.topic)), textArray(keys.map((key) => key.recordId))],
  )
  return rows.map(({ topic, record_id: recordId, version, sequence }) => ({ topic, recordId, version, sequence }))
}

/** Notes which sequence brings the record's current bytes; a row that changed since it was read stays open. */
export async function markQueued(db: DbClient, rows: (ShadowedRow & { queued: bigint })[]): Promise<void> {
  await db.query(
    `UPDATE shadowed s SET queued_sequence = q.sequence
       FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS q (topic, record_id, detected_offset, sequence)
      WHERE s.topic = q.topic AND s.record_id = q.record_id AND s.detected_offset = q.detected_offset`,
    [
      textArray(rows.map((row) => row.topic)),
      textArray(rows.map((row) => row.record_id)),
      int8Array(rows.map((row) => row.detected_offset)),
      int8Array(rows.map((row) => row.queued)),
    ],
  )
}

/** Whether this region's replica has applied everything known to be on these topics' logs. False where it has none of them yet, or no replica stands beside. */
export async function isCaughtUp(db: DbClient, topics: readonly string[]): Promise<boolean> {
  const { rows: [made] } = await db.query<{ exists: boolean }>(`SELECT to_regclass('partition_state') IS NOT NULL AS exists`)
  if (made?.exists !== true) return false
  const { rows } = await db.query<{ caughtUp: boolean | null }>('SELECT bool_and(lag = 0) AS "caughtUp" FROM partition_state WHERE topic = ANY ($1::text[])', [textArray(topics)])
  return rows[0]?.caughtUp ?? false
}
