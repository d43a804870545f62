import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Archive, Erasure } from '@hub/client'
import type { Settings } from '@hub/cli/settings'
import type { Db } from '@hub/runtime/db'
import { sample } from '@hub/schemas/samples'
import { REGIONS, type DataStream } from '@hub/schemas/streams'
import { runHub } from '../cli/run-hub.ts'
import { SOURCES } from '../connectors/import-file.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

/** Names nobody else has. */
const TRADER = '杭州鵺罅记健身有限公司'
const TITLE = '杭州鶱蘅斋商贸有限公司'
const OTHER = '杭州鼗笪堂餐饮有限公司'

let hub: Hub
let settings: Settings

beforeAll(async () => {
  hub = await openHub()
  settings = { topicPrefix: hub.fixture.prefix, regions: { zj: { gateway: hub.url('zj'), keys: hub.keys } } }
})
afterAll(() => hub?.[Symbol.asyncDispose]())

function complaint(no: string, version: number, name: string): object {
  const { eventId: _, ...event } = sample('cn.yrd.complaint.Complaint')
  return { ...event, recordId: `zj-12315/${no}`, version, disputedFen: 20_000 + version, verified: { ...event['verified'] as object, name } }
}

function listing(no: string, fields: object): object {
  const { eventId: _, ...event } = sample('cn.yrd.credit_blacklist.CreditRecord')
  return { ...event, recordId: `zj-credit/${no}`, ...fields }
}

/** Every column of a region's database that holds this text, be it in the bytes of an event. */
async function placesOf(db: Db, text: string): Promise<string[]> {
  const { rows: columns } = await db.query<{ table: string, column: string, type: string }>(
    `SELECT table_name AS "table", column_name AS "column", data_type AS type FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type IN ('text', 'bytea', 'json', 'jsonb', 'ARRAY')`)
  const found: string[] = []
  for (const { table, column, type } of columns) {
    const needle = type === 'bytea' ? `position($1::bytea IN "${column}") > 0` : `position($1::text IN "${column}"::text) > 0`
    if ((await db.query(`SELECT 1 FROM "${table}" WHERE ${needle} LIMIT 1`, [type === 'bytea' ? Buffer.from(text) : text])).rows.length > 0) found.push(`${table}.${column}`)
  }
  return found
}

async function nowhere(text: string): Promise<void> {
  for (const region of REGIONS) await eventually(`${text} nowhere in ${region}`, async () => {
    expect([region, await placesOf(hub.db(region), text)]).toEqual([region, []])
    return true
  })
}

function ask(role: 'officer' | 'operator' | 'reader' | 'publisher', stream: DataStream, recordId: string, why = '依当事人申请，案卷 2026-017'): Promise<Response> {
  return hub.request('zj', role, `/v1/streams/${stream}/erasures`, { body: JSON.stringify({ recordId, why }), type: 'application/json' })
}

async function archiveOf(stream: DataStream, recordId: string, region: 'zj' | 'sh' = 'zj'): Promise<Archive> {
  return await (await hub.request(region, 'officer', `/v1/streams/${stream}/archive?recordId=${encodeURIComponent(recordId)}`)).json() as Archive
}

test('an erased complaint is in no table of any region, keeps counting without its trader, and the same again is the first erasure', async () => {
  for (const version of [1, 2, 3]) await hub.publishOne('zj', 'complaint', complaint('gone', version, TRADER))
  await hub.settled(45_000)
  expect((await placesOf(hub.db('sh'), TRADER)).sort()).toEqual(expect.arrayContaining(['complaint.body', 'complaint.trader_name', 'history.body']))

  const response = await ask('officer', 'complaint', 'zj-12315/gone')
  const erasure = await response.json() as Erasure
  expect([response.status, erasure]).toMatchObject([201, { recordId: 'zj-12315/gone', version: '4', caller: 'zj-local-officer', duplicate: false }])
  expect(Date.parse(erasure.logForgetsBy) - Date.parse(erasure.at)).toBe(144 * 3_600_000)
  await nowhere(TRADER)
  for (const region of REGIONS) {
    const { rows } = await hub.db(region).query(`SELECT kind, version, ended, state, registered_on::text, disputed_fen, trader_division, uscc FROM complaint WHERE record_id = 'zj-12315/gone'`)
    expect(rows).toEqual([{ kind: 'erasure', version: 4n, ended: true, state: 'settled', registered_on: '2026-01-01', disputed_fen: 20_003n, trader_division: '330383', uscc: null }])
  }
  const { rows: hashes } = await hub.db('zj').query<{ length: number }>(`SELECT octet_length(body_hash) AS length FROM published WHERE record_id = 'zj-12315/gone' ORDER BY version`)
  expect(hashes.map(({ length }) => length > 0)).toEqual([false, false, false, true])

  const again = await runHub(settings, ['erase', 'zj-12315/gone', '--region', 'zj', '--stream', 'complaint', '--why', '再次申请'])
  expect(again.json).toEqual({ ...erasure, duplicate: true })
  expect((await hub.db('zj').query<{ caller: string, why: string }>(`SELECT caller, why FROM erasure WHERE record_id = 'zj-12315/gone'`)).rows).toEqual([{ caller: 'zj-local-officer', why: '依当事人申请，案卷 2026-017' }])
})

