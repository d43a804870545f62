import type { DbClient } from '@hub/runtime/db'
import { DATA_STREAMS, type DataStream, type Region } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'
import type { Declaration } from './declaration.ts'

/** What a hand-over names of one partition. Topic without a prefix. */
export interface Reached {
  readonly topic: string
  readonly partition: number
  readonly lastSequence: number
}

export interface StoredHandOver {
  readonly id: string
  readonly at: Date
  readonly rows: bigint | null
  readonly way: 'import' | 'api'
  readonly baseline: boolean
  readonly partitions: readonly Reached[]
}

/** A source as it was last published. */
export interface StoredSource {
  readonly id: string
  readonly version: bigint
  readonly declaration: Declaration
  readonly declared: boolean
  readonly declaredSince: Date
  readonly baselineCompleteAt: Date | null
  readonly lastHandOver: StoredHandOver | null
  /** False while the log lacks it: its topic was created anew. */
  readonly published: boolean
}

/** All, or one. Whoever changes them holds the head of the topic that they are published to. */
export async function readStoredSources(db: DbClient, id: string | null = null): Promise<StoredSource[]> {
  const { rows } = await db.query<StoredSource & { lastId: string | null; at: Date; rows: bigint | null; way: 'import' | 'api'; baseline: boolean; partitions: Reached[] }>(
    `SELECT s.id, s.version, s.declaration, s.declared, s.declared_since AS "declaredSince", s.baseline_complete_at AS "baselineCompleteAt", s.published, h.id AS "lastId", h.at, h.rows, h.way, h.baseline, h.partitions
       FROM declared_source s LEFT JOIN hand_over h ON h.source = s.id AND h.id = s.last_hand_over
      WHERE $1::text IS NULL OR s.id = $1 ORDER BY s.id`, [id])
  return rows.map(({ lastId, at, rows: count, way, baseline, partitions, ...source }) => ({ ...source, lastHandOver: lastId === null ? null : { id: lastId, at, rows: count, way, baseline, partitions } }))
}

export async function writeStoredSource(db: DbClient, { id, version, declaration, declared, declaredSince, baselineCompleteAt, lastHandOver }: StoredSource): Promise<void> {
  await db.query(
    `INSERT INTO declared_source (id, version, declaration, declared, declared_since, baseline_complete_at, last_hand_over) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, declaration = excluded.declaration, declared = excluded.declared, declared_since = excluded.declared_since,
       baseline_complete_at = excluded.baseline_complete_at, last_hand_over = excluded.last_hand_over, published = true`,
    [id, version, JSON.stringify(declaration), declared, declaredSince, baselineCompleteAt, lastHandOver?.id ?? null])
}

export async function findHandOver(db: DbClient, source: string, id: string): Promise<StoredHandOver | undefined> {
  const { rows } = await db.query<StoredHandOver>('SELECT id, at, rows, way, baseline, partitions FROM hand_over WHERE source = $1 AND id = $2', [source, id])
  return rows[0]
}

/** Notes a hand-over and forgets those of this source that are older than 400 days. */
export async function insertHandOver(db: DbClient, source: string, caller: string, { id, at, rows, way, baseline, partitions }: StoredHandOver): Promise<void> {
  await db.query('INSERT INTO hand_over (source, id, at, caller, rows, way, baseline, partitions) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [source, id, at, caller, rows, way, baseline, JSON.stringify(partitions)])
  await db.query(`DELETE FROM hand_over WHERE source = $1 AND at < $2::timestamptz - interval '400 days'`, [source, at])
}

/** @returns the newest that is left of its source */
export async function deleteHandOver(db: DbClient, source: string, id: string): Promise<StoredHandOver | undefined> {
  await db.query('DELETE FROM hand_over WHERE source = $1 AND id = $2', [source, id])
  const { rows } = await db.query<StoredHandOver>('SELECT id, at, rows, way, baseline, partitions FROM hand_over WHERE source = $1 ORDER BY at DESC LIMIT 1', [source])
  return rows[0]
}

/** The last sequence that was given in each partition of these topics; partitions without events are absent. */
export async function readReached(db: DbClient, topics: readonly string[]): Promise<Reached[]> {
  const { rows } = await db.query<{ topic: string; partition: number; last: bigint }>(
    'SELECT topic, partition, next_sequence - 1 AS last FROM outbox_head WHERE topic = ANY ($1::text[]) AND next_sequence > 0 ORDER BY topic, partition', [topics])
  return rows.map(({ topic, partition, last }) => ({ topic, partition, lastSequence: Number(last) }))
}

/** A declared source of any region, as far as this replica has seen its hand-overs. */
export interface SourceRow {
  readonly region: Region
  readonly source: string
  readonly owner: string
  readonly contact: string
  readonly caller: string
  readonly streams: readonly DataStream[]
  readonly mode: string
  readonly cadenceSeconds: bigint
  readonly versionRule: string
  readonly declaredSince: Date
  readonly lastHandOver: string | null
  readonly lastHandOverAt: Date | null
  readonly lastHandOverRows: bigint | null
  readonly lastHandOverWay: 'import' | 'api' | null
  readonly baselineCompleteAt: Date | null
  /** Since when a newer one is on its way here. */
  readonly arrivingSince: Date | null
  readonly dueAt: Date
}

const MOST_SOURCES = 1_000

/** The declared sources of all regions, as the replica has them. */
export async function readSources(db: DbClient): Promise<SourceRow[]> {
  const { rows } = await db.query<SourceRow>({
    name: 'gateway-sources',
    text: `SELECT region, source, owner, contact, caller, streams, mode, cadence_seconds AS "cadenceSeconds", version_rule AS "versionRule", declared_since AS "declaredSince", last_hand_over AS "lastHandOver",
                  last_hand_over_at AS "lastHandOverAt", last_hand_over_rows AS "lastHandOverRows", last_hand_over_way AS "lastHandOverWay", baseline_complete_at AS "baselineCompleteAt", pending_since AS "arrivingSince", due_at AS "dueAt"
             FROM source_freshness ORDER BY region, source LIMIT ${MOST_SOURCES}`,
    values: [],
  })
  return rows
}

/** Parameter: the regions. A source's ids lie between `x/` and `x0`, its next character. */
const WRITING = DATA_STREAMS.map((stream) => `(WITH RECURSIVE walk (region, record_id) AS (
    SELECT r.region, (SELECT record_id FROM ${TABLES[stream].table} t WHERE t.region = r.region ORDER BY record_id LIMIT 1) FROM unnest($1::text[]) AS r (region)
    UNION ALL
    SELECT w.region, (SELECT record_id FROM ${TABLES[stream].table} t WHERE t.region = w.region AND t.record_id >= split_part(w.record_id, '/', 1) || '0' ORDER BY record_id LIMIT 1)
      FROM walk w WHERE w.record_id IS NOT NULL)
  SELECT region, split_part(record_id, '/', 1) AS source, '${stream}' AS stream FROM walk WHERE record_id IS NOT NULL LIMIT ${MOST_SOURCES})`).join(' UNION ALL ')

/** Which sources have records in the replica: a few index entries of each table are looked at, however many records there are. */
export async function readWritingSources(db: DbClient, regions: readonly string[]): Promise<{ region: Region; source: string; stream: DataStream }[]> {
  const { rows } = await db.query<{ region: Region; source: string; stream: DataStream }>({ name: 'gateway-writing-sources', text: WRITING, values: [regions] })
  return rows
}
