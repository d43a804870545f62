import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseDay } from '@hub/schemas/read-time'
import { partitionOf } from '@hub/schemas/partition'
import { openFixture, type Fixture } from '@hub/test/fixture'
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
const DAY = parseDay('2026-03-10')!
const P = partitionOf('t12315/a', 6)

const complaint = (version: number, fields: object = {}): Promise<Raw> => log.version({ no: 'a', version, fields: { registeredOn: DAY, state: 'accepted', respondent: FIRM, ...fields } })

async function marker(over: object = {}, at: { partition?: number; key?: string; stream?: 'complaint' | 'tally' | 'recall' } = {}): Promise<Raw> {
  const { encode } = await log.codec.writer('cn.yrd.control.Cut')
  const { partition = P, stream = 'complaint', key = 'cut/315-week/2026' } = at
  const value = encode({
    campaign: '315-week', year: 2026, topic: `zj.${stream}`, partition, cutAt: 1_773_676_800_000, firstDay: parseDay('2025-03-09'), lastDay: parseDay('2026-03-16'), demo: false,
    sources: [{ sourceSystem: 'zj-12315', owner: '浙江局', baselineComplete: true, lastHandOverAt: 1_773_676_000_000 }], periods: [], tradersFrom: null, ...over,
  })
  return { topic: log.topic('zj', stream), partition, key, value }
}

const cuts = async (): Promise<unknown[]> => (await replica.db.query('SELECT campaign, year, partition, log_offset, repeated, whole, parked, sources, to_char(first_day, \'YYYY-MM-DD\') AS first FROM cut ORDER BY number')).rows
const copied = async (): Promise<unknown[]> => (await replica.db.query(`SELECT 'state' AS what, state AS value, n FROM cut_complaint_day UNION ALL SELECT 'trader', name, accepted FROM cut_trader_day UNION ALL SELECT dimension, kind || code, received FROM cut_complaint_class_day ORDER BY 1, 2`)).rows

it('copies the counts of its partition as they are behind it, whatever comes in the same transaction, and once', async () => {
  const elsewhere = await log.version({ no: 'b', version: 1, fields: { registeredOn: DAY } })
  const old = await log.version({ no: 'a', version: 1, fields: { registeredOn: parseDay('2019-05-01') } })
  const places = await log.append([old, await complaint(2), elsewhere, await marker(), await complaint(3, { state: 'settled', mediationOutcome: 'settled' }), await marker(), await complaint(4, { state: 'closed' })])
  await replica.reaches(places)
  expect(await cuts()).toEqual([{
    campaign: '315-week', year: 2026, partition: P, log_offset: BigInt(places[3]!.offset), repeated: 1, whole: true, parked: 0n, first: '2025-03-09',
    sources: [{ source: 'zj-12315', owner: '浙江局', baselineComplete: true, lastHandOver: 1_773_676_000_000 }],
  }])
  expect(await copied()).toEqual([{ what: 'channel', value: '', n: 1n }, { what: 'issue', value: '', n: 1n }, { what: 'object', value: '', n: 1n }, { what: 'state', value: 'accepted', n: 1n }, { what: 'trader', value: FIRM.name, n: 1n }])
  expect((await replica.db.query(`SELECT state FROM complaint_day WHERE day = '2026-03-10' AND partition = $1 AND n > 0`, [P])).rows).toEqual([{ state: 'closed' }])
})

it('copies days that no figure tells apart as one, and a trader\'s of twelve months', async () => {
  const day = (text: string): number => parseDay(text)!
  const of = (no: string, registeredOn: string): Promise<Raw> => log.version({ no, version: 1, fields: { registeredOn: day(registeredOn), state: 'accepted', respondent: FIRM } })
  const numbers = Array.from({ length: 400 }, (_, i) => `p${i}`).filter((no) => partitionOf(`t12315/${no}`, 6) === P).slice(0, 5)
  const days = ['2026-05-01', '2026-05-03', '2026-05-05', '2026-05-06', '2025-05-02']
  const events = await Promise.all(numbers.map((no, i) => of(no, days[i]!)))
  await replica.reaches(await log.append([...events, await marker({
    campaign: 'may-day', firstDay: day('2025-05-01'), lastDay: day('2026-05-06'), tradersFrom: day('2025-05-07'),
    periods: [{ firstDay: day('2026-05-01'), lastDay: day('2026-05-05') }, { firstDay: day('2025-05-01'), lastDay: day('2025-05-05') }],
  }, { key: 'cut/may-day/2026' })]))
  const copies = async (table: string, value: string): Promise<unknown[]> =>
    (await replica.db.query(`SELECT d.day::text AS day, ${value}::int AS n FROM ${table} d JOIN cut ON cut.number = d.cut WHERE cut.campaign = 'may-day' AND ${value} > 0 ORDER BY 1`)).rows
  expect(await copies('cut_complaint_day', 'n')).toEqual([{ day: '2025-05-01', n: 1 }, { day: '2026-05-01', n: 3 }])
  // With the closed complaint of 10 March.
  expect(await copies('cut_trader_day', 'accepted')).toEqual([{ day: '2025-05-07', n: 5 }])
})

it('is parked where it does not belong', async () => {
  const before = (await replica.db.query('SELECT 1 FROM parked')).rowCount
  await replica.reaches(await log.append([
    await marker({ topic: 'sh.complaint' }), await marker({ partition: 1 }, { partition: 2 }), await marker({}, { key: 'cut/315/2026' }), await marker({}, { stream: 'recall', partition: 0 }), await marker({ lastDay: 2_000_000 }), await marker({ periods: [{ firstDay: 0, lastDay: 2_000_000 }] }),
  ]))
  const { rows } = await replica.db.query<{ reason: string }>('SELECT reason FROM parked')
  expect(rows.slice(before)).toEqual(Array.from({ length: 6 }, () => ({ reason: 'unexpected-control' })))
  expect(await cuts()).toHaveLength(2)
})

it('acts of a region stand as it wrote them, and of two of one number the first', async () => {
  const { encode } = await log.codec.writer('cn.yrd.announcement.AnnouncementAct')
  const act = (number: number, body: string | Buffer, over: object = {}): Raw => ({
    topic: log.topic('zj', 'announcement'), partition: 0, key: `315-week/2026/1/${number}`,
    value: encode({ region: 'zj', campaign: '315-week', year: 2026, edition: 1, number, at: 1_773_676_800_000, says: 'recomputed', body: Buffer.from(body), ...over }),
  })
  await replica.reaches(await log.append([act(1, '{"a":1}'), act(1, '{"a":2}'), act(2, Buffer.from([0xff])), act(3, '{}', { region: 'sh' })]))
  expect((await replica.db.query('SELECT region, number, says, body FROM announcement_act')).rows).toEqual([{ region: 'zj', number: 1, says: 'recomputed', body: '{"a":1}' }])
})
