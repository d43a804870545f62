import { textArray, type DbClient } from '@hub/runtime/db'
import { DATA_STREAMS, type DataStream, type Region } from '@hub/schemas/streams'

/** What the replicator last noted about one partition: the verdict over the checkpoints of four regions, and the scrubber's last pass here. */
export interface NotedPartition {
  readonly origin: Region
  readonly stream: DataStream
  readonly topic: string
  readonly partition: number
  readonly verdict: 'equal' | 'behind' | 'unknown' | 'parked sets differ' | 'different' | null
  readonly reason: string | null
  readonly nextOffset: bigint | null
  readonly asOf: Date | null
  readonly since: Date | null
  readonly equalSince: Date | null
  readonly checkedAt: Date | null
  readonly regions: readonly NotedRegion[] | null
  readonly scrub: NotedScrub | null
}

export interface NotedRegion {
  readonly region: Region
  readonly nextOffset: number | null
  /** ms UTC. */
  readonly at: number | null
  readonly digest: string | null
  readonly parkedDigest: string | null
}

/** Times are RFC 3339, as PostgreSQL writes them into JSON. */
export interface NotedScrub {
  readonly at: string
  readonly rows: number
  readonly result: 'equal' | 'repaired' | 'different'
  readonly reason: string | null
  readonly since: string | null
  readonly findings: readonly { readonly recordId: string; readonly what: string; readonly fields: readonly { readonly field: string; readonly here: string | null; readonly log: string | null }[] }[]
}

/** Every partition of the data streams that this replica has, in the order of its topics. */
export async function readNoted(db: DbClient): Promise<NotedPartition[]> {
  const { rows } = await db.query<NotedPartition>({
    name: 'gateway-convergence',
    text: `SELECT o.region AS origin, o.stream, o.topic, o.partition, c.verdict, c.reason, c.next_offset AS "nextOffset", c.as_of AS "asOf", c.since, c.equal_since AS "equalSince",
                  c.checked_at AS "checkedAt", c.regions,
                  CASE WHEN s.at IS NOT NULL THEN jsonb_build_object('at', s.at, 'rows', s.rows, 'result', s.result, 'reason', s.reason, 'since', s.since, 'findings', s.findings) END AS scrub
             FROM consumer_offset o LEFT JOIN convergence c USING (topic, partition) LEFT JOIN scrub s USING (topic, partition)
            WHERE o.stream = ANY ($1::text[]) ORDER BY o.topic, o.partition`,
    values: [textArray(DATA_STREAMS)],
  })
  return rows
}
