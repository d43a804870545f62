import { dateArray, type Db, type DbClient, type DbTx, int8Array, textArray } from '@hub/runtime/db'
import { type Cell, ROLLUPS, type RollupTable } from '@hub/schemas/rollups'
import type { Place } from '../check-row.ts'
import { TRADER_MONTHS } from './cuts.ts'

/** A marker whose copies are kept here. Days as `YYYY-MM-DD`. */
export interface KeptCut {
  readonly number: bigint
  readonly campaign: string
  readonly year: number
  readonly offset: number
  readonly firstDay: string
  readonly lastDay: string
  readonly periods: readonly { readonly firstDay: string; readonly lastDay: string }[]
  readonly tradersFrom: string | null
}

/** The markers of a partition whose copies are still all here and say something. */
export async function readKeptCuts(db: Db, { topic, partition }: Place): Promise<KeptCut[]> {
  const { rows } = await db.query<Omit<KeptCut, 'offset'> & { offset: bigint }>(
    `SELECT number, campaign, year, log_offset AS offset, first_day::text AS "firstDay", last_day::text AS "lastDay", periods, traders_from::text AS "tradersFrom" FROM cut
      WHERE topic = $1 AND partition = $2 AND whole AND cut_at > now() - make_interval(months => ${TRADER_MONTHS}) ORDER BY log_offset`, [topic, partition])
  return rows.map((row) => ({ ...row, offset: Number(row.offset) }))
}

/** The day that a marker's copies have a day of a table under; undefined = they leave it out. */
export function copiedAs(table: RollupTable, { firstDay, lastDay, periods, tradersFrom }: Pick<KeptCut, 'firstDay' | 'lastDay' | 'periods' | 'tradersFrom'>, day: string): string | undefined {
  const ranges = table === 'trader_day' ? (tradersFrom === null ? undefined : [{ firstDay: tradersFrom, lastDay }]) : periods.length === 0 ? undefined : periods
  if (ranges === undefined) return day >= firstDay && day <= lastDay ? day : undefined
  return ranges.find((range) => day >= range.firstDay && day <= range.lastDay)?.firstDay
}

/** Events of the partition below `offset` that were parked at the marker and were read by a later release: what the log says of them now is not what counted then. */
export async function wasRedrivenBelow(db: DbClient, { topic, partition }: Place, offset: number): Promise<boolean> {
  const { rows } = await db.query('SELECT 1 FROM redriven WHERE topic = $1 AND partition = $2 AND log_offset < $3 LIMIT 1', [topic, partition, offset])
  return rows.length > 0
}

export async function readCopy(db: DbClient, table: RollupTable, { number }: KeptCut): Promise<Cell[]> {
  const { keys, sums, money } = ROLLUPS[table]
  const { rows } = await db.query<{ keys: string[]; sums: string[]; money: string }>(
    `SELECT ARRAY[${keys.map(([name]) => `${name}::text`).join(', ')}] AS keys, ARRAY[${sums.join(', ')}]::text[] AS sums, ${money ?? 0}::text AS money FROM cut_${table} WHERE cut = $1`, [number])
  return rows.map((row) => ({ keys: row.keys, sums: row.sums.map(Number), money: BigInt(row.money) }))
}

/** Puts other cells in the place of a copy. The applier row must be held. */
export function replaceCopy(c: DbTx, table: RollupTable, { number }: KeptCut, cells: readonly Cell[]): void {
  const { keys, sums, money } = ROLLUPS[table]
  const columns = [...keys.map(([name]) => name), ...sums, ...(money === null ? [] : [money])]
  const types = [...keys.map(([, type]) => type), ...sums.map(() => 'int8'), ...(money === null ? [] : ['text[]::numeric'])]
  c.send({ text: 'UPDATE cut SET recopied = recopied + 1 WHERE number = $1', values: [number] })
  c.send({ text: `DELETE FROM cut_${table} WHERE cut = $1`, values: [number] })
  c.send({
    text: `INSERT INTO cut_${table} (cut, ${columns.join(', ')}) SELECT $1::int8, t.* FROM unnest(${types.map((type, i) => `$${i + 2}::${type}[]`).join(', ')}) AS t`,
    values: [
      number,
      ...keys.map(([, type], i) => (type === 'date' ? dateArray : textArray)(cells.map((cell) => cell.keys[i]!))),
      ...sums.map((_, i) => int8Array(cells.map((cell) => cell.sums[i]!))),
      ...(money === null ? [] : [textArray(cells.map((cell) => String(cell.money)))]),
    ],
  })
}
