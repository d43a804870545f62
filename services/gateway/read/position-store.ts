import type { DbClient } from '@hub/runtime/db'

/** Position, counters and digest of each partition of this region's replica. */
export interface PartitionState {
  region: string
  stream: string
  topic: string
  partition: number
  generation: string
  nextOffset: bigint
  lag: bigint
  applied: bigint
  duplicate: bigint
  stale: bigint
  folded: bigint
  parked: bigint
  control: bigint
  absent: bigint
  records: bigint
  digest: string
  pausedReason: string | null
}

export async function readPosition(db: DbClient): Promise<PartitionState[]> {
  const { rows } = await db.query<PartitionState>(
    `SELECT region, stream, topic, partition, generation, next_offset AS "nextOffset", lag, applied, duplicate, stale, folded, parked,
            control, absent, records, digest, paused_reason AS "pausedReason"
       FROM partition_state ORDER BY topic, partition`,
  )
  return rows
}

/** This replica's own id: a restored or rebuilt one has another. */
export async function readReplicaId(db: DbClient): Promise<string> {
  const { rows } = await db.query<{ id: string }>('SELECT replica_id::text AS id FROM applier')
  return rows[0]?.id ?? ''
}
