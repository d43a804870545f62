import { boolArray, byteaArray, int4Array, int8Array, textArray, type DbClient, type DbTx } from '@hub/runtime/db'
import type { NewRow } from './publish-batch.ts'

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

function published(row: RawPublished): PublishedRow {
  return { topic: row.topic, recordId: row.record_id, version: Number(row.version), hash: row.body_hash, eventId: row.event_id, kind: row.kind, own: row.own, ...(row.source_version !== null && { sourceVersion: Number(row.source_version) }) }
}
