import { type Db, int8Array, migrate, sqlState, textArray } from '@hub/runtime/db'
import { Problem } from '@hub/runtime/http'

/** One copy of credit answers that somebody keeps. */
export interface SubscriberRow {
  readonly caller: string
  readonly name: string
  readonly since: Date
  readonly seenAt: Date
  /** Cursor. */
  readonly acknowledged: string
  readonly acknowledgedAt: Date | null
}

/** Subscribers of one caller: a name for each copy, and no more of them than anybody has. */
export const MAX_NAMES = 20
/** A subscriber that was not seen for so long is forgotten. */
const FORGOTTEN_DAYS = 90

/** The region's database as the lookup uses it; its tables are made when it is first asked. What is asked of it is never needed to answer for a code. */
export interface Store {
  /** Notes that a subscriber is connected; one that is new begins at `cursor`. */
  seen(caller: string, name: string, cursor: string): Promise<void>
  /** Moves what a subscriber has acknowledged. @param merge the later of two cursors. @throws Problem 404 for one that is not known */
  acknowledge(caller: string, name: string, merge: (before: string) => string): Promise<void>
  subscribers(): Promise<SubscriberRow[]>
  /** @returns false when there is none */
  forget(caller: string, name: string): Promise<boolean>
  /** The unified codes that stand beside registration numbers in current records. */
  codesOf(regNos: readonly string[]): Promise<Map<string, string[]>>
  /** Bodies of current records whose subject's name begins like this, in the order of names; undefined when less than two characters are left of it. */
  byName(name: string, limit: number): Promise<Buffer[] | undefined>
  /** What this replica had of the current records of a code at the newest time up to `at` that it wrote down. Records that have ended since are gone. */
  asOf(code: string, at: number): Promise<Earlier>
}

/** A partition of the credit lists: where it stands here, and from where on nothing is missing. */
export interface PartitionRow {
  readonly topic: string
  readonly partition: number
  readonly region: string
  readonly generation: string
  readonly completeFrom: bigint
}

export interface Earlier {
  /** The time that was written down; undefined where none is that old. */
  readonly at: Date | undefined
  /** The oldest that is kept; undefined before there is any. */
  readonly oldest: Date | undefined
  /** `<topic>/<partition>` → generation and next offset. */
  readonly vector: Readonly<Record<string, readonly [generation: string, next: number]>>
  readonly partitions: readonly PartitionRow[]
  readonly rows: readonly { readonly region: string; readonly partition: number; readonly offset: bigint; readonly body: Buffer; readonly now: Buffer }[]
}

const STREAM = 'credit-blacklist'
/** Records of one code that an answer of an earlier time looks at. */
const MOST_EARLIER = 1_000

