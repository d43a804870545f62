import type { Db, DbClient } from '@hub/runtime/db'
import { DATA_STREAMS } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'
import { keptSql, type KeptRow, type Place } from '../check-row.ts'
import type { Finding } from '../difference.ts'

/** What is kept of a partition with every transaction. */
export interface Kept {
  readonly generation: string
  readonly next: number
  readonly records: number
  readonly endedRecords: number
  readonly hi: bigint
  readonly lo: bigint
  readonly parkedMatches: boolean
}

export async function readKept(c: DbClient, { topic, partition }: Place): Promise<Kept | undefined> {
  const { rows: [row] } = await c.query<{ generation: string; next_offset: bigint; records: bigint; ended_records: bigint; digest_hi: bigint; digest_lo: bigint; parked_matches: boolean }>({
    name: 'read kept',
    text: `SELECT o.generation, o.next_offset, o.records, o.ended_records, o.digest_hi, o.digest_lo,
                  o.parked_open = p.open AND o.parked_hi = p.hi AND o.parked_lo = p.lo AS parked_matches
             FROM consumer_offset o
            CROSS JOIN LATERAL (SELECT count(*) AS open, coalesce(bit_xor(hash_hi), 0) AS hi, coalesce(bit_xor(hash_lo), 0) AS lo
                                  FROM parked WHERE topic = o.topic AND partition = o.partition AND buried_by IS NULL) p
            WHERE o.topic = $1 AND o.partition = $2`,
    values: [topic, partition],
  })
  if (row === undefined) return undefined
  return {
    generation: row.generation, next: Number(row.next_offset), records: Number(row.records), endedRecords: Number(row.ended_records),
    hi: row.digest_hi, lo: row.digest_lo, parkedMatches: row.parked_matches,
  }
}

/** The rows of a partition, some hundreds at a time, of the transaction's snapshot; the next ones are on their way while some are looked at. */
export async function* readRows(c: DbClient, { stream, region, partition }: Place, slice: number): AsyncGenerator<KeptRow[]> {
  await c.query('SET LOCAL cursor_tuple_fraction = 1')
  await c.query(`DECLARE scrubbing NO SCROLL CURSOR FOR SELECT record_id, body, ${keptSql(stream)} AS kept FROM ${TABLES[stream].table} WHERE region = '${region}' AND partition = ${partition}`)
  const fetch = (): Promise<{ rows: KeptRow[] }> => c.query<KeptRow>(`FETCH ${slice} FROM scrubbing`)
  for (let next = fetch(); ;) {
    const { rows } = await next
    if (rows.length === 0) return
    next = fetch()
    next.catch(() => {}) // awaited in the next round, unless the reader stops
    yield rows
  }
}

/** The outcome of a pass over a partition. */
export interface ScrubOutcome {
  readonly next: number
  readonly rows: number
  readonly ms: number
  readonly result: 'equal' | 'repaired' | 'different'
  /** Of `different`, for people. */
  readonly reason: string | null
  readonly findings: readonly Finding[]
}

/** Findings kept of a pass; the audit has every repaired row. */
const KEPT_FINDINGS = 100

export async function writeScrub(db: Db, { topic, partition }: Place, { next, rows, ms, result, reason, findings }: ScrubOutcome): Promise<void> {
  await db.query(
    `INSERT INTO scrub AS s (topic, partition, at, next_offset, rows, ms, result, reason, findings, since)
     VALUES ($1, $2, now(), $3, $4, $5, $6, $7, $8::jsonb, CASE WHEN $6 = 'different' THEN now() END)
     ON CONFLICT (topic, partition) DO UPDATE SET at = excluded.at, next_offset = excluded.next_offset, rows = excluded.rows, ms = excluded.ms, result = excluded.result,
       reason = excluded.reason, findings = excluded.findings, since = CASE WHEN excluded.since IS NOT NULL THEN coalesce(s.since, excluded.since) END`,
    [topic, partition, next, rows, Math.round(ms), result, reason, JSON.stringify(findings.slice(0, KEPT_FINDINGS))])
}

/** Partitions whose last pass ended as different. */
export async function readDifferent(db: Db): Promise<number> {
  const { rows } = await db.query<{ n: bigint }>(`SELECT count(*) AS n FROM scrub WHERE result = 'different'`)
  return Number(rows[0]!.n)
}

/** All partitions of the data streams, that which was looked at longest ago first, with the age of that look; null = never. */
export async function readPlaces(db: Db): Promise<(Place & { readonly ageMs: number | null })[]> {
  const { rows } = await db.query<Place & { ageMs: number | null }>(
    `SELECT o.topic, o.partition, o.region, o.stream, (extract(epoch FROM now() - s.at) * 1000)::float8 AS "ageMs"
       FROM consumer_offset o LEFT JOIN scrub s USING (topic, partition) WHERE o.stream = ANY ($1::text[]) ORDER BY s.at NULLS FIRST, o.topic, o.partition`, [[...DATA_STREAMS]])
  return rows
}

/** What an operator asked for; without a topic everything. */
export interface ScrubRequest {
  readonly id: bigint
  readonly kind: 'scrub' | 'repair' | 'rebuild'
  readonly topic: string | null
  readonly partition: number | null
  readonly who: string
  readonly why: string
}

export async function nextRequest(db: Db): Promise<ScrubRequest | undefined> {
  const { rows } = await db.query<ScrubRequest>('SELECT id, kind, topic, partition, who, why FROM scrub_request WHERE finished_at IS NULL ORDER BY id LIMIT 1')
  return rows[0]
}

export async function finishRequest(db: Db, id: bigint, outcome: object): Promise<void> {
  await db.query('UPDATE scrub_request SET finished_at = now(), outcome = $2::jsonb WHERE id = $1', [id, JSON.stringify(outcome)])
}

/** Forgets what was asked for and done longer ago than this. */
export async function trimRequests(db: Db, days: number): Promise<void> {
  await db.query('DELETE FROM scrub_request WHERE finished_at < now() - make_interval(days => $1::int)', [days])
}
