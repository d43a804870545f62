import type { Db } from '@hub/runtime/db'
import { DATA_STREAMS, topicName, type DataStream, type Region } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'

/** One version that a replica took: current (`to` null) or superseded by the event at `to`. */
export interface VersionRow {
  readonly topic: string
  readonly partition: number
  readonly key: string
  readonly version: bigint
  readonly eventId: string
  readonly from: bigint
  readonly to: bigint | null
  readonly ended: boolean
}

export interface ParkedRow {
  readonly topic: string
  readonly partition: number
  readonly key: string
  readonly offset: bigint
  readonly reason: string
}

export interface PartitionRow {
  readonly topic: string
  readonly partition: number
  readonly firstOffset: bigint
  readonly nextOffset: bigint
  readonly applied: bigint
  readonly duplicate: bigint
  readonly stale: bigint
  readonly folded: bigint
  readonly parked: bigint
  readonly control: bigint
  readonly absent: bigint
  readonly records: bigint
  readonly endedRecords: bigint
  readonly parkedOpen: bigint
}

/** All that one region's replica says of the data streams. */
export interface ReplicaState {
  readonly region: Region
  readonly partitions: readonly PartitionRow[]
  readonly versions: readonly VersionRow[]
  readonly parked: readonly ParkedRow[]
}

/** Reads a replica in one snapshot; `prefix` as the topics have it on the broker. */
export async function readReplicaState(region: Region, db: Db, prefix: string): Promise<ReplicaState> {
  return db.tx(async (c) => {
    await c.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const topics = `SELECT topic, region, stream FROM consumer_offset WHERE stream = ANY ($1) GROUP BY topic, region, stream`
    const current = DATA_STREAMS.map((stream) => currentOf(stream)).join(' UNION ALL ')
    const partitions = await c.query<PartitionRow>(
      `SELECT topic, partition, first_offset AS "firstOffset", next_offset AS "nextOffset", applied, duplicate, stale, folded, parked, control, absent,
              records, ended_records AS "endedRecords", parked_open AS "parkedOpen"
         FROM partition_state WHERE stream = ANY ($1) ORDER BY topic, partition`, [DATA_STREAMS])
    const versions = await c.query<Omit<VersionRow, 'topic'> & { region: Region, stream: DataStream }>(
      `${current} UNION ALL SELECT region, stream, partition, record_id, version, event_id, from_offset, to_offset, ended FROM history`)
    const parked = await c.query<ParkedRow>(
      `SELECT topic, partition, key, log_offset AS "offset", reason FROM parked WHERE topic IN (SELECT topic FROM (${topics}) t)`, [DATA_STREAMS])
    return {
      region,
      partitions: partitions.rows,
      versions: versions.rows.map(({ region: origin, stream, ...row }) => ({ topic: topicName(origin, stream, prefix), ...row })),
      parked: parked.rows,
    }
  })
}

function currentOf(stream: DataStream): string {
  return `SELECT region, '${stream}' AS stream, partition, record_id AS key, version, event_id AS "eventId", log_offset AS "from", NULL::bigint AS "to", ended
            FROM ${TABLES[stream].table}`
}
