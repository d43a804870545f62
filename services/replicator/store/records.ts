import { boolArray, byteaArray, type DbClient, type DbTx, int4Array, int8Array, textArray } from '@hub/runtime/db'
import { isRolled } from '@hub/schemas/rollups'
import { TABLES } from '@hub/schemas/tables'
import type { CurrentRow, Put } from '../apply.ts'
import { RECORD_STREAMS, type RecordSql, recordSql, type RecordStream, typedArray } from './columns.ts'
import { countedOf, countedSql } from './rollups.ts'

const SQL = Object.fromEntries(RECORD_STREAMS.map((stream) => [stream, recordSql(stream)])) as Record<RecordStream, RecordSql>

/** A version to write, where it lives and its change number. */
export interface PlacedPut extends Put {
  readonly region: string
  readonly partition: number
  readonly change: bigint
}

/** Rows of these keys of one region. Without statistics the planner may prefer a scan: see the fence statement. */
export async function readCurrent(c: DbClient, stream: RecordStream, region: string, keys: readonly string[]): Promise<Map<string, CurrentRow>> {
  const { rows } = await c.query<{ record_id: string; version: bigint; hash: Buffer; log_offset: bigint; ended: boolean }>({
    name: `read ${stream}`,
    text: `SELECT record_id, version, int8send(hash_hi) || int8send(hash_lo) AS hash, log_offset, ended${countedSql(stream)}
             FROM ${TABLES[stream].table} WHERE region = $1 AND record_id = ANY ($2::text[])`,
    values: [region, textArray(keys)],
  })
  return new Map(
    rows.map((row) => [row.record_id, { version: row.version, hash: row.hash, offset: Number(row.log_offset), ended: row.ended, counts: isRolled(stream) ? countedOf(stream, row) : undefined }]),
  )
}

/**
 * Writes the newest versions: rows of new records are inserted, the others replaced where they still are what the decision was made on. The transaction
 * fails when a row is not: a defect, since only the holder of the applier row writes them.
 */
export function writeRecords(c: DbTx, stream: RecordStream, puts: readonly PlacedPut[]): void {
  const fresh = puts.filter(({ over }) => over === undefined)
  const newer = puts.filter(({ over }) => over !== undefined)
  if (fresh.length > 0) c.send({ name: `insert ${stream}`, text: SQL[stream].insert, values: arrays(stream, fresh) })
  if (newer.length > 0) c.send({ name: `update ${stream}`, text: SQL[stream].update, values: [...arrays(stream, newer), int8Array(newer.map(({ over }) => over ?? null))] })
}

function arrays(stream: RecordStream, puts: readonly PlacedPut[]): Buffer[] {
  return [
    textArray(puts.map(({ region }) => region)),
    textArray(puts.map(({ item }) => item.key)),
    int8Array(puts.map(({ item }) => item.version)),
    textArray(puts.map(({ item }) => item.kind)),
    boolArray(puts.map(({ item }) => item.ended)),
    int4Array(puts.map(({ partition }) => partition)),
    int8Array(puts.map(({ item }) => item.offset)),
    int8Array(puts.map(({ change }) => change)),
    textArray(puts.map(({ item }) => item.eventId)),
    int8Array(puts.map(({ item }) => item.hash.readBigInt64BE(0))),
    int8Array(puts.map(({ item }) => item.hash.readBigInt64BE(8))),
    byteaArray(puts.map(({ item }) => item.body)),
    ...TABLES[stream].columns.map(({ pgType }, i) => typedArray(pgType, puts.map(({ item }) => item.columns[i] ?? null))),
  ]
}
