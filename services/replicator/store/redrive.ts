import { type Db, type DbClient, type DbTx, int8Array } from '@hub/runtime/db'
import { type DataStream, isDataStream, type Region, type Stream } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'
import type { Counts, Digest } from '../apply.ts'
import type { RecordItem } from '@hub/schemas/log-item'
import type { KeptVersion } from '../redrive.ts'
import type { RecordStream } from './columns.ts'

/** Which of the parked events somebody wants to be read again; null = any. */
export interface RedriveRequest {
  readonly id: string
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: bigint | null
  readonly reason: string | null
  readonly who: string
  readonly why: string
}

export async function nextRedrive(db: Db): Promise<RedriveRequest | undefined> {
  const { rows } = await db.query<RedriveRequest>(
    'SELECT id::text, topic, partition, log_offset AS "offset", reason, who, why FROM redrive_request WHERE finished_at IS NULL ORDER BY requested_at, id LIMIT 1')
  return rows[0]
}

export async function finishRedrive(db: Db, id: string, outcome: object): Promise<void> {
  await db.query('UPDATE redrive_request SET finished_at = now(), outcome = $2::jsonb WHERE id = $1::uuid', [id, JSON.stringify(outcome)])
}

/** Forgets what was asked for and done longer ago than this; the audit keeps it. */
export async function trimRedriveRequests(db: Db, days: number): Promise<void> {
  await db.query('DELETE FROM redrive_request WHERE finished_at < now() - make_interval(days => $1::int)', [days])
}

/** A partition of any topic. */
export interface LogPlace {
  readonly topic: string
  readonly partition: number
  readonly region: Region
  readonly stream: Stream
  readonly technical: boolean
}

/** Where a parked event stands. */
export interface ParkedPlace extends LogPlace {
  readonly offset: number
}

/** Parked events that a request asks for, in the order of the logs, from after a place on. */
export async function readWanted(db: Db, { topic, partition, offset, reason }: RedriveRequest, after: ParkedPlace | undefined, limit: number): Promise<ParkedPlace[]> {
  const { rows } = await db.query<{ topic: string; partition: number; region: Region; stream: Stream; offset: bigint }>(
    `SELECT p.topic, p.partition, o.region, o.stream, p.log_offset AS "offset"
       FROM parked p JOIN consumer_offset o USING (topic, partition)
      WHERE ($1::text IS NULL OR p.topic = $1) AND ($2::int IS NULL OR p.partition = $2) AND ($3::bigint IS NULL OR p.log_offset = $3) AND ($4::text IS NULL OR p.reason = $4)
        AND (p.topic, p.partition, p.log_offset) > ($5::text COLLATE "C", $6::int, $7::bigint)
      ORDER BY p.topic, p.partition, p.log_offset LIMIT $8`,
    [topic, partition, offset, reason, after?.topic ?? '', after?.partition ?? 0, after?.offset ?? -1, limit])
  return rows.map((row) => ({ ...row, technical: !isDataStream(row.stream), offset: Number(row.offset) }))
}

/** A parked event as it is noted. */
export interface ParkedRow {
  readonly key: string
  readonly reason: string
  readonly hash: Buffer
  readonly at: Date
  readonly buriedBy: bigint | null
}

/** In the applier's transaction. Undefined where it is parked no more. */
export async function readParkedRow(c: DbClient, { topic, partition, offset }: ParkedPlace): Promise<ParkedRow | undefined> {
  const { rows } = await c.query<ParkedRow>(
    `SELECT key, reason, int8send(hash_hi) || int8send(hash_lo) AS hash, parked_at AS at, buried_by AS "buriedBy" FROM parked WHERE topic = $1 AND partition = $2 AND log_offset = $3 FOR UPDATE`,
    [topic, partition, offset])
  return rows[0]
}

/** Every version of a record that is kept, in the order of their offsets. */
export async function readKeptVersions(c: DbClient, stream: DataStream, region: string, key: string): Promise<KeptVersion[]> {
  const { rows } = await c.query<{ offset: bigint; to: bigint | null; version: bigint; hash: Buffer; ended: boolean; change: bigint | null }>(
    `SELECT from_offset AS "offset", to_offset AS "to", version, hub_record_hash(record_id, version, body) AS hash, ended, change_no AS change
       FROM history WHERE stream = $1 AND region = $2 AND record_id = $3
      UNION ALL
     SELECT log_offset, NULL, version, int8send(hash_hi) || int8send(hash_lo), ended, change_no FROM ${TABLES[stream].table} WHERE region = $2 AND record_id = $3
      ORDER BY 1`,
    [stream, region, key])
  return rows.map((row) => ({ offset: Number(row.offset), to: row.to === null ? undefined : Number(row.to), version: row.version, hash: row.hash, ended: row.ended, change: row.change ?? undefined }))
}

