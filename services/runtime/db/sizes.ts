import { within } from '../deadline.ts'
import type { Metrics } from '../metrics.ts'
import { sharedReading } from '../shared-reading.ts'
import type { Db } from './pool.ts'

const ANSWER_MS = 2_000
/** The size of a table is asked of the file system: once a minute is enough. */
const FRESH_MS = 60_000

/** Measures every table of this database: bytes on disk with its indexes, and rows as the statistics have them. */
export function watchTableSizes(db: Db, metrics: Metrics): void {
  const read = sharedReading(() => within(db.query<{ name: string; bytes: number; rows: number }>(
    `SELECT c.relname AS name, pg_total_relation_size(c.oid)::float8 AS bytes, coalesce(pg_stat_get_live_tuples(c.oid), 0)::float8 AS rows
       FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace`), ANSWER_MS), FRESH_MS)
  metrics.gauge('hub_table_bytes', 'Bytes of a table and its indexes on disk', ['table'], async (gauge) => {
    const { rows } = await read()
    gauge.reset()
    for (const { name, bytes } of rows) gauge.set({ table: name }, bytes)
  })
  metrics.gauge('hub_table_rows', 'Rows of a table, as the statistics of the database estimate them', ['table'], async (gauge) => {
    const { rows } = await read()
    gauge.reset()
    for (const { name, rows: count } of rows) gauge.set({ table: name }, count)
  })
}
