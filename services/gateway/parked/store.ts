import { textArray, type DbClient } from '@hub/runtime/db'
import { DATA_STREAMS } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'
import type { ParkedPlace } from './place.ts'

/** An event that this region's replica parked; its bytes stay in the log. */
export interface ParkedEntry extends ParkedPlace {
  readonly key: string
  readonly subject: string | null
  readonly reason: string
  readonly at: Date
  /** Offset of the next event of the same key, good or bad, newer or not; null while it is the newest. */
  readonly buriedBy: bigint | null
}

/** A good version that has taken the place of a parked event. */
export interface GoodVersion {
  readonly version: string
  readonly offset: string
}

/** Whom to call about a source. */
export interface Contact {
  readonly source: string
  readonly owner: string
  readonly dutyLine: string
}

/** One event that is or was parked here, with all that is known of it. */
export interface ParkedDetail extends ParkedEntry {
  readonly region: string
  readonly stream: string
  readonly generation: string
  readonly hash: string
  readonly supersededBy: GoodVersion | null
  readonly contact: Contact | null
  readonly redriven: { readonly at: string; readonly class: string; readonly who: string; readonly why: string } | null
}

/** The current version of record `key` of region `region` where it lies above offset `log_offset` of its stream, as JSON. */
const SUPERSEDED_BY = `(SELECT json_build_object('version', g.version::text, 'offset', g.log_offset::text) FROM (
  ${DATA_STREAMS.map((stream) => `SELECT version, log_offset FROM ${TABLES[stream].table} t WHERE p.stream = '${stream}' AND t.region = p.region AND t.record_id = p.key`).join('\n  UNION ALL ')}) g
  WHERE g.log_offset > p.log_offset LIMIT 1)`

const CONTACT = `(SELECT json_build_object('source', s.source, 'owner', s.owner, 'dutyLine', s.duty_line) FROM source_status s
  WHERE s.region = p.region AND s.source = split_part(p.key, '/', 1) AND s.declared)`

/** Which parked events are listed. */
export interface ParkedFilter {
  readonly topic: string | null
  readonly reason: string | null
  /** True: no good version has taken its place (of a technical event: no later one); false: one has. */
  readonly open: boolean | null
}

/** Parked events in the order of the log, from after `after` on. */
export async function readParked(db: DbClient, { topic, reason, open }: ParkedFilter, after: ParkedPlace | undefined, limit: number): Promise<ParkedEntry[]> {
  const { rows } = await db.query<ParkedEntry>(
    `SELECT topic, partition, log_offset AS "offset", key, subject, reason, parked_at AS at, buried_by AS "buriedBy"
       FROM (SELECT k.*, o.region, o.stream FROM parked k JOIN consumer_offset o USING (topic, partition)) p
      WHERE (topic, partition, log_offset) > ($1::text COLLATE "C", $2::int, $3::bigint)
        AND ($5::text IS NULL OR topic = $5) AND ($6::text IS NULL OR reason = $6)
        AND ($7::bool IS NULL OR $7 = (CASE WHEN stream = ANY ($8::text[]) THEN ${SUPERSEDED_BY} IS NULL ELSE buried_by IS NULL END))
      ORDER BY topic, partition, log_offset LIMIT $4`,
    [after?.topic ?? '', after?.partition ?? 0, after?.offset ?? -1n, limit, topic, reason, open, textArray(DATA_STREAMS)],
  )
  return rows
}

/** Undefined for an event that is not, and was not, parked here. */
export async function findParked(db: DbClient, { topic, partition, offset }: ParkedPlace): Promise<ParkedDetail | undefined> {
  const { rows } = await db.query<ParkedDetail>(
    `SELECT p.topic, p.partition, p.log_offset AS "offset", p.region, p.stream, p.generation, p.key, p.subject, p.reason, p.at, p."buriedBy",
            encode(int8send(p.hash_hi) || int8send(p.hash_lo), 'hex') AS hash, p.redriven, ${SUPERSEDED_BY} AS "supersededBy", ${CONTACT} AS contact
       FROM (SELECT k.topic, k.partition, k.log_offset, k.key, k.subject, k.reason, k.parked_at AS at, k.buried_by AS "buriedBy", k.hash_hi, k.hash_lo, o.generation, o.region, o.stream, NULL::json AS redriven
               FROM parked k JOIN consumer_offset o USING (topic, partition)
             UNION ALL
             SELECT d.topic, d.partition, d.log_offset, d.key, NULL, d.reason, d.parked_at, NULL, d.hash_hi, d.hash_lo, d.generation, o.region, o.stream,
                    json_build_object('at', to_char(d.redriven_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'class', d.class, 'who', d.who, 'why', d.why)
               FROM redriven d JOIN consumer_offset o USING (topic, partition)) p
      WHERE p.topic = $1 AND p.partition = $2 AND p.log_offset = $3`,
    [topic, partition, offset])
  return rows[0]
}

