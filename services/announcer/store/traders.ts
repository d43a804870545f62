import { type Db, type DbClient, int8Array, textArray } from '@hub/runtime/db'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { digestOf } from '../canonical.ts'
import type { TraderCell } from '../figures/cells.ts'
import type { TraderRow, Window } from '../figures/model.ts'
import { traderRows } from '../figures/traders.ts'
import type { CutRow } from './cuts.ts'

/** The copies of an announcement's regions, and what of them the list is made from. */
export interface TraderCopies {
  readonly campaign: string
  readonly year: number
  /** Of the regions that are in the edition. */
  readonly cuts: readonly CutRow[]
  readonly window: Window
  /** Accepted complaints, of all regions together. */
  readonly minimum: number
}

/**
 * The firms that the list names. They are added up once: with five million complaints the copies have a million rows of traders, and no way but through all of
 * them. What that gave is kept with the copies it was made from; other regions, or copies that a repair put right, make it anew.
 */
export async function readTraderRows(db: Db, copies: TraderCopies): Promise<TraderRow[]> {
  const { campaign, year, cuts, window, minimum } = copies
  const of = digestOf({ window, minimum, cuts: cuts.map(({ number, recopied }) => [Number(number), recopied]) })
  const { rows: [kept] } = await db.query<{ traders: string }>('SELECT traders FROM cut_trader_list WHERE campaign = $1 AND year = $2 AND of = $3', [campaign, year, of])
  if (kept !== undefined) return JSON.parse(kept.traders) as TraderRow[]
  const traders = traderRows({ traders: await readTraderCells(db, copies) }, window, minimum, REGIONS)
  await db.query(
    `INSERT INTO cut_trader_list (campaign, year, cut_at, of, traders) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (campaign, year) DO UPDATE SET cut_at = excluded.cut_at, of = excluded.of, traders = excluded.traders`,
    [campaign, year, new Date(Math.max(...cuts.map(({ cutAt }) => cutAt.getTime()))), of, JSON.stringify(traders)])
  return traders
}

/** The copied counts of traders, added up by region and name; all under the first day of the window. @param also firms that are wanted although they have fewer accepted complaints */
export async function readTraderCells(db: DbClient, { cuts, window, minimum }: TraderCopies, also: readonly string[] = []): Promise<TraderCell[]> {
  const { rows } = await db.query<{ region: Region; uscc: string; name: string; counted: string; accepted: string; settled: string; terminated: string }>(
    `WITH of AS (SELECT number, region FROM cut WHERE number = ANY ($1::int8[])),
          listed AS (SELECT d.uscc FROM cut_trader_day d WHERE d.cut IN (SELECT number FROM of) AND d.day BETWEEN $2::date AND $3::date GROUP BY d.uscc HAVING sum(d.accepted) >= $4 OR d.uscc = ANY ($5::text[]))
     SELECT of.region, d.uscc, d.name, sum(d.counted)::text AS counted, sum(d.accepted)::text AS accepted, sum(d.settled)::text AS settled, sum(d.terminated)::text AS terminated
       FROM listed JOIN cut_trader_day d USING (uscc) JOIN of ON of.number = d.cut WHERE d.day BETWEEN $2::date AND $3::date GROUP BY of.region, d.uscc, d.name`,
    [int8Array(cuts.map(({ number }) => number)), window.from, window.to, minimum, textArray([...also])])
  return rows.map(({ name, counted, accepted, settled, terminated, ...row }) => ({
    ...row, day: window.from, name: name === '' ? null : name, counted: Number(counted), accepted: Number(accepted), settled: Number(settled), terminated: Number(terminated),
  }))
}
