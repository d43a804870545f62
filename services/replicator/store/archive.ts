import { byteaArray, type Db, type DbTx, int8Array, textArray } from '@hub/runtime/db'
import type { RecordItem } from '@hub/schemas/log-item'
import { TABLES } from '@hub/schemas/tables'
import type { RecordStream } from './columns.ts'

/** Copies what is stored of these records of the region's own into the archive, before their end takes it away: the current row and all of its history. */
export function archiveStored(c: DbTx, stream: RecordStream, region: string, keys: readonly string[]): void {
  if (keys.length === 0) return
  c.send({
    name: `archive stored ${stream}`,
    text: `INSERT INTO archive (stream, record_id, version, kind, event_id, body)
           SELECT $1, v.record_id, v.version, v.kind, v.event_id, v.body FROM unnest($3::text[]) AS k (record_id)
            CROSS JOIN LATERAL (
              SELECT record_id, version, kind, event_id, body FROM history WHERE stream = $1 AND region = $2 AND record_id = k.record_id
              UNION ALL
              SELECT record_id, version, kind, event_id, body FROM ${TABLES[stream].table} WHERE region = $2 AND record_id = k.record_id) v
           ON CONFLICT DO NOTHING`,
    values: [stream, region, textArray(keys)],
  })
}

/** The same of versions that were never stored: they came and ended within one transaction. */
export function archiveItems(c: DbTx, stream: RecordStream, items: readonly RecordItem[]): void {
  if (items.length === 0) return
  c.send({
    name: 'archive items',
    text: `INSERT INTO archive (stream, record_id, version, kind, event_id, body)
           SELECT $1, * FROM unnest($2::text[], $3::int8[], $4::text[], $5::text[], $6::bytea[]) ON CONFLICT DO NOTHING`,
    values: [
      stream, textArray(items.map(({ key }) => key)), int8Array(items.map(({ version }) => version)), textArray(items.map(({ kind }) => kind)), textArray(items.map(({ eventId }) => eventId)),
      byteaArray(items.map(({ body }) => body)),
    ],
  })
}

/** Takes records that were erased out of the archive. */
export function purgeArchive(c: DbTx, stream: RecordStream, keys: readonly string[]): void {
  if (keys.length === 0) return
  c.send({ name: 'purge archive', text: 'DELETE FROM archive WHERE stream = $1 AND record_id = ANY ($2::text[])', values: [stream, textArray(keys)] })
}

const TRIM_ROWS = 5_000

/** Forgets what was archived longer ago than `months`, some thousands at most. @returns how many; call again while there are any */
export async function trimArchive(db: Db, months: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM archive WHERE ctid = ANY (ARRAY(SELECT ctid FROM archive WHERE archived_at < now() - make_interval(months => $1::int) LIMIT ${TRIM_ROWS}))`, [months])
  return rowCount
}
