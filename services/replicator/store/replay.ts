import { boolArray, byteaArray, type Db, type DbClient, int8Array, textArray } from '@hub/runtime/db'
import { TABLES } from '@hub/schemas/tables'
import type { CurrentRow, Put } from '../apply.ts'
import { keptSql, type Place } from '../check-row.ts'

/** A table of this connection alone, for what a replay makes of a partition: the newest version of each key, or none where its events are all bad. */
export async function makeReplayed(db: Db): Promise<void> {
  await db.query('DROP TABLE IF EXISTS pg_temp.replayed')
  await db.query('CREATE TEMP TABLE replayed (record_id text COLLATE "C" PRIMARY KEY, version int8, log_offset int8, ended bool, hash_hi int8, hash_lo int8, body bytea)')
  // Its plans are made while it is empty.
  await db.query('SET enable_seqscan = off')
}

export async function readReplayed(db: DbClient, keys: readonly string[]): Promise<Map<string, CurrentRow>> {
  const { rows } = await db.query<{ record_id: string; version: bigint; hash: Buffer; log_offset: bigint; ended: boolean }>({
    name: 'read replayed',
    text: `SELECT record_id, version, int8send(hash_hi) || int8send(hash_lo) AS hash, log_offset, ended FROM replayed WHERE record_id = ANY ($1::text[]) AND version IS NOT NULL`,
    values: [textArray(keys)],
  })
  return new Map(rows.map((row) => [row.record_id, { version: row.version, hash: row.hash, offset: Number(row.log_offset), ended: row.ended }]))
}

export async function writeReplayed(db: DbClient, puts: readonly Put[], onlyBad: readonly string[]): Promise<void> {
  if (onlyBad.length > 0) {
    await db.query({ name: 'write bad', text: 'INSERT INTO replayed (record_id) SELECT DISTINCT unnest($1::text[]) ON CONFLICT DO NOTHING', values: [textArray(onlyBad)] })
  }
  if (puts.length === 0) return
  await db.query({
    name: 'write replayed',
    text: `INSERT INTO replayed SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::bool[], $5::int8[], $6::int8[], $7::bytea[])
           ON CONFLICT (record_id) DO UPDATE SET version = excluded.version, log_offset = excluded.log_offset, ended = excluded.ended,
             hash_hi = excluded.hash_hi, hash_lo = excluded.hash_lo, body = excluded.body`,
    values: [
      textArray(puts.map(({ item }) => item.key)),
      int8Array(puts.map(({ item }) => item.version)),
      int8Array(puts.map(({ item }) => item.offset)),
      boolArray(puts.map(({ item }) => item.ended)),
      int8Array(puts.map(({ item }) => item.hash.readBigInt64BE(0))),
      int8Array(puts.map(({ item }) => item.hash.readBigInt64BE(8))),
      byteaArray(puts.map(({ item }) => item.body)),
    ],
  })
}

const ROWS_READ = 500

/** The records that a replay made, by key, some hundreds at a time. */
export async function* readReplayedBodies(db: DbClient): AsyncGenerator<readonly { readonly key: string; readonly offset: number; readonly body: Buffer }[]> {
  for (let after = ''; ;) {
    const { rows } = await db.query<{ key: string; offset: bigint; body: Buffer }>({
      name: 'read replayed bodies', text: `SELECT record_id AS key, log_offset AS offset, body FROM replayed WHERE record_id > $1 AND version IS NOT NULL ORDER BY record_id LIMIT ${ROWS_READ}`, values: [after],
    })
    if (rows.length === 0) return
    yield rows.map((row) => ({ ...row, offset: Number(row.offset) }))
    after = rows.at(-1)!.key
  }
}

/** One key as the log makes it and as it stands. */
export interface Pair {
  readonly key: string
  /** Undefined: no event of this key is on the log. `version` null: only bad ones. */
  readonly log: { readonly version: bigint | null; readonly offset: number | null; readonly hash: Buffer | null; readonly ended: boolean; readonly body: Buffer | null } | undefined
  readonly here: HereRow | undefined
}

export interface HereRow {
  readonly version: bigint
  readonly offset: number
  readonly ended: boolean
  readonly change: bigint
  /** As it is stored. */
  readonly hash: Buffer
  /** Of the body as it is. */
  readonly bodyHash: Buffer
  readonly body: Buffer
  readonly kept: string
}

