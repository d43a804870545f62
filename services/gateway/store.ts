import { boolArray, byteaArray, int4Array, int8Array, textArray, type Db, type DbClient, type DbTx } from '@hub/runtime/db'
import type { NewRow } from './publish/publish-batch.ts'

/** One record of one topic. */
export interface RecordKey {
  topic: string
  recordId: string
}

/** One published version as the database has it. */
export interface PublishedRow extends RecordKey {
  version: number
  /** In its source's own count, where that is another than `version`. */
  sourceVersion?: number | undefined
  /** An act of the hub itself. */
  own: boolean
  hash: Buffer
  eventId: string
  kind: string
}

interface RawPublished {
  topic: string
  record_id: string
  version: bigint
  body_hash: Buffer
  event_id: string
  kind: string
  source_version: bigint | null
  own: boolean
}

/** The newest published version of each of these records; records never published are absent. */
export async function readCurrent(db: DbClient, keys: RecordKey[]): Promise<PublishedRow[]> {
  const { rows } = await db.query<RawPublished>({
    name: 'gateway-current',
    text: `SELECT p.* FROM unnest($1::text[], $2::text[]) AS k (topic, record_id)
            CROSS JOIN LATERAL (
              SELECT topic, record_id, version, body_hash, event_id::text, kind, source_version, own FROM published
               WHERE topic = k.topic AND record_id = k.record_id ORDER BY version DESC LIMIT 1) p`,
    values: [textArray(keys.map((key) => key.topic)), textArray(keys.map((key) => key.recordId))],
  })
  return rows.map(published)
}

/** Those of these versions, numbered as their source numbers them, that are published; of one that was told again after it was taken back the newest. */
export async function readVersions(db: DbClient, keys: (RecordKey & { version: number })[]): Promise<PublishedRow[]> {
  const { rows } = await db.query<RawPublished>({
    name: 'gateway-versions',
    text: `SELECT p.* FROM unnest($1::text[], $2::text[], $3::bigint[]) AS k (topic, record_id, version)
            CROSS JOIN LATERAL (
              SELECT topic, record_id, version, body_hash, event_id::text, kind, source_version, own FROM published
               WHERE topic = k.topic AND record_id = k.record_id AND version >= k.version AND coalesce(source_version, version) = k.version AND NOT own ORDER BY version DESC LIMIT 1) p`,
    values: [textArray(keys.map((key) => key.topic)), textArray(keys.map((key) => key.recordId)), int8Array(keys.map((key) => key.version))],
  })
  return rows.map(published)
}

/** Those of these contents that are published of their records by the records' source, since all that it said was taken back if it ever was; the newest of each. */
export async function readBodies(db: DbClient, keys: readonly (RecordKey & { readonly hash: Buffer })[]): Promise<PublishedRow[]> {
  const { rows } = await db.query<RawPublished>({
    name: 'gateway-bodies',
    text: `SELECT p.* FROM unnest($1::text[], $2::text[], $3::bytea[]) AS k (topic, record_id, hash)
            CROSS JOIN LATERAL (
              SELECT topic, record_id, version, body_hash, event_id::text, kind, source_version, own FROM published
               WHERE topic = k.topic AND record_id = k.record_id AND body_hash = k.hash AND NOT own
                 AND version > coalesce((SELECT max(version) FROM published b WHERE b.topic = k.topic AND b.record_id = k.record_id AND b.own AND b.source_version = 0), 0)
               ORDER BY version DESC LIMIT 1) p`,
    values: [textArray(keys.map((key) => key.topic)), textArray(keys.map((key) => key.recordId)), byteaArray(keys.map((key) => key.hash))],
  })
  return rows.map(published)
}

/** Remembers what the same transaction wrote into the outbox. */
export function insertPublished(client: DbTx, rows: NewRow[], importId: string | null = null): void {
  client.send({
    name: 'gateway-publish',
    text: `INSERT INTO published (topic, record_id, version, body_hash, event_id, partition, sequence, kind, import_id, source_version, own)
           SELECT t, r, v, h, e::uuid, p, s, k, $9::uuid, c, o
             FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::text[], $6::int[], $7::bigint[], $8::text[], $10::bigint[], $11::bool[])
               AS n (t, r, v, h, e, p, s, k, c, o)`,
    values: [
      textArray(rows.map((row) => row.event.topic)),
      textArray(rows.map((row) => row.event.recordId)),
      int8Array(rows.map((row) => row.version)),
      byteaArray(rows.map((row) => row.event.hash)),
      textArray(rows.map((row) => row.event.eventId)),
      int4Array(rows.map((row) => row.event.partition)),
      int8Array(rows.map((row) => row.sequence)),
      textArray(rows.map((row) => row.event.kind)),
      importId,
      int8Array(rows.map((row) => row.sourceVersion)),
      boolArray(rows.map((row) => row.event.origin.from === 'hub')),
    ],
  })
}