/** Ends superseded versions earlier than they did. */
export function endVersions(c: DbTx, stream: RecordStream, region: string, key: string, ends: readonly { readonly offset: number; readonly to: number }[]): void {
  if (ends.length === 0) return
  c.send({
    text: `UPDATE history h SET to_offset = e.to_offset FROM unnest($4::int8[], $5::int8[]) AS e (from_offset, to_offset)
            WHERE h.stream = $1 AND h.region = $2 AND h.record_id = $3 AND h.from_offset = e.from_offset`,
    values: [stream, region, key, int8Array(ends.map(({ offset }) => offset)), int8Array(ends.map(({ to }) => to))],
  })
}

export function forgetVersions(c: DbTx, stream: RecordStream, region: string, key: string, offsets: readonly number[]): void {
  if (offsets.length === 0) return
  c.send({ text: 'DELETE FROM history WHERE stream = $1 AND region = $2 AND record_id = $3 AND from_offset = ANY ($4::int8[])', values: [stream, region, key, int8Array(offsets)] })
}

/** Puts a version into history at its own place, and gives the current row the next number: who reads the feed in order ends with the newest. */
export function insertVersion(c: DbTx, stream: RecordStream, { region, partition }: LogPlace, item: RecordItem, to: number, change: bigint): void {
  c.send({
    text: `INSERT INTO history (stream, region, record_id, from_offset, to_offset, partition, version, kind, ended, event_id, change_no, body)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    values: [stream, region, item.key, item.offset, to, partition, item.version, item.kind, item.ended, item.eventId, change, item.body],
  })
  c.send({ text: `UPDATE ${TABLES[stream].table} SET change_no = $3 WHERE region = $1 AND record_id = $2`, values: [region, item.key, change + 1n] })
}

/** How counts and digests of a partition change. */
export interface KeptChange {
  readonly counts: Partial<Counts>
  readonly digest: Digest
  readonly parkedDigest: Digest
  readonly parkedOpen: number
  readonly records: number
  readonly endedRecords: number
}

const COUNTS = ['applied', 'duplicate', 'stale', 'folded', 'parked', 'control'] as const

/** SQLSTATE of a redrive that found no such partition. */
const NO_PARTITION = 'HB004'

export function changeKept(c: DbTx, { topic, partition }: LogPlace, { counts, digest, parkedDigest, parkedOpen, records, endedRecords }: KeptChange): void {
  c.send({
    text: `WITH changed AS (
             UPDATE consumer_offset SET digest_hi = digest_hi # $3::int8, digest_lo = digest_lo # $4::int8, parked_hi = parked_hi # $5::int8, parked_lo = parked_lo # $6::int8,
               parked_open = parked_open + $7::int8, records = records + $8::int8, ended_records = ended_records + $9::int8,
               ${COUNTS.map((name, i) => `${name} = ${name} + $${10 + i}::int8`).join(', ')}
              WHERE topic = $1 AND partition = $2 AND NOT clearing RETURNING 1)
           SELECT hub_expect(count(*), 1, '${NO_PARTITION}') FROM changed`,
    values: [topic, partition, digest.hi, digest.lo, parkedDigest.hi, parkedDigest.lo, parkedOpen, records, endedRecords, ...COUNTS.map((name) => counts[name] ?? 0)],
  })
}

/** Takes an event out of the parked ones and notes what it did. */
export function moveToRedriven(c: DbTx, { topic, partition, offset, technical }: ParkedPlace, as: { readonly class: string; readonly who: string; readonly why: string }): void {
  c.send({
    text: `WITH gone AS (DELETE FROM parked WHERE topic = $1 AND partition = $2 AND log_offset = $3 RETURNING *)
           INSERT INTO redriven (topic, partition, log_offset, generation, key, reason, hash_hi, hash_lo, parked_at, class, who, why, published)
           SELECT g.topic, g.partition, g.log_offset, o.generation, g.key, g.reason, g.hash_hi, g.hash_lo, g.parked_at, $4, $5, $6, $7
             FROM gone g JOIN consumer_offset o USING (topic, partition)`,
    values: [topic, partition, offset, as.class, as.who, as.why, technical],
  })
}

/** A newer release may park an event for another reason. */
export function noteReason(c: DbTx, { topic, partition, offset }: ParkedPlace, reason: string): void {
  c.send({ text: 'UPDATE parked SET reason = $4 WHERE topic = $1 AND partition = $2 AND log_offset = $3', values: [topic, partition, offset, reason] })
}

/** How many events of a partition have been redriven so far: a comparison with the log that began before one of them is outdated. */
export async function countRedriven(c: DbClient, { topic, partition }: Pick<LogPlace, 'topic' | 'partition'>): Promise<bigint> {
  const { rows } = await c.query<{ n: bigint }>('SELECT count(*) AS n FROM redriven WHERE topic = $1 AND partition = $2', [topic, partition])
  return rows[0]!.n
}
