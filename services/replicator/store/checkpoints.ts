import { byteaArray, type Db, type DbTx, int4Array, int8Array, textArray, timestamptzArray } from '@hub/runtime/db'
import type { Checkpoint } from '@hub/schemas/generated/checkpoint'
import type { Move } from './positions.ts'

/**
 * Writes down what this replica is where shares ended with a 30th heartbeat; after the positions have moved. Below `complete_from` it says nothing:
 * versions that compaction took are missing there, and the digest would be another one without anything being wrong.
 */
export function cutCheckpoints(c: DbTx, region: string, moves: readonly Move[]): void {
  const cut = moves.filter(({ decision }) => decision.checkpoint)
  if (cut.length === 0) return
  c.send({
    name: 'cut checkpoints',
    text: `INSERT INTO checkpoint (region, topic, partition, generation, next_offset, digest, parked_digest, at, published)
           SELECT $1, o.topic, o.partition, o.generation, o.next_offset, int8send(o.digest_hi) || int8send(o.digest_lo), int8send(o.parked_hi) || int8send(o.parked_lo), now(), false
             FROM consumer_offset o JOIN unnest($2::text[], $3::int4[]) AS m (topic, partition) USING (topic, partition)
            WHERE o.next_offset >= o.complete_from
           ON CONFLICT (region, topic, partition, generation, next_offset) DO UPDATE
             SET digest = excluded.digest, parked_digest = excluded.parked_digest, at = excluded.at, published = false`,
    values: [region, textArray(cut.map(({ slot }) => slot.topic)), int4Array(cut.map(({ slot }) => slot.partition))],
  })
}

/** Takes over what other regions say; of two words about the same offset the newer one stands. */
export function writeRegionCheckpoints(c: DbTx, topicPrefix: string, checkpoints: readonly Checkpoint[]): void {
  const rows = checkpoints.flatMap(({ region, version, at, partitions }) => partitions.map((one) => ({ region, version, at, ...one })))
  if (rows.length === 0) return
  c.send({
    name: 'write region checkpoints',
    text: `INSERT INTO checkpoint AS k (region, topic, partition, generation, next_offset, digest, parked_digest, at, version)
           SELECT DISTINCT ON (1, 2, 3, 4, 5) * FROM unnest($1::text[], $2::text[], $3::int4[], $4::text[], $5::int8[], $6::bytea[], $7::bytea[], $8::timestamptz[], $9::int8[])
             AS t (region, topic, partition, generation, next_offset, digest, parked_digest, at, version) ORDER BY 1, 2, 3, 4, 5, version DESC
           ON CONFLICT (region, topic, partition, generation, next_offset) DO UPDATE
             SET digest = excluded.digest, parked_digest = excluded.parked_digest, at = excluded.at, version = excluded.version
           WHERE k.version < excluded.version`,
    values: [
      textArray(rows.map(({ region }) => region)),
      textArray(rows.map(({ topic }) => topicPrefix + topic)),
      int4Array(rows.map(({ partition }) => partition)),
      textArray(rows.map(({ generation }) => generation)),
      int8Array(rows.map(({ nextOffset }) => nextOffset)),
      byteaArray(rows.map(({ digest }) => digest)),
      byteaArray(rows.map(({ parkedDigest }) => parkedDigest)),
      timestamptzArray(rows.map(({ at }) => at)),
      int8Array(rows.map(({ version }) => version)),
    ],
  })
}

/** Forgets checkpoints older than `days`, whoever cut them. */
export async function trimCheckpoints(db: Db, days: number): Promise<void> {
  await db.query('DELETE FROM checkpoint WHERE at < now() - make_interval(days => $1::int)', [days])
}
