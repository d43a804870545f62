import { boolArray, byteaArray, type Db, type DbTx, int4Array, int8Array, textArray } from '@hub/runtime/db'
import { TABLES } from '@hub/schemas/tables'
import type { RecordItem } from '@hub/schemas/log-item'
import type { RecordStream } from './columns.ts'

/** A stored row that ends at `to`. */
export interface Superseded {
  readonly region: string
  readonly key: string
  readonly to: number
}

/** A version that was never stored as current. */
export interface Folded {
  readonly region: string
  readonly partition: number
  readonly item: RecordItem
  readonly to: number
}

/** Copies rows about to be replaced into history. */
export function keepSuperseded(c: DbTx, stream: RecordStream, rows: readonly Superseded[]): void {
  if (rows.length === 0) return
  c.send({
    name: `keep superseded ${stream}`,
    text: `INSERT INTO history (stream, region, record_id, from_offset, to_offset, partition, version, kind, ended, event_id, change_no, body)
           SELECT $1, t.region, t.record_id, t.log_offset, k.to_offset, t.partition, t.version, t.kind, t.ended, t.event_id, t.change_no, t.body
             FROM unnest($2::text[], $3::text[], $4::int8[]) AS k (region, record_id, to_offset)
             JOIN ${TABLES[stream].table} t USING (region, record_id)`,
    values: [stream, textArray(rows.map(({ region }) => region)), textArray(rows.map(({ key }) => key)), int8Array(rows.map(({ to }) => to))],
  })
}

/** Writes the versions that came and went inside one transaction. */
export function keepFolded(c: DbTx, stream: RecordStream, rows: readonly Folded[]): void {
  if (rows.length === 0) return
  c.send({
    name: 'keep folded',
    text: `INSERT INTO history (stream, region, record_id, from_offset, to_offset, partition, version, kind, ended, event_id, body)
           SELECT $1, * FROM unnest($2::text[], $3::text[], $4::int8[], $5::int8[], $6::int4[], $7::int8[], $8::text[], $9::bool[], $10::text[], $11::bytea[])`,
    values: [
      stream,
      textArray(rows.map(({ region }) => region)),
      textArray(rows.map(({ item }) => item.key)),
      int8Array(rows.map(({ item }) => item.offset)),
      int8Array(rows.map(({ to }) => to)),
      int4Array(rows.map(({ partition }) => partition)),
      int8Array(rows.map(({ item }) => item.version)),
      textArray(rows.map(({ item }) => item.kind)),
      boolArray(rows.map(({ item }) => item.ended)),
      textArray(rows.map(({ item }) => item.eventId)),
      byteaArray(rows.map(({ item }) => item.body)),
    ],
  })
}

/** Removes every earlier version of records that ended. */
export function eraseHistory(c: DbTx, stream: RecordStream, keys: readonly { region: string; key: string }[]): void {
  if (keys.length === 0) return
  c.send({
    name: 'erase history',
    text: `DELETE FROM history h USING unnest($2::text[], $3::text[]) AS k (region, record_id)
            WHERE h.stream = $1 AND h.region = k.region AND h.record_id = k.record_id`,
    values: [stream, textArray(keys.map(({ region }) => region)), textArray(keys.map(({ key }) => key))],
  })
}

const TRIM_ROWS = 10_000

/** Forgets versions superseded longer ago than `months`, some thousands at most. @returns how many; call again while there are any. */
export async function trimHistory(db: Db, months: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM history WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM history WHERE superseded_at < now() - make_interval(months => $1::int) LIMIT ${TRIM_ROWS}))`, [months])
  return rowCount
}