/**
 * Keys that differ, and those of `also`, at most `limit`, with the sum of all rows as they are stored; in the transaction's snapshot. Rows from `from` up to
 * `next` came after the replay and are left out.
 */
export async function readPairs(c: DbClient, { stream, region, partition }: Place, range: { from: number; next: number; completeFrom: number }, also: readonly string[], limit: number): Promise<{ pairs: Pair[]; sum: { records: number; ended: number; hi: bigint; lo: bigint } }> {
  await c.query('SET LOCAL enable_seqscan = on')
  const rows = `(SELECT * FROM ${TABLES[stream].table} WHERE region = '${region}' AND partition = ${partition})`
  const { rows: found } = await c.query<{
    key: string; in_log: boolean; version: bigint | null; offset: bigint | null; hash: Buffer | null; ended: boolean | null; body: Buffer | null
    here_version: bigint | null; here_offset: bigint; here_ended: boolean; here_change: bigint; here_hash: Buffer; here_body_hash: Buffer; here_body: Buffer; kept: string
  }>({
    text: `SELECT coalesce(e.record_id, t.record_id) AS key, e.record_id IS NOT NULL AS in_log, e.version, e.log_offset AS offset, int8send(e.hash_hi) || int8send(e.hash_lo) AS hash, e.ended, e.body,
                  t.version AS here_version, t.log_offset AS here_offset, t.ended AS here_ended, t.change_no AS here_change, int8send(t.hash_hi) || int8send(t.hash_lo) AS here_hash,
                  hub_record_hash(t.record_id, t.version, t.body) AS here_body_hash, t.body AS here_body, t.kept
             FROM replayed e
             FULL JOIN (SELECT r.*, ${keptSql(stream)} AS kept FROM ${rows} r) t ON t.record_id = e.record_id
            WHERE coalesce(e.record_id, t.record_id) = ANY ($4::text[])
               OR (NOT coalesce(t.log_offset >= $1 AND t.log_offset < $2, false)
                   AND (e.record_id IS NULL OR t.record_id IS NULL AND e.version IS NOT NULL OR t.record_id IS NOT NULL AND (
                     e.version IS DISTINCT FROM t.version OR e.hash_hi IS DISTINCT FROM t.hash_hi OR e.hash_lo IS DISTINCT FROM t.hash_lo
                     OR hub_record_hash(t.record_id, t.version, t.body) <> int8send(e.hash_hi) || int8send(e.hash_lo)
                     OR (e.log_offset <> t.log_offset AND NOT (t.log_offset < $3 AND t.log_offset < e.log_offset)))))
            LIMIT $5`,
    values: [range.from, range.next, range.completeFrom, textArray(also), limit],
    timeoutMs: 600_000,
  })
  const { rows: [sum] } = await c.query<{ records: bigint; ended: bigint; hi: bigint; lo: bigint }>({
    text: `SELECT count(*) AS records, count(*) FILTER (WHERE ended) AS ended, coalesce(bit_xor(hash_hi), 0) AS hi, coalesce(bit_xor(hash_lo), 0) AS lo FROM ${rows} r`, timeoutMs: 600_000,
  })
  return {
    pairs: found.map((row) => ({
      key: row.key,
      log: row.in_log ? { version: row.version, offset: row.offset === null ? null : Number(row.offset), hash: row.hash, ended: row.ended === true, body: row.body } : undefined,
      here: row.here_version === null ? undefined : {
        version: row.here_version, offset: Number(row.here_offset), ended: row.here_ended, change: row.here_change, hash: row.here_hash, bodyHash: row.here_body_hash, body: row.here_body, kept: row.kept,
      },
    })),
    sum: { records: Number(sum!.records), ended: Number(sum!.ended), hi: sum!.hi, lo: sum!.lo },
  }
}

/** Offsets of the events that stand parked: a newer release might not park them, but that is for a redrive to decide, after which they do not stand there. */
export async function readParkedOffsets(db: Db, { topic, partition }: Place): Promise<Set<number>> {
  const { rows } = await db.query<{ log_offset: bigint }>('SELECT log_offset FROM parked WHERE topic = $1 AND partition = $2', [topic, partition])
  return new Set(rows.map(({ log_offset: offset }) => Number(offset)))
}
