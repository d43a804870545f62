import { int8Array, textArray, timestamptzArray, type DbClient } from '@hub/runtime/db'
import type { ListPlace } from './list-cursor.ts'
import type { Condition } from './list-query.ts'

/** One partition of this replica, as the answer of a reading tells it. */
export interface HeadPartition {
  readonly stream: string
  readonly topic: string
  readonly partition: number
  readonly region: string
  readonly generation: string
  readonly nextOffset: string
  readonly completeFrom: string
  readonly lag: string
  /** Current rows, stubs among them. */
  readonly records: string
  readonly ended: string
  /** Milliseconds that this replica may lack here; null before the first heartbeat. */
  readonly staleMs: number | null
  readonly pausedReason: string | null
}

/** Where the replica stands, of the same snapshot as the rows. */
export interface Head {
  readonly replica: string
  /** The newest change number. */
  readonly change: string
  readonly at: string
  readonly partitions: readonly HeadPartition[]
}

/** A version of a record. `body` holds the log's own bytes. */
export interface RecordRow {
  readonly region: string
  readonly recordId: string
  readonly version: bigint
  readonly kind: string
  readonly ended: boolean
  readonly partition: number
  readonly offset: bigint
  readonly eventId: string
  readonly body: Buffer
  /** Null of an earlier version. */
  readonly appliedAt: Date | null
}

const COLUMNS = 'region, record_id, version, kind, ended, partition, log_offset, event_id, body'
const FIELDS = 'r.region, r.record_id AS "recordId", r.version, r.kind, r.ended, r.partition, r.log_offset AS "offset", r.event_id AS "eventId", r.body, r.applied_at AS "appliedAt"'

/** Time since this replica is known to have lacked nothing of the partition: what the replicator measured when it applied the newest heartbeat that says so. */
const STALE_MS = 'CASE WHEN fresh_at IS NOT NULL THEN greatest(0, extract(epoch FROM clock_timestamp() - fresh_at) * 1000) END'

/** Parameters: stream and partition, each null for all. */
const HEAD = `SELECT json_build_object('replica', a.replica_id, 'change', (a.next_change - 1)::text, 'at', now(), 'partitions', coalesce((
                SELECT json_agg(json_build_object('stream', stream, 'topic', topic, 'partition', partition, 'region', region, 'generation', generation, 'nextOffset', next_offset::text,
                         'completeFrom', greatest(complete_from, first_offset)::text, 'lag', lag::text, 'records', records::text, 'ended', ended_records::text, 'staleMs', round(${STALE_MS}), 'pausedReason', paused_reason) ORDER BY topic, partition)
                  FROM partition_state WHERE ($1::text IS NULL OR stream = $1) AND ($2::int IS NULL OR partition = $2)), '[]'::json)) FROM applier a`

/** Rows and the head they belong to, in one statement and so of one snapshot. */
async function withHead<Row>(db: DbClient, name: string, rows: string, fields: string, values: readonly unknown[]): Promise<{ head: Head; rows: Row[] }> {
  const { rows: found } = await db.query<Row & { recordId: string | null; head: Head | null }>({
    name,
    text: `SELECT ${fields}, CASE WHEN row_number() OVER () = 1 THEN (${HEAD}) END AS head
             FROM (VALUES (1)) one LEFT JOIN (${rows}) r ON true ORDER BY r.region, r.record_id`,
    values,
  })
  return { head: found.find(({ head }) => head !== null)!.head!, rows: found.filter(({ recordId }) => recordId !== null) }
}

/** Where the replica stands with all its streams. */
export async function readHead(db: DbClient): Promise<Head> {
  const { rows } = await db.query<{ head: Head }>({ name: 'read head', text: `SELECT (${HEAD}) AS head`, values: [null, null] })
  return rows[0]!.head
}

