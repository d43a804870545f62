import { type DbTx, int8Array, textArray } from '@hub/runtime/db'
import { TABLES } from '@hub/schemas/tables'
import type { Place } from '../check-row.ts'
import { writeRecords, type PlacedPut } from './records.ts'

/** SQLSTATE of a repair that found something else than it was decided on. */
export const MOVED_ON = 'HB003'

/** A row as it was when the repair was decided on; undefined = there was none. */
export interface Before {
  readonly key: string
  readonly row: { readonly offset: number; readonly version: bigint; readonly change: bigint } | undefined
}

/** How digest and counts differ from the truth. */
export interface Correction {
  readonly hi: bigint
  readonly lo: bigint
  readonly records: number
  readonly ended: number
}

/** Puts the right rows in the place of wrong ones, unless one of them has moved on since: then the transaction fails with `MOVED_ON`. The applier row must be held. */
export function replaceRows(c: DbTx, { stream, region }: Place, before: readonly Before[], puts: readonly PlacedPut[]): void {
  c.send({
    text: `SELECT hub_expect(count(*) FILTER (WHERE t.record_id IS NOT NULL AND (t.log_offset, t.version, t.change_no) = (k.log_offset, k.version, k.change_no) OR t.record_id IS NULL AND k.version IS NULL),
                             cardinality($2::text[]), '${MOVED_ON}')
             FROM unnest($2::text[], $3::int8[], $4::int8[], $5::int8[]) AS k (record_id, log_offset, version, change_no)
             LEFT JOIN ${TABLES[stream].table} t ON t.region = $1 AND t.record_id = k.record_id`,
    values: [
      region,
      textArray(before.map(({ key }) => key)),
      int8Array(before.map(({ row }) => row?.offset ?? null)),
      int8Array(before.map(({ row }) => row?.version ?? null)),
      int8Array(before.map(({ row }) => row?.change ?? null)),
    ],
  })
  c.send({ text: `DELETE FROM ${TABLES[stream].table} WHERE region = $1 AND record_id = ANY ($2::text[])`, values: [region, textArray(before.map(({ key }) => key))] })
  writeRecords(c, stream, puts)
}

/** Sets digest and counts right, by compare-and-set on the position that was read in this transaction. */
export function correctKept(c: DbTx, { topic, partition }: Place, generation: string, next: bigint, { hi, lo, records, ended }: Correction): void {
  c.send({
    text: `WITH corrected AS (
             UPDATE consumer_offset SET digest_hi = digest_hi # $5::int8, digest_lo = digest_lo # $6::int8, records = records + $7::int8, ended_records = ended_records + $8::int8
              WHERE topic = $1 AND partition = $2 AND generation = $3 AND next_offset = $4 RETURNING 1)
           SELECT hub_expect(count(*), 1, '${MOVED_ON}') FROM corrected`,
    values: [topic, partition, generation, next, hi, lo, records, ended],
  })
}

/** One act that changed something beyond what the log makes of it. */
export interface Act {
  readonly who: string
  readonly what: string
  /** What it was done to: `zj.complaint/3/<record id>`. */
  readonly target: string
  readonly why: string
  readonly detail: object
}

/** Notes acts in the transaction that does them. */
export function writeAudit(c: DbTx, acts: readonly Act[]): void {
  if (acts.length === 0) return
  c.send({
    name: 'write audit',
    text: `INSERT INTO audit (who, what, target, why, detail) SELECT w, a, t, y, d::jsonb FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS n (w, a, t, y, d)`,
    values: [
      textArray(acts.map(({ who }) => who)),
      textArray(acts.map(({ what }) => what)),
      textArray(acts.map(({ target }) => target)),
      textArray(acts.map(({ why }) => why)),
      textArray(acts.map(({ detail }) => JSON.stringify(detail))),
    ],
  })
}
