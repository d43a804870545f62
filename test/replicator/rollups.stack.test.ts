import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { miscounted } from '../check/rollups.ts'
import { seeded, weighted } from '../data/random.ts'
import { eventually } from '../eventually.ts'
import { openLog, type Log, type Raw } from './log.ts'
import { openReplica, type Replica } from './replica.ts'

let fixture: Fixture
let log: Log
let replica: Replica

beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  replica = await openReplica(fixture, 'sh')
  await replica.start()
})
afterAll(async () => {
  await replica?.[Symbol.asyncDispose]()
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

const FIRM = { name: '云栖商贸有限公司', uscc: '91330110993733187N', division: '330110', region: 'zj', entityType: 'enterprise' }
const SHOP = { ...FIRM, name: '张记面馆', uscc: '92330110MA2XXXXX1Q', entityType: 'sole-trader' }

/** Versions of few records of which anything may follow anything, many of them in one transaction. */
async function randomHistory(seed: number, count: number): Promise<Raw[]> {
  const random = seeded(seed)
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  const events: Raw[] = []
  for (let i = 0; i < count; i++) {
    const [no, version] = [`h${seed}-${Math.floor(random() * 12)}`, 1 + Math.floor(random() * 40)]
    if (random() < 0.15) {
      const kind = pick(['original', 'original', 'correction', 'void'])
      events.push(await log.version({ stream: 'tally', no, version, kind, fields: { day: 20_500 + Math.floor(random() * 3), tallyType: pick(['report', 'consultation']), count: Math.floor(random() * 9) } }))
      continue
    }
    const kind = weighted(random, [['original', 6], ['correction', 6], ['withdrawal', 1], ['void', 1], ['erasure', 1], ['expiry', 1]])
    events.push(await log.version({
      no, version, kind, fields: {
        registeredOn: 20_500 + Math.floor(random() * 3), state: pick(['received', 'accepted', 'refused', 'transferred', 'settled', 'closed']), mediationOutcome: pick([null, 'settled', 'terminated']),
        recoveredFen: pick([null, 0, 1, 9_007_199_254_740_990]), online: pick([null, true, false]), object: pick([null, { kind: 'goods', code: 'G01', local: null }, { kind: 'goods', code: null, local: '鞋' }]),
        issue: pick([null, { code: '01', local: null }]), channel: pick([null, { code: '12', local: null }]),
        verified: pick([null, FIRM]), respondent: pick([null, SHOP, { ...FIRM, name: '云栖' }, { ...FIRM, uscc: null }]), publication: pick(['pending', 'published', 'withdrawn']),
      },
    }))
  }
  return events
}

const cells = async (table: string): Promise<number> => Number((await replica.db.query<{ n: bigint }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]!.n)

describe('counts are those of the rows', () => {
  it.each([1, 2, 3])('whatever follows whatever (seed %i)', async (seed) => {
    const events = await randomHistory(seed, 250)
    const places = await log.append(events)
    await replica.reaches(places)
    expect(await miscounted(replica.db)).toEqual([])
    for (const table of ['complaint_day', 'complaint_class_day', 'trader_day', 'tally_day']) expect([table, await cells(table) > 0]).toEqual([table, true])
  })

  it('a sole trader is counted and named nowhere, and a firm leaves with the record that ended', async () => {
    const fields = { registeredOn: 20_600, state: 'accepted' }
    await replica.reaches(await log.append([
      await log.version({ no: 'shop', version: 1, fields: { ...fields, respondent: SHOP } }), await log.version({ no: 'firm', version: 1, fields: { ...fields, respondent: FIRM } }),
    ]))
    const traders = async (): Promise<unknown[]> => (await replica.db.query(`SELECT uscc, name, counted, accepted FROM trader_day WHERE day = date '1970-01-01' + 20600`)).rows
    const received = async (): Promise<bigint | undefined> => (await replica.db.query<{ n: bigint }>(`SELECT sum(n)::bigint AS n FROM complaint_day WHERE day = date '1970-01-01' + 20600`)).rows[0]?.n
    expect(await received()).toBe(2n)
    expect(await traders()).toEqual([{ uscc: FIRM.uscc, name: FIRM.name, counted: 1n, accepted: 1n }])
    await replica.reaches(await log.append([await log.version({ no: 'firm', version: 2, kind: 'expiry', fields })]))
    expect([await received(), await traders()]).toEqual([2n, []])
    await replica.reaches(await log.append([await log.version({ no: 'firm', version: 3, kind: 'void', fields })]))
    expect(await received()).toBe(1n)
  })
})

describe('a count changed by hand', () => {
  it.each([
    ['complaint_day', 'UPDATE complaint_day SET n = n + 1 WHERE ctid = (SELECT min(ctid) FROM complaint_day)'],
    ['complaint_class_day', 'DELETE FROM complaint_class_day WHERE ctid = (SELECT min(ctid) FROM complaint_class_day)'],
    ['trader_day', `INSERT INTO trader_day SELECT region, partition, day, '91310000000000000X', name, 1, 1, 0, 0 FROM trader_day LIMIT 1`],
  ])('is found, named and counted anew: %s', async (table, sql) => {
    await replica.db.query(sql)
    const { rows: [request] } = await replica.db.query<{ id: bigint }>(`INSERT INTO scrub_request (kind, who, why) VALUES ('scrub', 'zhang', 'a test') RETURNING id`)
    const outcome = await eventually('the scrubber is done', async () => (await replica.db.query<{ outcome: { repaired: number; different: number; findings: { recordId: string; what: string }[] } | null }>('SELECT outcome FROM scrub_request WHERE id = $1', [request!.id])).rows[0]?.outcome ?? undefined)
    expect(outcome).toMatchObject({ repaired: 1, different: 0, findings: [{ what: 'miscounted' }] })
    expect(outcome.findings[0]!.recordId).toMatch(new RegExp(`^${table}/\\d{4}-`))
    expect(await miscounted(replica.db)).toEqual([])
    expect((await replica.db.query(`SELECT who, what FROM audit WHERE target LIKE '%/${table}/%'`)).rows).toEqual([{ who: 'zhang', what: 'repair miscounted' }])
  })
})

it('a replica that was filled before there were counts has them from its rows', async () => {
  const old = await openReplica(fixture, 'js')
  try {
    const first = await old.start()
    await old.reaches([...await log.append(await log.heartbeats('zj', 30, ['complaint', 'tally']))])
    await first[Symbol.asyncDispose]()
    const { rows: views } = await old.db.query<{ name: string }>(`SELECT table_name AS name FROM information_schema.views WHERE table_name LIKE '%_recount'`)
    await old.db.query(`DROP VIEW ${views.map(({ name }) => name).join(', ')}, complaint_counting`)
    await old.db.query('DROP TABLE complaint_day, complaint_class_day, trader_day, tally_day')
    await old.db.query('ALTER TABLE complaint DROP COLUMN entity_type, DROP COLUMN online')
    await old.db.query(`DELETE FROM schema_migration WHERE name LIKE '0017%'`)
    await old.start()
    expect(await miscounted(old.db)).toEqual([])
    expect(Number((await old.db.query<{ n: bigint }>('SELECT sum(n)::bigint AS n FROM complaint_day')).rows[0]!.n)).toBeGreaterThan(0)
  } finally {
    await old[Symbol.asyncDispose]()
  }
})
