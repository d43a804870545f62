import { type Db, type DbTx, int4Array, textArray } from '@hub/runtime/db'
import { ROLLUP_TABLES, type RolledStream, ROLLUPS, type RollupTable } from '@hub/schemas/rollups'
import type { Move } from './positions.ts'

/** Names of traders are published for a year at most. */
export const TRADER_MONTHS = 13
const BEGINNING: Readonly<Record<RolledStream, RollupTable>> = { complaint: 'complaint_day', tally: 'tally_day' }

/**
 * Copies the counts of every partition whose share ended with its first marker of an announcement, as they are there; after rows, counts and positions. A
 * later marker of the same one is counted and changes nothing.
 */
export function copyCuts(c: DbTx, moves: readonly Move[]): void {
  const cuts = moves.flatMap(({ slot, decision: { cut } }) => (cut === undefined ? [] : [{ slot, ...cut }]))
  if (cuts.length === 0) return
  c.send({
    text: `UPDATE cut SET repeated = repeated + 1 FROM unnest($1::text[], $2::int4[], $3::text[], $4::int4[]) AS m (topic, partition, campaign, year)
            WHERE cut.topic = m.topic AND cut.partition = m.partition AND cut.campaign = m.campaign AND cut.year = m.year`,
    values: keys(cuts),
  })
  for (const { slot, marker, offset } of cuts) {
    const copies = ROLLUP_TABLES.filter((table) => ROLLUPS[table].stream === slot.stream)
    c.send({
      text: `WITH made AS (
               INSERT INTO cut (campaign, year, region, stream, topic, partition, generation, log_offset, cut_at, first_day, last_day, demo, sources, periods, traders_from, parked, parked_digest, whole, begins)
               SELECT $3, $4, o.region, o.stream, o.topic, o.partition, o.generation, $5, to_timestamp($6 / 1000.0), $7::date, $8::date, $9, $10::jsonb, $11::jsonb, $12::date,
                      o.parked_open, int8send(o.parked_hi) || int8send(o.parked_lo), o.complete_from <= $5,
                      (SELECT min(day) FROM ${BEGINNING[slot.stream as RolledStream]} d WHERE d.region = o.region AND d.partition = o.partition)
                 FROM consumer_offset o WHERE o.topic = $1 AND o.partition = $2
               ON CONFLICT DO NOTHING RETURNING number, region, partition, first_day, last_day, periods, traders_from),
                  day_range AS (${rangesSql})
             ${copies.map((table) => `, ${table}_copied AS (${copySql(table)})`).join('\n')}
             SELECT count(*) FROM made`,
      values: [slot.topic, slot.partition, marker.campaign, marker.year, offset, marker.cutAt, marker.firstDay, marker.lastDay, marker.demo, JSON.stringify(marker.sources), JSON.stringify(marker.periods), marker.tradersFrom],
    })
  }
}

/** The days that are copied as one, of the traders and of everything else. */
const rangesSql = `
  SELECT false AS traders, (p->>'firstDay')::date AS first, (p->>'lastDay')::date AS last FROM made, jsonb_array_elements(periods) AS p
  UNION ALL SELECT false, d::date, d::date FROM made, generate_series(first_day, last_day, interval '1 day') AS d WHERE periods = '[]'
  UNION ALL SELECT true, traders_from, last_day FROM made WHERE traders_from IS NOT NULL
  UNION ALL SELECT true, d::date, d::date FROM made, generate_series(first_day, last_day, interval '1 day') AS d WHERE traders_from IS NULL`

function copySql(table: RollupTable): string {
  const { keys, sums, money } = ROLLUPS[table]
  const others = keys.map(([name]) => name).filter((name) => name !== 'day')
  const added = [...sums, ...(money === null ? [] : [money])]
  return `INSERT INTO cut_${table} (cut, day, ${[...others, ...added].join(', ')})
          SELECT m.number, r.first, ${[...others.map((name) => `t.${name}`), ...added.map((name) => `sum(t.${name})`)].join(', ')}
            FROM made m JOIN day_range r ON r.traders = ${String(table === 'trader_day')} JOIN ${table} t ON t.region = m.region AND t.partition = m.partition AND t.day BETWEEN r.first AND r.last
           GROUP BY ${['m.number', 'r.first', ...others.map((name) => `t.${name}`)].join(', ')}`
}

function keys(cuts: readonly { readonly slot: Move['slot']; readonly marker: { readonly campaign: string; readonly year: number } }[]): Buffer[] {
  return [
    textArray(cuts.map(({ slot }) => slot.topic)), int4Array(cuts.map(({ slot }) => slot.partition)),
    textArray(cuts.map(({ marker }) => marker.campaign)), int4Array(cuts.map(({ marker }) => marker.year)),
  ]
}

/** Forgets copies older than `months`, and those that name traders once no announcement may name them any more. */
export async function trimCuts(db: Db, months: number): Promise<void> {
  await db.query('DELETE FROM cut_trader_day WHERE cut IN (SELECT number FROM cut WHERE cut_at < now() - make_interval(months => $1::int))', [TRADER_MONTHS])
  await db.query('DELETE FROM cut_trader_list WHERE cut_at < now() - make_interval(months => $1::int)', [TRADER_MONTHS])
  await db.query('DELETE FROM cut WHERE cut_at < now() - make_interval(months => $1::int)', [months])
}
