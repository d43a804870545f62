import { int8Array, textArray, type DbClient } from '@hub/runtime/db'
import { TABLES } from '@hub/schemas/tables'
import type { DataStream } from '@hub/schemas/streams'
import type { Cursor } from './cursor.ts'

/** How far the replica is. */
export interface Tip extends Cursor {
  /** Changes up to this number are no longer all there. */
  readonly floor: number
}

/** A version with its change number. `body` holds the log's own bytes. */
export interface ChangeRow {
  readonly change: number
  readonly region: string
  readonly recordId: string
  readonly version: bigint
  readonly kind: string
  readonly ended: boolean
  readonly partition: number
  readonly offset: bigint
  readonly eventId: string
  readonly body: Buffer
  /** A newer version has taken its place. */
  readonly superseded: boolean
}

export interface RecordKey {
  readonly region: string
  readonly recordId: string
}

const TIP = `a.replica_id::text AS replica, a.next_change - 1 AS tip, (SELECT change_no FROM change_mark ORDER BY at LIMIT 1) AS floor`
const FIELDS = 'region, record_id, version, kind, ended, partition, event_id, body'

interface RawTip { replica: string; tip: bigint; floor: bigint | null }
type RawChange = Omit<ChangeRow, 'change'> & { change: bigint | null; found: bigint }

export async function readTip(db: DbClient): Promise<Tip> {
  const { rows } = await db.query<RawTip>({ name: 'feed tip', text: `SELECT ${TIP} FROM applier a` })
  return tipOf(rows[0]!)
}

/**
 * The changes of a stream after a number, in order, of one snapshot with the tip: at most `limit`, and no more than fit into `bytes` of bodies, though
 * always one. `complete` = there were no more up to the tip. Never prepared: a plan made while the tables were empty would be kept.
 */
export async function readChanges(db: DbClient, stream: DataStream, after: number, limit: number, bytes: number): Promise<{ tip: Tip; rows: ChangeRow[]; complete: boolean }> {
  const { rows } = await db.query<RawTip & RawChange>(
    `SELECT ${TIP}, r.change_no AS change, r.region, r.record_id AS "recordId", r.version, r.kind, r.ended, r.partition, r.log_offset AS "offset", r.event_id AS "eventId", r.body,
            r.superseded, r.found
       FROM applier a
       LEFT JOIN LATERAL (
         SELECT * FROM (
           SELECT u.*, sum(octet_length(body)) OVER (ORDER BY change_no) - octet_length(body) AS before, count(*) OVER () AS found
             FROM ((SELECT change_no, ${FIELDS}, log_offset, false AS superseded FROM ${TABLES[stream].table} WHERE change_no > $1 ORDER BY change_no LIMIT $2)
                   UNION ALL
                   (SELECT change_no, ${FIELDS}, from_offset, true FROM history WHERE stream = '${stream}' AND change_no > $1 ORDER BY change_no LIMIT $2)
                   ORDER BY change_no LIMIT $2) u) w
          WHERE before < $3) r ON true
      ORDER BY r.change_no`,
    [after, limit, bytes],
  )
  const changes = rows.flatMap(({ change, ...row }) => (change === null ? [] : [{ ...row, change: Number(change) }]))
  const found = Number(rows[0]!.found ?? 0)
  return { tip: tipOf(rows[0]!), rows: changes, complete: found < limit && changes.length === found }
}

/** The current bodies of these records. */
export async function readCurrentBodies(db: DbClient, stream: DataStream, keys: readonly RecordKey[]): Promise<(RecordKey & { body: Buffer })[]> {
  const { rows } = await db.query<RecordKey & { body: Buffer }>(
    `SELECT t.region, t.record_id AS "recordId", t.body FROM unnest($1::text[], $2::text[]) AS k (region, record_id) JOIN ${TABLES[stream].table} t USING (region, record_id)`,
    [textArray(keys.map(({ region }) => region)), textArray(keys.map(({ recordId }) => recordId))],
  )
  return rows
}

/** What the feed had of each of these records before its change: the body of the newest version with a lower number. Records it had nothing of are absent. */
export async function readPredecessors(db: DbClient, stream: DataStream, changes: readonly (RecordKey & { change: number })[]): Promise<{ change: number; body: Buffer }[]> {
  const { rows } = await db.query<{ change: bigint; body: Buffer }>(
    `SELECT k.change, p.body
       FROM unnest($2::text[], $3::text[], $4::int8[]) AS k (region, record_id, change)
      CROSS JOIN LATERAL (
        SELECT body FROM history h WHERE h.stream = $1 AND h.region = k.region AND h.record_id = k.record_id AND h.change_no < k.change ORDER BY h.change_no DESC LIMIT 1) p`,
    [stream, textArray(changes.map(({ region }) => region)), textArray(changes.map(({ recordId }) => recordId)), int8Array(changes.map(({ change }) => change))],
  )
  return rows.map(({ change, body }) => ({ change: Number(change), body }))
}

/** First statement of a transaction that must see one state of the replica throughout. */
export async function beginSnapshot(c: DbClient): Promise<{ tip: Tip; at: Date }> {
  await c.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
  const { rows } = await c.query<RawTip & { at: Date }>(`SELECT ${TIP}, now() AS at FROM applier a`)
  return { tip: tipOf(rows[0]!), at: rows[0]!.at }
}

/** Current rows that have not ended, by region and record id, from after a key on; bounded as `readChanges` is. */
export async function readCurrentRows(c: DbClient, stream: DataStream, after: RecordKey, region: string | null, limit: number, bytes: number): Promise<Omit<ChangeRow, 'change' | 'superseded'>[]> {
  const { rows } = await c.query<Omit<ChangeRow, 'change' | 'superseded'>>(
    `SELECT region, record_id AS "recordId", version, kind, ended, partition, log_offset AS "offset", event_id AS "eventId", body
       FROM (SELECT u.*, sum(octet_length(body)) OVER (ORDER BY region, record_id) - octet_length(body) AS before
               FROM (SELECT ${FIELDS}, log_offset FROM ${TABLES[stream].table}
                      WHERE (region, record_id) > ($1::text COLLATE "C", $2::text COLLATE "C") AND NOT ended AND ($3::text IS NULL OR region = $3)
                      ORDER BY region, record_id LIMIT $4) u) w
      WHERE before < $5 ORDER BY region, record_id`,
    [after.region, after.recordId, region, limit, bytes],
  )
  return rows
}

function tipOf({ replica, tip, floor }: RawTip): Tip {
  return { replica, change: Number(tip), floor: Number(floor ?? 0) }
}
