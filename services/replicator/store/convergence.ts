import { type Db, type DbClient, int4Array, int8Array, textArray, timestamptzArray } from '@hub/runtime/db'
import { DATA_STREAMS } from '@hub/schemas/streams'
import type { Convergence, Cut } from '../convergence.ts'

/** A partition of the data streams and what is known of its checkpoints. */
export interface PartitionCuts {
  readonly topic: string
  readonly partition: number
  readonly generation: string
  readonly completeFrom: number
  readonly cuts: readonly Cut[]
}

/** Checkpoints read of each region and partition below where all have come: all cut at the same offsets, so the first of them is common as a rule. */
const NEWEST = 6

/**
 * The newest checkpoints of every region, partition by partition, and those at or below the newest of the region that is farthest behind: there is the
 * newest common one. Reads some dozens of rows each, however many are kept.
 */
export async function readCuts(db: DbClient, regions: readonly string[]): Promise<PartitionCuts[]> {
  const { rows } = await db.query<{ topic: string; partition: number; generation: string; complete_from: bigint; cuts: (Omit<Cut, 'generation'> & { generation: string })[] | null }>({
    name: 'read cuts',
    text: `SELECT o.topic, o.partition, o.generation, o.complete_from, k.cuts
             FROM consumer_offset o
             CROSS JOIN LATERAL (
               SELECT min(n.newest) AS reached FROM unnest($1::text[]) AS r (region)
                CROSS JOIN LATERAL (SELECT max(next_offset) AS newest FROM checkpoint c
                   WHERE c.region = r.region AND c.topic = o.topic AND c.partition = o.partition AND c.generation = o.generation) n) m
             CROSS JOIN LATERAL (
               SELECT jsonb_agg(DISTINCT jsonb_build_object('region', c.region, 'generation', c.generation, 'nextOffset', c.next_offset,
                        'digest', encode(c.digest, 'hex'), 'parkedDigest', encode(c.parked_digest, 'hex'), 'at', (extract(epoch FROM c.at) * 1000)::int8)) AS cuts
                 FROM unnest($1::text[]) AS r (region)
                CROSS JOIN LATERAL (
                  (SELECT * FROM checkpoint c WHERE c.region = r.region AND c.topic = o.topic AND c.partition = o.partition AND c.generation = o.generation
                    ORDER BY c.next_offset DESC LIMIT 3)
                  UNION ALL
                  (SELECT * FROM checkpoint c WHERE c.region = r.region AND c.topic = o.topic AND c.partition = o.partition AND c.generation = o.generation
                      AND c.next_offset <= m.reached ORDER BY c.next_offset DESC LIMIT ${NEWEST})
                  UNION ALL
                  (SELECT * FROM checkpoint c WHERE c.region = r.region AND c.topic = o.topic AND c.partition = o.partition AND c.generation < o.generation LIMIT 1)
                  UNION ALL
                  (SELECT * FROM checkpoint c WHERE c.region = r.region AND c.topic = o.topic AND c.partition = o.partition AND c.generation > o.generation LIMIT 1)) c) k
            WHERE o.stream = ANY ($2::text[])
            ORDER BY o.topic, o.partition`,
    values: [textArray(regions), textArray(DATA_STREAMS)],
  })
  return rows.map((row) => ({ topic: row.topic, partition: row.partition, generation: row.generation, completeFrom: Number(row.complete_from), cuts: row.cuts ?? [] }))
}

/** Notes the verdicts. `since` stays as long as a verdict does; a partition that is equal or behind has been the same since it last was neither. */
export async function writeConvergence(db: Db, found: readonly (Convergence & { topic: string; partition: number })[]): Promise<void> {
  await db.query({
    name: 'write convergence',
    text: `INSERT INTO convergence AS c (topic, partition, verdict, reason, next_offset, as_of, since, equal_since, regions, checked_at)
           SELECT topic, partition, verdict, reason, next_offset, as_of, coalesce(as_of, now()),
                  CASE WHEN verdict IN ('equal', 'behind') THEN as_of END, regions::jsonb, now()
             FROM unnest($1::text[], $2::int4[], $3::text[], $4::text[], $5::int8[], $6::timestamptz[], $7::text[]) AS t (topic, partition, verdict, reason, next_offset, as_of, regions)
           ON CONFLICT (topic, partition) DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason, next_offset = excluded.next_offset, as_of = excluded.as_of,
             since = CASE WHEN c.verdict = excluded.verdict THEN c.since WHEN excluded.verdict = 'unknown' THEN now() ELSE excluded.since END,
             equal_since = CASE WHEN excluded.equal_since IS NOT NULL THEN coalesce(c.equal_since, excluded.equal_since) END,
             regions = excluded.regions, checked_at = now()`,
    values: [
      textArray(found.map(({ topic }) => topic)),
      int4Array(found.map(({ partition }) => partition)),
      textArray(found.map(({ verdict }) => verdict)),
      textArray(found.map(({ reason }) => reason)),
      int8Array(found.map(({ nextOffset }) => nextOffset)),
      timestamptzArray(found.map(({ asOf }) => asOf)),
      textArray(found.map(({ regions }) => JSON.stringify(regions))),
    ],
  })
}
