import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadCalendar } from '@hub/announcer/calendar/load'
import type { TraderCell } from '@hub/announcer/figures/cells'
import type { TraderRow } from '@hub/announcer/figures/model'
import { traderRows } from '@hub/announcer/figures/traders'
import { recompute } from '@hub/announcer/recompute'
import { type CutRow, readCuts } from '@hub/announcer/store/cuts'
import { readTraderCells, readTraderRows } from '@hub/announcer/store/traders'
import { createDb, type Db, migrate } from '@hub/runtime/db'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '../fixture.ts'

const WINDOW = { from: '2025-03-17', to: '2026-03-16' }
const MINIMUM = 10
const FIRMS = ['91310106MAX97QKCXB', '91330110993733187N', '91320000000000000A', '91340000000000000B']

let fixture: Fixture
let db: Db

beforeAll(async () => {
  fixture = await openFixture()
  db = createDb({ url: await fixture.database(), name: 'test', max: 2, log: fixture.log })
  await migrate(db, 'replicator', new URL('../../services/replicator/migrations/', import.meta.url))
})
afterAll(async () => {
  await db?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

const cell = fc.record({
  region: fc.constantFrom(...REGIONS), partition: fc.nat(1), uscc: fc.constantFrom(...FIRMS), name: fc.constantFrom('', '甲公司', '乙公司', '丙公司'),
  day: fc.constantFrom('2025-03-16', '2025-03-17', '2025-12-01', '2026-03-16', '2026-03-17'),
  counted: fc.integer({ min: 1, max: 9 }), accepted: fc.nat(9), settled: fc.nat(3), terminated: fc.nat(3),
})
type Copied = typeof cell extends fc.Arbitrary<infer T> ? T : never

it('names the firms that one definition names, whatever was copied where', async () => {
  await fc.assert(fc.asyncProperty(fc.array(cell, { maxLength: 40 }), fc.subarray([...REGIONS], { minLength: 1 }), async (cells, present) => {
    const cuts = (await copied(cells)).filter(({ region }) => present.includes(region))
    expect(await listOf(cuts)).toEqual(traderRows({ traders: cells.map(asCell) }, WINDOW, MINIMUM, present))
  }), { numRuns: 60 })
})

it('is added up once, and anew for other regions or copies that were put right', async () => {
  const cuts = await copied(REGIONS.map((region) => ({ region, partition: 0, uscc: FIRMS[0]!, name: '甲公司', day: '2025-12-01', counted: 5, accepted: 4, settled: 1, terminated: 1 })))
  const whole = await listOf(cuts)
  expect(whole).toMatchObject([{ uscc: FIRMS[0], accepted: 16 }])
  await db.query('UPDATE cut_trader_day SET accepted = accepted + 1')
  expect(await listOf(cuts)).toEqual(whole)
  expect(await listOf(cuts.filter(({ region }) => region !== 'ah'))).toMatchObject([{ accepted: 15, regions: ['sh', 'js', 'zj'] }])
  await db.query(`UPDATE cut SET recopied = recopied + 1 WHERE region = 'js'`)
  expect(await listOf(await readCuts(db, '315', 2026))).toMatchObject([{ accepted: 20 }])
})

it('gives a firm that a correction is of, although the list does not name it', async () => {
  const cuts = await copied([{ region: 'sh', partition: 0, uscc: FIRMS[1]!, name: '甲公司', day: '2025-12-01', counted: 2, accepted: 1, settled: 0, terminated: 0 }])
  const copies = { campaign: '315', year: 2026, cuts, window: WINDOW, minimum: MINIMUM }
  expect(await readTraderCells(db, copies)).toEqual([])
  expect(await readTraderCells(db, copies, [FIRMS[1]!, FIRMS[2]!])).toMatchObject([{ region: 'sh', uscc: FIRMS[1], accepted: 1 }])
})

it('is made for no edition that cannot be made', async () => {
  const cuts = await copied([])
  await db.query('DELETE FROM cut_trader_list')
  const recomputing = { db, plan: { campaign: '315', year: 2026 }, calendar: loadCalendar(), topicPrefix: '' } as const
  const first = { edition: 1, missing: [], corrections: [], retracts: false, before: undefined }
  for (const known of [[], cuts]) await expect(recompute({ ...recomputing, cuts: known }, first)).rejects.toThrow(RangeError)
  expect((await db.query('SELECT 1 FROM cut_trader_list')).rows).toEqual([])
})

function listOf(cuts: readonly CutRow[]): Promise<TraderRow[]> {
  return readTraderRows(db, { campaign: '315', year: 2026, cuts, window: WINDOW, minimum: MINIMUM })
}

function asCell({ partition: _partition, name, ...rest }: Copied): TraderCell {
  return { ...rest, name: name === '' ? null : name }
}

/** Two partitions of every region, cut, with these copies. */
async function copied(cells: readonly Copied[]): Promise<CutRow[]> {
  await db.query('DELETE FROM cut')
  await db.query(
    `INSERT INTO cut (campaign, year, region, stream, topic, partition, generation, log_offset, cut_at, first_day, last_day, demo, sources, parked, parked_digest, whole)
     SELECT '315', 2026, region, 'complaint', region || '.complaint', partition, 'g', 1, '2026-03-17', '2024-01-01', '2026-03-16', false, '[]', 0, '', true
       FROM unnest($1::text[]) AS region, generate_series(0, 1) AS partition`, [[...REGIONS]])
  for (const { region, partition, uscc, name, day, counted, accepted, settled, terminated } of cells) {
    await db.query(
      `INSERT INTO cut_trader_day (cut, day, uscc, name, counted, accepted, settled, terminated)
       SELECT number, $3, $4, $5, $6, $7, $8, $9 FROM cut WHERE region = $1 AND partition = $2`, [region as Region, partition, day, uscc, name, counted, accepted, settled, terminated])
  }
  return readCuts(db, '315', 2026)
}
