import { type Db, textArray } from '@hub/runtime/db'
import { DATA_STREAMS } from '@hub/schemas/streams'

/** Writes down where this replica is, unless it stands where it stood or the newest row is younger than `seconds`. */
export async function recordVector(db: Db, seconds: number): Promise<void> {
  await db.query({
    name: 'record vector',
    text: `INSERT INTO replica_vector (at, vector)
           SELECT now(), n.vector
             FROM (SELECT jsonb_object_agg(topic || '/' || partition, jsonb_build_array(generation, next_offset)) AS vector
                     FROM consumer_offset WHERE stream = ANY ($1::text[])) n
            WHERE n.vector IS NOT NULL
              AND NOT EXISTS (SELECT FROM replica_vector WHERE at > now() - make_interval(secs => $2::int))
              AND n.vector IS DISTINCT FROM (SELECT vector FROM replica_vector ORDER BY number DESC LIMIT 1)`,
    values: [textArray(DATA_STREAMS), seconds],
  })
}

/**
 * Keeps the first vector of each hour of what is older than two days, and none of what history is about to forget: a reading is refused
 * before it could miss a version.
 */
export async function thinVectors(db: Db, months: number): Promise<void> {
  await db.query(
    `DELETE FROM replica_vector v
      WHERE at < now() - make_interval(months => $1::int) + interval '1 hour'
         OR (at < now() - interval '2 days' AND EXISTS (
              SELECT FROM replica_vector e WHERE e.at >= date_trunc('hour', v.at) AND (e.at, e.number) < (v.at, v.number)))`, [months])
}