/** The current version of a record in each region that has one. `table` comes from the contracts, never from a request. */
export async function readRecords(db: DbClient, stream: string, table: string, partition: number, recordId: string, regions: readonly string[]): Promise<{ head: Head; rows: RecordRow[] }> {
  return withHead(db, `read ${stream}`, `SELECT ${COLUMNS}, applied_at FROM ${table} WHERE record_id = $3 AND region = ANY ($4::text[])`, FIELDS, [stream, partition, recordId, textArray(regions)])
}

/** The version of a record that was current before an offset of its partition, for each of these regions, and beside it what is current now. */
export async function readRecordsAsOf(
  db: DbClient, stream: string, table: string, partition: number, recordId: string, places: readonly { readonly region: string; readonly offset: bigint }[],
): Promise<{ head: Head; rows: (RecordRow & { readonly now: Buffer })[] }> {
  return withHead(
    db, `read ${stream} as of`,
    `SELECT v.*, c.body AS now
       FROM unnest($4::text[], $5::bigint[]) AS p (region, log_offset)
       JOIN ${table} c ON c.region = p.region AND c.record_id = $3
       CROSS JOIN LATERAL (
         SELECT ${COLUMNS.split(', ').map((name) => `c.${name}`).join(', ')}, c.applied_at WHERE c.log_offset < p.log_offset
         UNION ALL
         SELECT h.region, h.record_id, h.version, h.kind, h.ended, h.partition, h.from_offset, h.event_id, h.body, NULL
           FROM history h
          WHERE h.stream = $1 AND h.region = p.region AND h.record_id = $3 AND h.from_offset < p.log_offset AND h.to_offset >= p.log_offset) v`,
    `${FIELDS}, r.now`,
    [stream, partition, recordId, textArray(places.map(({ region }) => region)), int8Array(places.map(({ offset }) => offset))],
  )
}

/** Where this replica was at a time, as it wrote it down. */
export interface RecordedVector {
  readonly at: Date
  /** `<topic>/<partition>` → generation and next offset. */
  readonly vector: Readonly<Record<string, readonly [generation: string, nextOffset: number]>>
}

/** The newest vector that is not younger than `at`, and the oldest there is; `forgotten` = there were older ones. */
export async function readVectors(db: DbClient, at: number | undefined): Promise<{ found: RecordedVector | undefined; oldest: RecordedVector | undefined; forgotten: boolean }> {
  const { rows } = await db.query<RecordedVector & { which: string; number: bigint }>({
    name: 'read vectors',
    text: `(SELECT 'found' AS which, number, at, vector FROM replica_vector WHERE at <= ($1::timestamptz[])[1] ORDER BY at DESC LIMIT 1)
           UNION ALL (SELECT 'oldest', number, at, vector FROM replica_vector ORDER BY number LIMIT 1)`,
    values: [timestamptzArray([at ?? null])],
  })
  const oldest = rows.find(({ which }) => which === 'oldest')
  return { found: rows.find(({ which }) => which === 'found'), oldest, forgotten: oldest !== undefined && oldest.number > 1n }
}

/** These partitions of the replica, with the name of each topic as it is in the database. */
export async function readPartitions(db: DbClient, topics: readonly string[], partition: number): Promise<{ topic: string; region: string; generation: string; nextOffset: bigint; completeFrom: bigint }[]> {
  const { rows } = await db.query<{ topic: string; region: string; generation: string; nextOffset: bigint; completeFrom: bigint }>({
    name: 'read partitions',
    text: `SELECT topic, region, generation, next_offset AS "nextOffset", greatest(complete_from, first_offset) AS "completeFrom" FROM partition_state WHERE topic = ANY ($1::text[]) AND partition = $2`,
    values: [textArray(topics), partition],
  })
  return rows
}

/** Rows that one page of a list looks at, whether they agree with its filters or not. */
const SCANNED = 5_000
/** Bytes of the bodies of one page, at least one of them. */
const PAGE_BYTES = 1024 * 1024