test('an erased record stays gone whatever its source sends, but for restored', async () => {
  expect(await hub.publishOne('zj', 'complaint', complaint('gone', 9, TRADER))).toMatchObject({ verdict: 'stale' })
  await hub.settled(45_000)
  await nowhere(TRADER)
  expect(await hub.publishOne('zj', 'complaint', { ...complaint('gone', 9, OTHER), kind: 'restored' })).toMatchObject({ verdict: 'new-version', version: 9 })
})

test('what a list was before it ended is in the archive of its origin alone, for its officers, until it is erased', async () => {
  const subject = { ...sample('cn.yrd.credit_blacklist.CreditRecord')['subject'] as object, name: TITLE }
  for (const event of [listing('kept', { version: 1, subject }), listing('kept', { version: 2, subject, groundText: '更正' }), { recordId: 'zj-credit/kept', kind: 'removal', version: 3, occurredOn: '2026-03-20' }]) {
    expect((await hub.publishOne('zj', 'credit-blacklist', event)).verdict).toMatch(/accepted|new-version/)
  }
  await hub.settled(45_000)
  const archive = await archiveOf('credit-blacklist', 'zj-credit/kept')
  expect(archive.versions.map(({ version, kind, body }) => [version, kind, (body['subject'] as { name: string }).name])).toEqual([['2', 'original', TITLE], ['1', 'original', TITLE]])
  expect((await runHub(settings, ['archive', 'zj-credit/kept', '--region', 'zj', '--stream', 'credit-blacklist'])).json).toEqual(archive)
  for (const [region, places] of [['zj', ['archive.body']], ['sh', []]] as const) await eventually(`the outbox of ${region} is empty`, async () => {
    expect(await placesOf(hub.db(region), TITLE)).toEqual(places)
    return true
  })
  expect((await archiveOf('credit-blacklist', 'zj-credit/kept', 'sh')).versions).toEqual([])
  for (const role of ['reader', 'operator', 'publisher'] as const) expect((await hub.request('zj', role, '/v1/streams/credit-blacklist/archive?recordId=zj-credit/kept')).status).toBe(403)

  expect((await ask('operator', 'credit-blacklist', 'zj-credit/kept')).status).toBe(201)
  await nowhere(TITLE)
  expect((await archiveOf('credit-blacklist', 'zj-credit/kept')).versions).toEqual([])
})

test('versions that came and ended within one transaction are in the archive too', async () => {
  await hub.stop('zj')
  await hub.start('zj')
  const lines = Array.from({ length: 40 }, (_, i) => i).flatMap((i) => [listing(`brief-${i}`, { version: 1 }), listing(`brief-${i}`, { version: 2, groundText: '更正' }), { recordId: `zj-credit/brief-${i}`, kind: 'repair', version: 3, occurredOn: '2026-03-20' }])
  await hub.publish('zj', 'credit-blacklist', lines)
  await hub.settled(45_000)
  const { rows: [row] } = await hub.db('zj').query<{ versions: number }>(`SELECT count(*)::int AS versions FROM archive WHERE record_id LIKE 'zj-credit/brief-%'`)
  expect(row!.versions).toBe(80)
})

test('what the connectors remember of an erased record goes too, and the file does not bring it back', async () => {
  const file = join(SOURCES, 'js/credit-namelist.xlsx')
  const hand = async (): Promise<{ events: number }> => await (await fetch(`${hub.url('js')}/v1/imports/js-list?shape=credit-namelist&wait=true`, { method: 'POST', headers: { authorization: `Bearer ${hub.keys.publisher}` }, body: new Uint8Array(readFileSync(file)) })).json() as { events: number }
  await hand()
  await hub.settled(45_000)
  const { rows: [listed] } = await hub.db('js').query<{ id: string, name: string }>(`SELECT record_id AS id, name FROM credit_blacklist WHERE region = 'js' AND NOT ended AND name IS NOT NULL AND (SELECT count(*) FROM credit_blacklist o WHERE o.name = credit_blacklist.name) = 1 ORDER BY 1 LIMIT 1`)
  expect(await placesOf(hub.db('js'), listed!.name)).toContain('import_memory.value')
  const response = await hub.request('js', 'officer', '/v1/streams/credit-blacklist/erasures', { body: JSON.stringify({ recordId: listed!.id, why: '依当事人申请' }), type: 'application/json' })
  expect(response.status).toBe(201)
  await nowhere(listed!.name)
  await hub.db('js').query('UPDATE import SET mapping = NULL') // as after a release with other rules: the file is read again
  expect((await hand()).events).toBe(0)
  await hub.settled(45_000)
  await nowhere(listed!.name)
})

test('what cannot be erased is told with what to do', async () => {
  const answer = async (response: Promise<Response>): Promise<unknown[]> => {
    const { status, code } = { status: (await response).status, code: (await (await response).json() as { code: string }).code }
    return [status, code]
  }
  expect(await answer(ask('officer', 'complaint', 'zj-12315/never'))).toEqual([404, 'RECORD_UNKNOWN'])
  expect(await answer(ask('officer', 'complaint', 'zj-12315/gone', '身份证 330102199003070011 的当事人'))).toEqual([400, 'WHY_PERSONAL'])
  expect((await ask('reader', 'complaint', 'zj-12315/gone')).status).toBe(403)
  expect((await ask('publisher', 'complaint', 'zj-12315/gone')).status).toBe(403)
})
