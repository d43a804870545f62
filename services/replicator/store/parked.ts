import { boolArray, type DbClient, type DbTx, int4Array, int8Array, textArray } from '@hub/runtime/db'
import type { OpenParked } from '../apply.ts'
import type { ParkedItem } from '@hub/schemas/log-item'
import type { Slot } from '../slot.ts'

export interface Parking {
  readonly slot: Slot
  readonly item: ParkedItem
  readonly buriedBy: number | undefined
}

export async function readOpenParked(c: DbClient, slot: Slot, keys: readonly string[]): Promise<Map<string, OpenParked>> {
  const { rows } = await c.query<{ key: string; log_offset: bigint; hash: Buffer }>({
    name: 'read open parked',
    text: `SELECT key, log_offset, int8send(hash_hi) || int8send(hash_lo) AS hash FROM parked
            WHERE topic = $1 AND partition = $2 AND key = ANY ($3::text[]) AND buried_by IS NULL`,
    values: [slot.topic, slot.partition, textArray(keys)],
  })
  return new Map(rows.map((row) => [row.key, { offset: Number(row.log_offset), hash: row.hash }]))
}

export function writeParked(c: DbTx, parkings: readonly Parking[]): void {
  if (parkings.length === 0) return
  c.send({
    name: 'write parked',
    text: `INSERT INTO parked (topic, partition, log_offset, key, subject, reason, hash_hi, hash_lo, sequence, buried_by, published)
           SELECT * FROM unnest($1::text[], $2::int4[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::int8[], $9::int8[], $10::int8[], $11::bool[])`,
    values: [
      textArray(parkings.map(({ slot }) => slot.topic)),
      int4Array(parkings.map(({ slot }) => slot.partition)),
      int8Array(parkings.map(({ item }) => item.offset)),
      textArray(parkings.map(({ item }) => item.key)),
      textArray(parkings.map(({ item }) => item.subject ?? null)),
      textArray(parkings.map(({ item }) => item.reason)),
      int8Array(parkings.map(({ item }) => item.hash.readBigInt64BE(0))),
      int8Array(parkings.map(({ item }) => item.hash.readBigInt64BE(8))),
      int8Array(parkings.map(({ item }) => item.sequence ?? null)),
      int8Array(parkings.map(({ buriedBy }) => buriedBy ?? null)),
      // What is bad in a technical topic is not announced in one: an event that every replica parks would breed four others for ever.
      boolArray(parkings.map(({ slot }) => slot.technical)),
    ],
  })
}

/** Notes which parked events are no longer the newest of their key. */
export function buryParked(c: DbTx, rows: readonly { slot: Slot; offset: number; by: number }[]): void {
  if (rows.length === 0) return
  c.send({
    name: 'bury parked',
    text: `UPDATE parked p SET buried_by = b.by
             FROM unnest($1::text[], $2::int4[], $3::int8[], $4::int8[]) AS b (topic, partition, log_offset, by)
            WHERE p.topic = b.topic AND p.partition = b.partition AND p.log_offset = b.log_offset`,
    values: [
      textArray(rows.map(({ slot }) => slot.topic)),
      int4Array(rows.map(({ slot }) => slot.partition)),
      int8Array(rows.map(({ offset }) => offset)),
      int8Array(rows.map(({ by }) => by)),
    ],
  })
}
