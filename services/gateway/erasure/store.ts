import type { DbClient } from '@hub/runtime/db'
import type { DataStream } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'

/** A record that was erased: when, by whom and why. */
export interface Erasure {
  readonly recordId: string
  readonly version: number
  readonly eventId: string
  readonly caller: string
  readonly why: string
  readonly at: Date
}

const COLUMNS = 'record_id AS "recordId", version::float8 AS version, event_id::text AS "eventId", caller, why, at'

export async function findErasure(db: DbClient, topic: string, recordId: string, version: number): Promise<Erasure | undefined> {
  const { rows: [row] } = await db.query<Erasure>(`SELECT ${COLUMNS} FROM erasure WHERE topic = $1 AND record_id = $2 AND version = $3`, [topic, recordId, version])
  return row
}

export async function insertErasure(db: DbClient, { topic, recordId, version, eventId, caller, why }: Omit<Erasure, 'at'> & { readonly topic: string }): Promise<Erasure> {
  const { rows: [row] } = await db.query<Erasure>(
    `INSERT INTO erasure (topic, record_id, version, event_id, caller, why) VALUES ($1, $2, $3, $4::uuid, $5, $6) RETURNING ${COLUMNS}`, [topic, recordId, version, eventId, caller, why])
  return row!
}

/** The newest version of a record as this region's replica has it. */
export async function readStanding(db: DbClient, stream: DataStream, region: string, recordId: string): Promise<{ version: number; body: Buffer } | undefined> {
  const { rows: [row] } = await db.query<{ version: number; body: Buffer }>(`SELECT version::float8 AS version, body FROM ${TABLES[stream].table} WHERE region = $1 AND record_id = $2`, [region, recordId])
  return row
}

/** Forgets what versions below this one were about: a hash of few facts could be found by trying. Their numbers stay. */
export async function forgetContent(db: DbClient, topic: string, recordId: string, below: number): Promise<void> {
  await db.query(`UPDATE published SET body_hash = '' WHERE topic = $1 AND record_id = $2 AND version < $3`, [topic, recordId, below])
}

/** An earlier version of a record that has ended, as it stood on the log. */
export interface ArchivedVersion {
  readonly version: bigint
  readonly kind: string
  readonly eventId: string
  readonly archivedAt: Date
  readonly body: Buffer
}

/** What the archive of this region has of a record, the newest first. */
export async function readArchive(db: DbClient, stream: DataStream, recordId: string, limit: number): Promise<ArchivedVersion[]> {
  const { rows } = await db.query<ArchivedVersion>(
    'SELECT version, kind, event_id AS "eventId", archived_at AS "archivedAt", body FROM archive WHERE stream = $1 AND record_id = $2 ORDER BY version DESC LIMIT $3', [stream, recordId, limit])
  return rows
}