export function createStore(db: Db): Store {
  let prepared: Promise<void> | undefined
  const ready = (): Promise<void> => prepared ??= migrate(db, 'credit-lookup', new URL('./migrations/', import.meta.url)).catch((error: unknown) => {
    prepared = undefined
    throw error
  })

  return {
    async seen(caller, name, cursor) {
      await ready()
      await db.query('DELETE FROM credit_subscriber WHERE seen_at < now() - make_interval(days => $1::int)', [FORGOTTEN_DAYS])
      const { rowCount } = await db.query(
        `INSERT INTO credit_subscriber (caller, name, acknowledged)
         SELECT $1, $2, $3 WHERE EXISTS (SELECT FROM credit_subscriber WHERE caller = $1 AND name = $2) OR (SELECT count(*) FROM credit_subscriber WHERE caller = $1) < $4
         ON CONFLICT (caller, name) DO UPDATE SET seen_at = now()`, [caller, name, cursor, MAX_NAMES])
      if (rowCount === 0) throw new Problem(400, 'TOO_MANY_SUBSCRIBERS', '订阅名称过多 · too many names of subscribers', `At most ${MAX_NAMES} of one caller. Use one name for each copy, the same after a restart; an operator can forget one.`)
    },
    async acknowledge(caller, name, merge) {
      await ready()
      await db.tx(async (c) => {
        const { rows: [row] } = await c.query<{ acknowledged: string }>('SELECT acknowledged FROM credit_subscriber WHERE caller = $1 AND name = $2 FOR UPDATE', [caller, name])
        if (row === undefined) throw new Problem(404, 'SUBSCRIBER_UNKNOWN', '没有这个订阅 · no such subscriber', 'Connect to GET /v1/credit/changes under this name first.')
        await c.query('UPDATE credit_subscriber SET acknowledged = $3, acknowledged_at = now(), seen_at = now() WHERE caller = $1 AND name = $2', [caller, name, merge(row.acknowledged)])
      })
    },
    async subscribers() {
      await ready()
      const { rows } = await db.query<SubscriberRow>('SELECT caller, name, since, seen_at AS "seenAt", acknowledged, acknowledged_at AS "acknowledgedAt" FROM credit_subscriber ORDER BY caller, name')
      return rows
    },
    async forget(caller, name) {
      await ready()
      return (await db.query('DELETE FROM credit_subscriber WHERE caller = $1 AND name = $2', [caller, name])).rowCount > 0
    },
    async codesOf(regNos) {
      const { rows } = await fromReplica(db.query<{ regNo: string; codes: string[] }>({
        name: 'codes of registration numbers',
        text: 'SELECT reg_no AS "regNo", array_agg(DISTINCT uscc) AS codes FROM credit_blacklist WHERE reg_no = ANY ($1::text[]) AND uscc IS NOT NULL GROUP BY reg_no',
        values: [textArray([...regNos])],
      }))
      return new Map(rows.map(({ regNo, codes }) => [regNo, codes]))
    },
    async byName(name, limit) {
      const { rows } = await fromReplica(db.query<{ key: string; body: Buffer | null }>({
        name: 'credit by name',
        text: `WITH asked AS (SELECT hub_name_key($1) COLLATE "C" AS key)
               SELECT key, body FROM asked LEFT JOIN LATERAL (
                 SELECT body FROM credit_blacklist
                  WHERE name IS NOT NULL AND length(key) > 1 AND hub_name_key(name) COLLATE "C" >= key AND hub_name_key(name) COLLATE "C" < key || chr(1114111)
                  ORDER BY hub_name_key(name) COLLATE "C" LIMIT $2) found ON true`,
        values: [name, limit],
      }))
      return (rows[0]?.key.length ?? 0) < 2 ? undefined : rows.flatMap(({ body }) => body ?? [])
    },
    asOf: (code, at) => fromReplica(db.tx(async (c) => {
      const { rows: partitions } = await c.query<PartitionRow>('SELECT topic, partition, region, generation, greatest(complete_from, first_offset) AS "completeFrom" FROM partition_state WHERE stream = $1 ORDER BY region, partition', [STREAM])
      const { rows: vectors } = await c.query<{ at: Date; vector: Earlier['vector']; found: boolean }>(
        `(SELECT at, vector, true AS found FROM replica_vector WHERE at <= to_timestamp($1::float8 / 1000) ORDER BY at DESC LIMIT 1) UNION ALL (SELECT at, '{}', false FROM replica_vector ORDER BY number LIMIT 1)`, [at])
      const [found, oldest] = [vectors.find((one) => one.found), vectors.find((one) => !one.found)]
      const places = partitions.flatMap(({ topic, partition, region }) => {
        const next = found?.vector[`${topic}/${partition}`]?.[1]
        return next === undefined ? [] : [{ region, partition, next }]
      })
      const { rows } = await c.query<Earlier['rows'][number]>(
        `SELECT v.region, v.partition, v.log_offset AS "offset", v.body, c.body AS now
           FROM credit_blacklist c
           JOIN unnest($2::text[], $3::bigint[], $4::bigint[]) AS p (region, partition, log_offset) ON p.region = c.region AND p.partition = c.partition
           CROSS JOIN LATERAL (
             SELECT c.region, c.partition, c.log_offset, c.body WHERE c.log_offset < p.log_offset
             UNION ALL
             SELECT h.region, h.partition, h.from_offset, h.body FROM history h
              WHERE h.stream = $5 AND h.region = c.region AND h.record_id = c.record_id AND h.from_offset < p.log_offset AND h.to_offset >= p.log_offset) v
          WHERE c.uscc = $1 ORDER BY c.region, c.record_id LIMIT ${MOST_EARLIER}`,
        [code, textArray(places.map(({ region }) => region)), int8Array(places.map(({ partition }) => BigInt(partition))), int8Array(places.map(({ next }) => BigInt(next))), STREAM])
      return { at: found?.at, oldest: oldest?.at, vector: found?.vector ?? {}, partitions, rows }
    })),
  }
}

/** SQLSTATE undefined_table and undefined_function. */
const NOT_MADE = new Set(['42P01', '42883'])

/** A read of the replica's tables, which are not there before a replicator of this region has started once. */
async function fromReplica<T>(read: Promise<T>): Promise<T> {
  try {
    return await read
  } catch (error) {
    if (!NOT_MADE.has(sqlState(error) ?? '')) throw error
    throw new Problem(503, 'REPLICA_MISSING', '本地区尚无副本 · this region has no replica yet', "Start the region's replicator; it makes the tables that this is read from.")
  }
}
