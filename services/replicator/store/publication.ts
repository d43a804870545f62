import type { DbClient } from '@hub/runtime/db'
import type { CheckpointPartitionCheckpoint } from '@hub/schemas/generated/checkpoint'
import type { ParkedEvent } from '@hub/schemas/generated/parked-event'
import type { PositionPartitionPosition } from '@hub/schemas/generated/position'
import { DATA_STREAMS } from '@hub/schemas/streams'

const MOST_CHECKPOINTS = 1_000
const MOST_PARKED = 500

/**
 * A version above all this database gave before, and above those of a lost one, as long as the clock is right: it begins at the time in ms.
 * Whoever asks next waits until this transaction ends.
 */
export async function nextVersion(c: DbClient, nowMs: number): Promise<number> {
  const { rows } = await c.query<{ version: bigint }>('UPDATE publication SET version = greatest(version + 1, $1::int8) WHERE id = 1 RETURNING version', [nowMs])
  return Number(rows[0]!.version)
}

/** Where every partition of the data streams stands. */
export async function readPosition(c: DbClient): Promise<PositionPartitionPosition[]> {
  const { rows } = await c.query<{ topic: string; partition: number; generation: string; next_offset: bigint; parked_open: bigint }>(
    'SELECT topic, partition, generation, next_offset, parked_open FROM consumer_offset WHERE stream = ANY ($1::text[]) ORDER BY topic, partition', [DATA_STREAMS])
  return rows.map((row) => ({ topic: row.topic, partition: row.partition, generation: row.generation, nextOffset: Number(row.next_offset), parkedOpen: Number(row.parked_open) }))
}

/** Takes what was cut and not yet published, and marks it as published in this version. */
export async function takeCheckpoints(c: DbClient, region: string, version: number): Promise<CheckpointPartitionCheckpoint[]> {
  const { rows } = await c.query<{ topic: string; partition: number; generation: string; next_offset: bigint; digest: Buffer; parked_digest: Buffer }>(
    `UPDATE checkpoint SET published = true, version = $2
      WHERE ctid = ANY (ARRAY(SELECT ctid FROM checkpoint WHERE NOT published AND region = $1 LIMIT ${MOST_CHECKPOINTS} FOR UPDATE))
  RETURNING topic, partition, generation, next_offset, digest, parked_digest`, [region, version])
  return rows.map((row) => ({ topic: row.topic, partition: row.partition, generation: row.generation, nextOffset: Number(row.next_offset), digest: row.digest, parkedDigest: row.parked_digest }))
}

/** Takes parked events that were not yet published, and marks them as published; those that were redriven with when that was. */
export async function takeParked(c: DbClient): Promise<Omit<ParkedEvent, 'region'>[]> {
  const { rows } = await c.query<{ topic: string; partition: number; generation: string; log_offset: bigint; key: string; reason: string; hash: Buffer; at: bigint }>(
    `UPDATE parked p SET published = true FROM consumer_offset o
      WHERE p.ctid = ANY (ARRAY(SELECT ctid FROM parked WHERE NOT published ORDER BY topic, partition, log_offset LIMIT ${MOST_PARKED} FOR UPDATE))
        AND o.topic = p.topic AND o.partition = p.partition
  RETURNING p.topic, p.partition, o.generation, p.log_offset, p.key, p.reason, int8send(p.hash_hi) || int8send(p.hash_lo) AS hash,
            (extract(epoch FROM p.parked_at) * 1000)::int8 AS at`)
  const { rows: redriven } = await c.query<(typeof rows)[number] & { redriven_at: bigint }>(
    `UPDATE redriven p SET published = true
      WHERE p.ctid = ANY (ARRAY(SELECT ctid FROM redriven WHERE NOT published ORDER BY topic, partition, log_offset LIMIT ${MOST_PARKED} FOR UPDATE))
  RETURNING topic, partition, generation, log_offset, key, reason, int8send(hash_hi) || int8send(hash_lo) AS hash,
            (extract(epoch FROM parked_at) * 1000)::int8 AS at, (extract(epoch FROM redriven_at) * 1000)::int8 AS redriven_at`)
  return [...rows.map((row) => ({ ...row, redriven_at: null })), ...redriven].map((row) => ({
    topic: row.topic, partition: row.partition, generation: row.generation, offset: Number(row.log_offset), key: row.key, reason: row.reason, hash: row.hash, at: Number(row.at),
    redrivenAt: row.redriven_at === null ? null : Number(row.redriven_at),
  }))
}
