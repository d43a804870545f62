import { type Db, type DbTx, int4Array, int8Array, textArray } from '@hub/runtime/db'
import type { Position } from '@hub/schemas/generated/position'

/**
 * Takes over what a region says of itself unless something newer is known, and logs since when it has what of this region's own topics: only
 * moves that passed an event, or may have (this replica may be behind the other), so that heartbeats alone log nothing.
 */
export function writeRegionPosition(c: DbTx, here: { region: string; topicPrefix: string }, { region, version, at, partitions }: Position): void {
  c.send({
    name: 'write region position',
    text: `WITH moved AS (
             INSERT INTO region_position AS r (region, topic, partition, generation, next_offset, parked_open, version, at)
             SELECT $1, t.*, $2::int8, to_timestamp($3::float8 / 1000)
               FROM (SELECT DISTINCT ON (topic, partition) * FROM unnest($4::text[], $5::int4[], $6::text[], $7::int8[], $8::int8[]) AS t (topic, partition, generation, next_offset, parked_open)) t
             ON CONFLICT (region, topic, partition) DO UPDATE SET generation = excluded.generation, next_offset = excluded.next_offset,
               parked_open = excluded.parked_open, version = excluded.version, at = excluded.at
              WHERE r.version < excluded.version
             RETURNING CASE WHEN old.generation = new.generation THEN old.next_offset ELSE 0 END AS before, new.topic, new.partition, new.generation, new.next_offset, new.at)
           INSERT INTO position_log (topic, partition, region, next_offset, at)
           SELECT m.topic, m.partition, $1, m.next_offset, m.at
             FROM moved m JOIN consumer_offset o ON o.topic = m.topic AND o.partition = m.partition
            WHERE o.region = $9 AND o.generation = m.generation AND m.next_offset > m.before AND (o.last_event >= m.before OR o.next_offset < m.next_offset)
           ON CONFLICT DO NOTHING`,
    values: [
      region, version, at,
      textArray(partitions.map(({ topic }) => here.topicPrefix + topic)),
      int4Array(partitions.map(({ partition }) => partition)),
      textArray(partitions.map(({ generation }) => generation)),
      int8Array(partitions.map(({ nextOffset }) => nextOffset)),
      int8Array(partitions.map(({ parkedOpen }) => parkedOpen)),
      here.region,
    ],
  })
}

/** Keeps one entry per minute of what is older than an hour, and nothing older than `days`. */
export async function thinPositionLog(db: Db, days: number): Promise<void> {
  await db.query('DELETE FROM position_log WHERE at < now() - make_interval(days => $1::int)', [days])
  await db.query(
    `DELETE FROM position_log p USING (
       SELECT topic, partition, region, next_offset,
              lead(at) OVER (PARTITION BY topic, partition, region ORDER BY next_offset) AS following
         FROM position_log WHERE at < now() - interval '1 hour') q
      WHERE p.topic = q.topic AND p.partition = q.partition AND p.region = q.region AND p.next_offset = q.next_offset
        AND date_trunc('minute', p.at) = date_trunc('minute', q.following)`)
}
