import { int4Array, int8Array, textArray, type DbClient } from '@hub/runtime/db'

/** Events of one day by stream and source; `caller` where no source of the caller's was named. */
export interface DayCount {
  readonly stream: string
  readonly source: string | null
  readonly caller: string | null
  /** `published` for what was accepted, first versions and newer ones. */
  readonly verdict: string
  readonly count: number
}

/** A table whose ids are times, and how its rows are counted. */
export const COUNTED = {
  published: {
    id: 'event_id',
    counts: `SELECT topic AS stream, split_part(record_id, '/', 1) AS source, NULL AS caller, 'published' AS verdict, count(*)::int AS count
               FROM published WHERE event_id >= $1::uuid AND event_id < $2::uuid GROUP BY 1, 2`,
  },
  // A row of an accepted event is there for its flags; the event is counted where it is published.
  verdict: {
    id: 'id',
    counts: `SELECT stream, source, CASE WHEN source IS NULL THEN caller END AS caller, outcome AS verdict, count(*)::int AS count
               FROM verdict WHERE id >= $1::uuid AND id < $2::uuid AND outcome NOT IN ('accepted', 'new-version') GROUP BY 1, 2, 3, 4`,
  },
} as const

export type CountedTable = keyof typeof COUNTED

/** The id that `rows` rows from `from` on lead to, or undefined where there are fewer below `below`. */
export async function sliceEnd(db: DbClient, table: CountedTable, from: string, below: string, rows: number): Promise<string | undefined> {
  const { id } = COUNTED[table]
  const { rows: [end] } = await db.query<{ id: string }>(`SELECT ${id} AS id FROM ${table} WHERE ${id} >= $1::uuid AND ${id} < $2::uuid ORDER BY ${id} OFFSET $3 LIMIT 1`, [from, below, rows])
  return end?.id
}

/** Counts of the rows from `from` up to and without `below`; `stream` of what is published is its topic. */
export async function countSlice(db: DbClient, table: CountedTable, from: string, below: string): Promise<DayCount[]> {
  return (await db.query<DayCount>(COUNTED[table].counts, [from, below])).rows
}

/** How far a region's replica is in one of this region's partitions. */
export interface Frontier {
  readonly region: string
  readonly topic: string
  readonly partition: number
  /** Events up to and without this sequence have arrived; null where too long ago to tell. */
  readonly arrived: bigint | null
  /** Whether it is past the last event that this region's own replica knows of: what is missing are heartbeats, or events of this moment. */
  readonly level: boolean
  /** Whether this region's own replica has taken something of the partition (a heartbeat at least) in the last 15 s. */
  readonly live: boolean
  /** When the region last said how far it is; null = never. */
  readonly at: Date | null
}

export async function readFrontiers(db: DbClient, topics: readonly string[], regions: readonly string[]): Promise<Frontier[]> {
  const { rows } = await db.query<Frontier>(
    `SELECT w.region, h.topic, h.partition, r.at, coalesce(r.next_offset > c.last_event, false) AS level, coalesce(c.moved_at > now() - interval '15 s', false) AS live,
            CASE WHEN r.next_offset IS NULL THEN 0 WHEN k.arrived IS NULL AND o.first_sequence > 0 THEN NULL ELSE coalesce(k.arrived, 0) END AS arrived
       FROM outbox_head h
      CROSS JOIN unnest($2::text[]) AS w (region)
       LEFT JOIN consumer_offset c ON c.topic = h.topic AND c.partition = h.partition
       LEFT JOIN region_position r ON r.region = w.region AND r.topic = h.topic AND r.partition = h.partition
       LEFT JOIN LATERAL (
         SELECT least(s.last_sequence + 1, s.first_sequence + r.next_offset - s.first_offset) AS arrived FROM sent_range s
          WHERE s.topic = h.topic AND s.partition = h.partition AND s.first_offset < r.next_offset ORDER BY s.first_sequence DESC LIMIT 1) k ON true
       LEFT JOIN LATERAL (SELECT first_sequence FROM sent_range s WHERE s.topic = h.topic AND s.partition = h.partition ORDER BY s.first_sequence LIMIT 1) o ON true
      WHERE h.topic = ANY ($1::text[])`, [topics, regions])
  return rows
}

/** What of the newest published events a region does not have yet in one partition. */
export interface Waiting {
  readonly region: string
  readonly topic: string
  readonly partition: number
  /** Of the caller. */
  readonly own: number
  /** Ids of the caller's oldest and newest. */
  readonly oldest: string | null
  readonly newest: string | null
  /** Whether one that it has was among them, so that those before it need not be looked at. */
  readonly reached: boolean
}

/** What the newest `scan` published events say; `floor` is the oldest id among them, null where they are all there are. `sources`: whose are the caller's; null = all. */
export async function readWaiting(db: DbClient, frontiers: readonly Frontier[], sources: readonly string[] | null, scan: number): Promise<{ waiting: Waiting[]; floor: string | null }> {
  const known = frontiers.filter((one) => one.arrived !== null)
  const { rows } = await db.query<Waiting>(
    `SELECT f.region, f.topic, f.partition, count(*) FILTER (WHERE late AND own)::int AS own, min(id) FILTER (WHERE late AND own) AS oldest, max(id) FILTER (WHERE late AND own) AS newest,
            bool_or(NOT late) AS reached
       FROM (SELECT event_id::text COLLATE "C" AS id, topic, partition, sequence, $5::text[] IS NULL OR split_part(record_id, '/', 1) = ANY ($5::text[]) AS own
               FROM published ORDER BY event_id DESC LIMIT $6) p
       JOIN unnest($1::text[], $2::text[], $3::int[], $4::bigint[]) AS f (region, topic, partition, arrived) ON f.topic = p.topic AND f.partition = p.partition
      CROSS JOIN LATERAL (SELECT p.sequence >= f.arrived AS late) l
      GROUP BY f.region, f.topic, f.partition`,
    [textArray(known.map((one) => one.region)), textArray(known.map((one) => one.topic)), int4Array(known.map((one) => one.partition)), int8Array(known.map((one) => one.arrived)), sources, scan])
  const { rows: [end] } = await db.query<{ id: string }>('SELECT event_id AS id FROM published ORDER BY event_id DESC OFFSET $1 LIMIT 1', [scan - 1])
  return { waiting: rows, floor: end?.id ?? null }
}
