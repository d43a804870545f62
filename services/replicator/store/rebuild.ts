import type { Db, DbClient, DbTx } from '@hub/runtime/db'
import { ROLLUP_TABLES, ROLLUPS } from '@hub/schemas/rollups'
import type { DataStream, Region, Stream } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'

/** A partition of any topic that this replica has begun. */
export interface BegunPlace {
  readonly topic: string
  readonly partition: number
  readonly region: Region
  readonly stream: Stream
  readonly generation: string
  readonly next: bigint
  readonly records: bigint
  /** Of an own topic: the log that the relay uses; null while it uses none. */
  readonly relayGeneration: string | null
  /** Of an own topic: whether anything was ever sent. */
  readonly sent: boolean
}

export async function readBegun(db: Db, topic: string | null, partition: number | null): Promise<BegunPlace[]> {
  const { rows } = await db.query<BegunPlace>(
    `SELECT o.topic, o.partition, o.region, o.stream, o.generation, o.next_offset AS next, o.records, p.generation AS "relayGeneration", coalesce(p.last_sequence >= 0, false) AS sent
       FROM consumer_offset o LEFT JOIN relay_position p USING (topic, partition)
      WHERE ($1::text IS NULL OR o.topic = $1) AND ($2::int IS NULL OR o.partition = $2) ORDER BY o.topic, o.partition`, [topic, partition])
  return rows
}

/** From here on no transaction of the applier moves the partition. */
export async function markClearing(c: DbClient, { topic, partition }: { topic: string; partition: number }): Promise<void> {
  await c.query('UPDATE consumer_offset SET clearing = true WHERE topic = $1 AND partition = $2', [topic, partition])
}

/** What was deleted of a slice, and the record to go on behind; undefined = there is none. */
export interface ClearedSlice {
  readonly rows: number
  readonly last: string | undefined
}

/** Deletes the rows of one partition among the next `limit` records of its region, current ones or earlier versions. */
export async function clearSlice(c: DbClient, what: 'current' | 'history', stream: DataStream, { region, partition }: { region: string; partition: number }, after: string, limit: number): Promise<ClearedSlice> {
  const [table, narrow] = what === 'current' ? [TABLES[stream].table, ''] : ['history', `stream = '${stream}' AND `]
  const { rows: [slice] } = await c.query<{ last: string | null; rows: bigint }>(
    `WITH slice AS MATERIALIZED (SELECT DISTINCT record_id FROM ${table} WHERE ${narrow}region = $1 AND record_id > $2 ORDER BY record_id LIMIT $4),
          gone AS (DELETE FROM ${table} t USING slice s WHERE ${narrow}t.region = $1 AND t.record_id = s.record_id AND t.partition = $3 RETURNING 1)
     SELECT max(record_id) AS last, (SELECT count(*) FROM gone) AS rows FROM slice`, [region, after, partition, limit])
  return { rows: Number(slice!.rows), last: slice!.last ?? undefined }
}

export async function noteRebuild(c: DbClient, id: bigint, progress: object): Promise<void> {
  await c.query('UPDATE scrub_request SET progress = $2::jsonb WHERE id = $1', [id, JSON.stringify(progress)])
}

/**
 * The end of the clearing: position, counts, parked events and what was said of the partition go, so that it begins anew. The replica takes another id: whoever
 * followed its change feed was not told of the rows that went.
 */
export function forgetPartition(c: DbTx, region: string, { topic, partition, region: origin, stream }: BegunPlace): void {
  const values = [topic, partition]
  for (const table of ['parked', 'redriven', 'shadowed', 'scrub', 'convergence', 'consumer_offset']) c.send({ text: `DELETE FROM ${table} WHERE topic = $1 AND partition = $2`, values })
  for (const table of ROLLUP_TABLES) if (ROLLUPS[table].stream === stream) c.send({ text: `DELETE FROM ${table} WHERE region = $1 AND partition = $2`, values: [origin, partition] })
  c.send({ text: 'DELETE FROM checkpoint WHERE region = $3 AND topic = $1 AND partition = $2', values: [...values, region] })
  c.send({ text: 'UPDATE applier SET replica_id = gen_random_uuid()' })
}