/** An event of this region that some region parked. */
export interface OriginParked extends ParkedPlace {
  readonly key: string
  readonly reason: string
  readonly at: Date
  /** Who parked it, and since when (ms UTC). */
  readonly regions: readonly { readonly region: string; readonly reason: string; readonly at: number }[]
  readonly supersededBy: GoodVersion | null
  readonly contact: Contact | null
}

/**
 * What regions parked of these topics of this region, as they told it, and as its own replica knows it; in the order of the logs.
 * @param sources null = of all sources
 * @param open true: no good version has taken its place in this region's own replica
 */
export async function readOriginParked(
  db: DbClient, region: string, topics: readonly { readonly topic: string; readonly stream: string }[], sources: readonly string[] | null, open: boolean | null, after: ParkedPlace | undefined, limit: number,
): Promise<OriginParked[]> {
  const { rows } = await db.query<OriginParked>(
    `WITH told AS (
       SELECT topic, partition, log_offset, key, region, reason, at FROM region_parked WHERE topic = ANY ($1::text[])
        UNION ALL
       SELECT topic, partition, log_offset, key, $3::text, reason, parked_at FROM parked WHERE topic = ANY ($1::text[])),
     events AS (
       SELECT topic, partition, log_offset, min(key) AS key, min(reason) AS reason, min(at) AS at, jsonb_object_agg(region, jsonb_build_object('reason', reason, 'at', (extract(epoch FROM at) * 1000)::int8)) AS by_region
         FROM told WHERE (topic, partition, log_offset) > ($5::text COLLATE "C", $6::int, $7::bigint) AND ($4::text[] IS NULL OR split_part(key, '/', 1) = ANY ($4::text[]))
        GROUP BY topic, partition, log_offset),
     placed AS (SELECT e.*, $3::text AS region, n.stream FROM events e JOIN unnest($1::text[], $2::text[]) AS n (topic, stream) USING (topic))
     SELECT topic, partition, log_offset AS "offset", key, reason, at, "supersededBy", contact,
            (SELECT jsonb_agg(jsonb_build_object('region', r.key) || r.value ORDER BY r.key) FROM jsonb_each(by_region) r) AS regions
       FROM (SELECT p.*, ${SUPERSEDED_BY} AS "supersededBy", ${CONTACT} AS contact FROM placed p) p
      WHERE $8::bool IS NULL OR ("supersededBy" IS NULL) = $8
      ORDER BY topic, partition, log_offset LIMIT $9`,
    [
      textArray(topics.map(({ topic }) => topic)), textArray(topics.map(({ stream }) => stream)), region, sources === null ? null : [...sources], after?.topic ?? '', after?.partition ?? 0, after?.offset ?? -1n, open, limit,
    ])
  return rows
}

/** What an operator wants to be read again; null = any. */
export interface RedriveWish {
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: bigint | null
  readonly reason: string | null
  readonly who: string
  readonly why: string
}

/** Asks for it. @returns the request's id; undefined where `most` wait already */
export async function requestRedrive(db: DbClient, { topic, partition, offset, reason, who, why }: RedriveWish, most: number): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO redrive_request (topic, partition, log_offset, reason, who, why)
     SELECT $1, $2, $3, $4, $5, $6 WHERE (SELECT count(*) FROM redrive_request WHERE finished_at IS NULL) < $7 RETURNING id::text`,
    [topic, partition, offset, reason, who, why, most])
  return rows[0]?.id
}

/** What became of the events that were asked for. */
export interface RedriveOutcome {
  /** Events that are parked no more, by what they are counted as now. */
  readonly redriven: Readonly<Record<string, number>>
  readonly parked: number
  readonly gone: number
  readonly events: readonly { readonly topic: string; readonly partition: number; readonly offset: string; readonly result: 'redriven' | 'parked' | 'gone'; readonly class?: string; readonly reason?: string }[]
}

export interface RedriveState extends RedriveWish {
  readonly id: string
  readonly requestedAt: Date
  readonly finishedAt: Date | null
  readonly outcome: RedriveOutcome | null
  /** Whether a process applies to this replica now: without one nobody takes the request up. */
  readonly applying: boolean
}

export async function findRedrive(db: DbClient, id: string): Promise<RedriveState | undefined> {
  const { rows } = await db.query<RedriveState>(
    `SELECT id::text, topic, partition, log_offset AS "offset", reason, who, why, requested_at AS "requestedAt", finished_at AS "finishedAt", outcome,
            coalesce((SELECT lease_until > clock_timestamp() FROM applier), false) AS applying
       FROM redrive_request WHERE id = $1::uuid`, [id])
  return rows[0]
}