export interface ListPage {
  readonly head: Head
  readonly rows: readonly RecordRow[]
  /** The record after which the next page begins; null after the last. */
  readonly next: ListPlace | null
}

/** One page of the current rows that agree with all conditions, in the order of region and record id. `table` and columns come from the contracts. */
export async function listRecords(db: DbClient, stream: string, table: string, conditions: readonly Condition[], after: ListPlace | undefined, limit: number): Promise<ListPage> {
  const values: unknown[] = [stream, null, after?.region ?? '', after?.recordId ?? '', limit + 1]
  const texts = conditions.map((condition) => {
    values.push(condition.value)
    return { condition, options: condition.columns.map((column) => comparison(condition, column, `$${values.length}`)) }
  })
  const indexed = texts.filter(({ condition }) => condition.indexed)
  // Each branch goes down an index of its own; what agrees with two of them comes once.
  const branches = indexed.reduce<string[]>((all, { options }) => all.flatMap((one) => options.map((option) => `${one} AND ${option}`)), ['(region, record_id) > ($3, $4)'])
  const rest = texts.filter(({ condition }) => !condition.indexed).map(({ options }) => `(${options.join(' OR ')})`)
  // Where every row looked at agrees, none more is looked at than the page has.
  const most = rest.length === 0 ? '$5' : String(SCANNED)
  const looked = (columns: string): string => {
    const each = branches.map((where) => `(SELECT ${columns} FROM ${table} WHERE ${where} ORDER BY region, record_id LIMIT ${most})`)
    return each.length === 1 ? each[0]! : `(SELECT DISTINCT ON (region, record_id) * FROM (${each.join(' UNION ALL ')}) branches ORDER BY region, record_id LIMIT ${most})`
  }
  const used = [...new Set([...COLUMNS.split(', '), 'applied_at', ...conditions.flatMap(({ columns }) => columns)])].join(', ')
  const { rows } = await db.query<RecordRow & { head: Head | null; found: number; endRegion: string | null; endId: string | null }>({
    text: `WITH page AS MATERIALIZED (
             SELECT * FROM ${looked(used)} looked ${rest.length === 0 ? '' : `WHERE ${rest.join(' AND ')}`} ORDER BY region, record_id LIMIT $5),
           sized AS (SELECT *, sum(octet_length(body)) OVER (ORDER BY region, record_id) - octet_length(body) AS before FROM page),
           counted AS (SELECT count(*)::int AS found FROM page)
           SELECT ${FIELDS}, c.found, e.region AS "endRegion", e.record_id AS "endId", CASE WHEN row_number() OVER () = 1 THEN (${HEAD}) END AS head
             FROM counted c
             LEFT JOIN LATERAL (SELECT region, record_id FROM ${looked('region, record_id')} keys WHERE c.found < $5 ORDER BY region, record_id OFFSET ${SCANNED - 1} LIMIT 1) e ON true
             LEFT JOIN sized r ON r.before < ${PAGE_BYTES} ORDER BY r.region, r.record_id`,
    values,
  })
  const first = rows[0]!
  const head = rows.find(({ head }) => head !== null)!.head!
  const given = rows.filter(({ recordId }) => (recordId as string | null) !== null).slice(0, limit)
  const last = given.at(-1)
  if (last !== undefined && given.length < first.found) return { head, rows: given, next: { region: last.region, recordId: last.recordId } }
  return { head, rows: given, next: first.endRegion === null ? null : { region: first.endRegion, recordId: first.endId! } }
}

function comparison({ how, pgType }: Condition, column: string, parameter: string): string {
  switch (how) {
    case 'equals': return `${column} = ${parameter}::${pgType}`
    case 'prefix': return `starts_with(${column}, ${parameter}::text)`
    case 'from': return `${column} >= ${parameter}::${pgType}`
    case 'before': return `${column} < ${parameter}::${pgType}`
    case 'involves': return `${parameter}::text = ANY (string_to_array(${column}, ' '))`
  }
}