/** Imports of the region that have not ended, by state. */
export async function countOpenImports(db: DbClient): Promise<{ state: string; imports: number }[]> {
  const { rows } = await db.query<{ state: string; imports: number }>(
    `SELECT state, count(*)::int AS imports FROM import WHERE state IN ('received', 'running', 'waiting-confirmation', 'reverting') GROUP BY state`)
  return rows
}

/** Forgets rehearsals of files that ended long ago, with what was told of their rows. @param before an id: imports below it are meant */
export async function trimRehearsals(db: DbClient, before: string): Promise<void> {
  await db.query(`DELETE FROM import WHERE id < $1::uuid AND dry_run AND state IN ('done', 'failed')`, [before])
}

const TRIM_ROWS = 5_000

/**
 * Deletes versions with ids above `after` and below `before` that have an older and a newer one of their record, among some thousands that it looks at.
 * @returns where to go on; undefined = nothing is left
 */
export async function trimVersions(db: DbClient, after: string, before: string): Promise<string | undefined> {
  const { rows: [last] } = await db.query<{ id: string }>(
    `WITH slice AS MATERIALIZED (SELECT topic, record_id, version, event_id FROM published WHERE event_id > $1::uuid AND event_id < $2::uuid ORDER BY event_id LIMIT ${TRIM_ROWS}),
          gone AS (
            DELETE FROM published p USING slice s
             WHERE p.topic = s.topic AND p.record_id = s.record_id AND p.version = s.version
               AND EXISTS (SELECT FROM published o WHERE o.topic = s.topic AND o.record_id = s.record_id AND o.version < s.version)
               AND EXISTS (SELECT FROM published n WHERE n.topic = s.topic AND n.record_id = s.record_id AND n.version > s.version))
     SELECT event_id::text AS id FROM slice ORDER BY event_id DESC LIMIT 1`, [after, before])
  return last?.id
}

/** Where an event of this region stands: its place on the log once it is there, and the next version of its record. */
export interface PublishedEvent {
  topic: string
  recordId: string
  version: bigint
  kind: string
  partition: number
  sequence: bigint
  at: Date
  offset: bigint | null
  next: { version: bigint; eventId: string; offset: bigint | null } | null
}

