import { int4Array, int8Array, textArray, type DbClient } from '@hub/runtime/db'
import type { VerdictKind } from './verdict.ts'
import type { VerdictRow } from './verdict-row.ts'

const INSERT_MS = 3_000

/** Writes verdicts; those that an attempt of unknown outcome wrote already stay as they are. */
export async function insertVerdicts(db: DbClient, rows: readonly VerdictRow[]): Promise<void> {
  const texts = (pick: (row: VerdictRow) => string | null): Buffer => textArray(rows.map(pick))
  await db.query({
    name: 'gateway-verdicts',
    text: `INSERT INTO verdict (id, stream, source, caller, request, outcome, record_id, version, event_id, line, index, flags, problems)
           SELECT i::uuid, s, o, c, r::uuid, v, k, n, e::uuid, l, x, f, p
             FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::int[], $11::int[], $12::text[], $13::text[])
               AS n (i, s, o, c, r, v, k, n, e, l, x, f, p)
               ON CONFLICT (id) DO NOTHING`,
    values: [
      texts((row) => row.id), texts((row) => row.stream), texts((row) => row.source), texts((row) => row.caller), texts((row) => row.request), texts((row) => row.outcome),
      texts((row) => row.recordId), int8Array(rows.map((row) => row.version)), texts((row) => row.eventId), int4Array(rows.map((row) => row.line)), int4Array(rows.map((row) => row.index)),
      texts((row) => row.flags), texts((row) => row.problems),
    ],
    timeoutMs: INSERT_MS,
  })
}

/** Deletes at most `limit` verdicts with ids below `before`, the oldest first; those that another gateway is deleting are left to it. Returns how many. */
export async function deleteVerdicts(db: DbClient, before: string, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM verdict WHERE id IN (SELECT id FROM verdict WHERE id < $1::uuid ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)`, [before, limit])
  return rowCount
}

/** Ids from `from` up to and without `below`, the newest first; at most `scan` rows are looked at and `limit` returned. */
export interface Range {
  readonly from: string
  readonly below: string
  readonly scan: number
  readonly limit: number
}

/** Which verdicts are asked for; null = any. */
export interface Filter {
  readonly streams: readonly string[] | null
  readonly sources: readonly string[] | null
  /** Whose verdicts without a source are meant as well; null = everybody's. */
  readonly caller: string | null
  readonly outcomes: readonly VerdictKind[] | null
}

/** A published event as its verdict. */
export interface PublishedVerdict {
  readonly id: string
  readonly topic: string
  readonly recordId: string
  readonly version: bigint
  /** Whether it was the first of its record. */
  readonly first: boolean
}

/** A remembered verdict. */
export type KeptVerdict = Omit<VerdictRow, 'version'> & { readonly version: bigint | null }

/** `topics` are the ones of the filter's streams. */
export async function readPublishedVerdicts(db: DbClient, topics: readonly string[], { sources, outcomes }: Filter, { from, below, scan, limit }: Range): Promise<PublishedVerdict[]> {
  const { rows } = await db.query<PublishedVerdict>(
    `SELECT id, topic, record_id AS "recordId", version, first
       FROM (SELECT event_id AS id, topic, record_id, version FROM published WHERE event_id >= $1::uuid AND event_id < $2::uuid ORDER BY event_id DESC LIMIT $3) p
      CROSS JOIN LATERAL (
        SELECT NOT EXISTS (SELECT FROM published l WHERE l.topic = p.topic AND l.record_id = p.record_id AND l.version < p.version) AS first) f
      WHERE topic = ANY ($4::text[]) AND ($5::text[] IS NULL OR split_part(record_id, '/', 1) = ANY ($5::text[]))
        AND ($6::text[] IS NULL OR CASE WHEN first THEN 'accepted' ELSE 'new-version' END = ANY ($6::text[]))
      ORDER BY id DESC LIMIT $7`,
    [from, below, scan, topics, sources, outcomes, limit])
  return rows
}

export async function readKeptVerdicts(db: DbClient, { streams, sources, caller, outcomes }: Filter, { from, below, scan, limit }: Range): Promise<KeptVerdict[]> {
  const { rows } = await db.query<KeptVerdict>(
    `SELECT id, stream, source, caller, request, outcome, record_id AS "recordId", version, event_id AS "eventId", line, index, flags, problems
       FROM (SELECT * FROM verdict WHERE id >= $1::uuid AND id < $2::uuid ORDER BY id DESC LIMIT $3) v
      WHERE ($4::text[] IS NULL OR stream = ANY ($4::text[])) AND CASE WHEN source IS NULL THEN $6::text IS NULL OR caller = $6 ELSE $5::text[] IS NULL OR source = ANY ($5::text[]) END
        AND ($7::text[] IS NULL OR outcome = ANY ($7::text[]))
      ORDER BY id DESC LIMIT $8`,
    [from, below, scan, streams, sources, caller, outcomes, limit])
  return rows
}

/** The id at which a scan of `scan` rows of a range ends; undefined where the range has fewer. `table` is one of ours, never from a request. */
export async function scanEnd(db: DbClient, table: 'published' | 'verdict', { from, below, scan }: Range): Promise<string | undefined> {
  const id = table === 'published' ? 'event_id' : 'id'
  const { rows } = await db.query<{ id: string }>(
    `SELECT ${id} AS id FROM ${table} WHERE ${id} >= $1::uuid AND ${id} < $2::uuid ORDER BY ${id} DESC OFFSET $3 LIMIT 1`, [from, below, scan - 1])
  return rows[0]?.id
}