export async function findPublished(db: DbClient, eventId: string): Promise<PublishedEvent | undefined> {
  const { rows } = await db.query<{
    topic: string
    record_id: string
    version: bigint
    kind: string
    partition: number
    sequence: bigint
    at: Date
    log_offset: bigint | null
    next_version: bigint | null
    next_event_id: string | null
    next_offset: bigint | null
  }>(
    `SELECT p.topic, p.record_id, p.version, p.kind, p.partition, p.sequence, p.at,
            ${offsetOf('p')} AS log_offset,
            n.version AS next_version, n.event_id::text AS next_event_id, ${offsetOf('n')} AS next_offset
       FROM published p
       LEFT JOIN LATERAL (
         SELECT * FROM published l WHERE l.topic = p.topic AND l.record_id = p.record_id AND l.version > p.version
          ORDER BY l.version LIMIT 1) n ON true
      WHERE p.event_id = $1::uuid`,
    [eventId],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  const { topic, record_id: recordId, version, kind, partition, sequence, at, log_offset: offset } = row
  const next = row.next_version === null ? null : { version: row.next_version, eventId: row.next_event_id!, offset: row.next_offset }
  return { topic, recordId, version, kind, partition, sequence, at, offset, next }
}

/** Since when each region's replica has been past an offset, and what it parked there. Empty where no replicator runs. */
export interface Arrival {
  region: string
  since: Date | null
  parkedReason: string | null
}

export async function readArrivals(db: DbClient, topic: string, partition: number, offset: bigint): Promise<Arrival[]> {
  const { rows } = await db.query<{ region: string; since: Date | null; reason: string | null }>(
    `SELECT region, l.since, k.reason
       FROM (SELECT region, min(at) AS since
               FROM (SELECT region, at FROM position_log WHERE topic = $1 AND partition = $2 AND next_offset > $3
                     UNION ALL
                     SELECT region, at FROM region_position r
                      WHERE topic = $1 AND partition = $2 AND next_offset > $3
                        AND r.generation = coalesce((SELECT p.generation FROM relay_position p WHERE p.topic = $1 AND p.partition = $2), r.generation)) past
              GROUP BY region) l
       FULL JOIN (SELECT region, reason FROM region_parked WHERE topic = $1 AND partition = $2 AND log_offset = $3) k USING (region)`,
    [topic, partition, offset],
  )
  return rows.map(({ region, since, reason }) => ({ region, since, parkedReason: reason }))
}

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

/** Position, counters and digest of each partition of this region's replica. */
export interface PartitionState {
  region: string
  stream: string
  topic: string
  partition: number
  generation: string
  nextOffset: bigint
  lag: bigint
  applied: bigint
  duplicate: bigint
  stale: bigint
  folded: bigint
  parked: bigint
  control: bigint
  absent: bigint
  records: bigint
  digest: string
  pausedReason: string | null
}

export async function readPosition(db: DbClient): Promise<PartitionState[]> {
  const { rows } = await db.query<PartitionState>(
    `SELECT region, stream, topic, partition, generation, next_offset AS "nextOffset", lag, applied, duplicate, stale, folded, parked,
            control, absent, records, digest, paused_reason AS "pausedReason"
       FROM partition_state ORDER BY topic, partition`,
  )
  return rows
}

/** This replica's own id: a restored or rebuilt one has another. */
export async function readReplicaId(db: DbClient): Promise<string> {
  const { rows } = await db.query<{ id: string }>('SELECT replica_id::text AS id FROM applier')
  return rows[0]?.id ?? ''
}

/** Whether this region's replica has applied everything known to be on these topics' logs. False where it has none of them yet, or no replica stands beside. */
export async function isCaughtUp(db: DbClient, topics: readonly string[]): Promise<boolean> {
  const { rows: [made] } = await db.query<{ exists: boolean }>(`SELECT to_regclass('partition_state') IS NOT NULL AS exists`)
  if (made?.exists !== true) return false
  const { rows } = await db.query<{ caughtUp: boolean | null }>('SELECT bool_and(lag = 0) AS "caughtUp" FROM partition_state WHERE topic = ANY ($1::text[])', [textArray(topics)])
  return rows[0]?.caughtUp ?? false
}

/** Why nobody may write into the outbox now; null as a rule. */
export async function readClosed(db: DbClient): Promise<string | null> {
  const { rows } = await db.query<{ closed: string | null }>('SELECT max(closed) AS closed FROM outbox_head')
  return rows[0]!.closed
}

/** Answers when the database does. */
export async function ping(db: Db): Promise<void> {
  await db.query('SELECT 1')
}

function published(row: RawPublished): PublishedRow {
  return { topic: row.topic, recordId: row.record_id, version: Number(row.version), hash: row.body_hash, eventId: row.event_id, kind: row.kind, own: row.own, ...(row.source_version !== null && { sourceVersion: Number(row.source_version) }) }
}

function offsetOf(alias: string): string {
  return `(SELECT s.first_offset + ${alias}.sequence - s.first_sequence FROM sent_range s
            WHERE s.topic = ${alias}.topic AND s.partition = ${alias}.partition
              AND s.first_sequence <= ${alias}.sequence AND s.last_sequence >= ${alias}.sequence)`
}

/** Bytes beside key and value that one event takes in the outbox and its index, about. */
const ROW_BYTES = 300

/**
 * Bytes that wait in the outbox, estimated: the exact number of events of each partition, times the mean size of its oldest and newest few. Cheap however
 * many wait. Without a relay's position nothing has been sent.
 */
export async function readWaitingBytes(db: DbClient): Promise<number> {
  const { rows } = await db.query<{ bytes: number }>({
    text: `SELECT coalesce(sum(w.waiting * (sample.bytes + ${ROW_BYTES})), 0)::float8 AS bytes
             FROM (SELECT h.topic, h.partition, h.next_sequence, coalesce(p.last_sequence, -1) AS sent, h.next_sequence - 1 - coalesce(p.last_sequence, -1) AS waiting
                     FROM outbox_head h LEFT JOIN relay_position p USING (topic, partition)) w
            CROSS JOIN LATERAL (
              SELECT avg(octet_length(few.value) + octet_length(few.key)) AS bytes FROM (
                (SELECT value, key FROM outbox WHERE topic = w.topic AND partition = w.partition AND sequence > w.sent ORDER BY sequence LIMIT 20)
                UNION ALL
                (SELECT value, key FROM outbox WHERE topic = w.topic AND partition = w.partition AND sequence > w.sent ORDER BY sequence DESC LIMIT 20)) few) sample
            WHERE w.waiting > 0`,
  })
  return rows[0]!.bytes
}
