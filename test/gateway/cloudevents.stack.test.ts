import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDb, type Db } from '@hub/runtime/db'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint, listing } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

const ONE = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'
const NDJSON = 'application/x-ndjson'
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
let fixture: Fixture
let gateway: TestGateway

beforeAll(async () => {
  fixture = await openFixture()
  gateway = await startGateway(fixture)
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

/** An event in an envelope that agrees with it; `attributes` go over it, undefined ones are left out. */
function cloudEvent(data: Record<string, unknown>, attributes: Record<string, unknown> = {}): Record<string, unknown> {
  return { specversion: '1.0', id: 'a-1', source: `https://12315.example/${String(data['recordId']).split('/')[0]}`, type: 'cn.yrd.complaint.Complaint', data, ...attributes }
}

async function send(body: unknown, type = ONE, query = '', to = gateway): Promise<Record<string, any>> {
  const { status, text } = await to.publish('complaint', JSON.stringify(body), { type, query })
  return { status, ...JSON.parse(text) }
}

async function sendBinary(data: unknown, headers: Record<string, string>, query = '', to = gateway): Promise<Record<string, any>> {
  const response = await fetch(`${to.url}/v1/streams/complaint/events${query}`, {
    method: 'POST', body: JSON.stringify(data), headers: { authorization: `Bearer ${KEYS.publisher}`, 'content-type': 'application/json', ...headers },
  })
  return { status: response.status, ...await response.json() as object }
}

const ATTRIBUTES = { 'ce-specversion': '1.0', 'ce-id': 'a-1', 'ce-source': '12315-zj', 'ce-type': 'cn.yrd.complaint.Complaint' }
const rules = (answer: Record<string, any>): string[] => answer['problems'].map(({ field, rule }: { field: string; rule: string }) => `${rule} ${field}`)

test('structured, binary and plain are one event: the second and third are its duplicates', async () => {
  const event = complaint({ recordId: '12315-zj/three-ways' })
  const first = await send(cloudEvent(event, { subject: '91330100799655058B', time: event['recordedAt'], datacontenttype: 'application/json; charset=utf-8', traceparent: TRACE, comexampleextension: 1 }))
  expect(first).toMatchObject({ status: 201, verdict: 'accepted', recordId: '12315-zj/three-ways' })
  expect(await sendBinary(event, { ...ATTRIBUTES, 'ce-subject': '91330100799655058B' })).toMatchObject({ status: 200, verdict: 'duplicate', eventId: first['eventId'] })
  expect(await send(event, 'application/json')).toMatchObject({ status: 200, verdict: 'duplicate', eventId: first['eventId'] })
  const { rows } = await gateway.db.query('SELECT traceparent FROM outbox WHERE key = $1', ['12315-zj/three-ways'])
  expect(rows).toEqual([{ traceparent: TRACE }])
})

test('time stands for recordedAt where the data have none, and so for the version', async () => {
  const { recordedAt: _recordedAt, version: _version, ...event } = complaint({ recordId: '12315-zj/timed' })
  expect(await send(cloudEvent(event, { time: '2026-02-01T00:00:00Z' }))).toMatchObject({ verdict: 'accepted', version: Date.parse('2026-02-01T00:00:00Z') })
  expect(await sendBinary({ ...event, recordId: '12315-zj/timed-2' }, { ...ATTRIBUTES, 'ce-time': '2026-02-02T08%3A00%3A00%2B08:00' })).toMatchObject({ verdict: 'accepted', version: Date.parse('2026-02-02T00:00:00Z') })
})

test('an ended record has the type of its stub', async () => {
  const event = complaint({ recordId: '12315-zj/ended', kind: 'void' })
  expect(await send(cloudEvent(event))).toMatchObject({ status: 422, problems: [{ rule: 'ce-type', expected: 'cn.yrd.complaint.ComplaintEnded' }] })
  expect(await send(cloudEvent(event, { type: 'cn.yrd.complaint.ComplaintEnded' }))).toMatchObject({ status: 201 })
})

describe('an envelope', () => {
  const event = complaint({ recordId: '12315-zj/envelope' })
  test.each<[string, Record<string, unknown>, string]>([
    ['of another version', { specversion: '0.3' }, 'ce-attribute ce-specversion'],
    ['without an id', { id: undefined }, 'ce-attribute ce-id'],
    ['with a number for a source', { source: 7 }, 'ce-attribute ce-source'],
    ['without a type', { type: '' }, 'ce-attribute ce-type'],
    ['of another contract', { type: 'cn.yrd.recall.Recall' }, 'ce-type ce-type'],
    ['of another source', { source: 'https://12315.example/other' }, 'ce-source ce-source'],
    ['of another firm', { subject: '91310000000000000X' }, 'ce-subject ce-subject'],
    ['of another time', { time: '2026-01-01T11:45:12+08:00' }, 'ce-time ce-time'],
    ['with a time that is none', { time: 'now' }, 'ce-attribute ce-time'],
    ['that says its data are XML', { datacontenttype: 'text/xml' }, 'ce-content-type ce-datacontenttype'],
    ['without data', { data: undefined, data_base64: 'e30=' }, 'ce-data ce-data'],
    ['of another event', { data: { ...event, eventId: '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10' } }, 'ce-id ce-id'],
  ])('%s is refused by name', async (_what, attributes, expected) => {
    const answer = await send(cloudEvent(event, attributes))
    expect([answer['status'], rules(answer)]).toEqual([422, expect.arrayContaining([expected])])
  })

  test('in headers is held against the data too', async () => {
    expect(rules(await sendBinary(event, { ...ATTRIBUTES, 'ce-source': 'x', 'ce-type': 'y' })).sort()).toEqual(['ce-source ce-source', 'ce-type ce-type'])
    expect(rules(await sendBinary(event, { 'ce-id': '1', 'ce-type': ATTRIBUTES['ce-type'] })).sort()).toEqual(['ce-attribute ce-source', 'ce-attribute ce-specversion', 'ce-source ce-source'])
    expect(rules(await sendBinary([event], ATTRIBUTES))).toEqual(['type '])
  })

  test('around something else is refused, and what is wrong with the data is told beside it', async () => {
    for (const body of [7, 'x', [cloudEvent(event)], null]) expect([body, (await send(body))['status']]).toEqual([body, 422])
    expect(rules(await send(cloudEvent({ ...event, kind: 'x' }, { specversion: '2' })))).toEqual(['ce-attribute ce-specversion', 'unknown-code kind'])
  })

  test('with a key given twice, or broken, is refused as any JSON is', async () => {
    for (const [body, rule] of [['{"specversion":"1.0","specversion":"1.0"}', 'duplicate-key'], ['{"specversion"', 'malformed-json']]) {
      expect(JSON.parse((await gateway.publish('complaint', body!, { type: ONE })).text)).toMatchObject({ verdict: 'refused', problems: [{ rule }] })
    }
  })
})

test('a batch has a verdict for each event in its order; what is no array is 400, NDJSON with ce- headers 415', async () => {
  const event = (n: number, fields = {}) => cloudEvent(complaint({ recordId: `12315-zj/batch-${n}`, ...fields }))
  const answer = await send([event(1), event(2, { state: 'x' }), event(1), 3], BATCH)
  expect(answer).toMatchObject({ status: 200, summary: { accepted: 1, refused: 2, duplicate: 1, total: 4 } })
  expect(answer['verdicts'].map(({ index }: { index: number }) => index)).toEqual([0, 1, 2, 3])
  expect(await send(event(1), BATCH)).toMatchObject({ status: 400, code: 'ARRAY_MALFORMED' })
  expect(await sendBinary({}, { ...ATTRIBUTES, 'content-type': NDJSON })).toMatchObject({ status: 415, code: 'CLOUDEVENT_FORM' })
})

test('a dry run gives the verdicts of every way in and stores nothing at all', async () => {
  const databaseUrl = await fixture.database()
  await using db = createDb({ url: databaseUrl, name: 'test', max: 1, log: fixture.log })
  let own = await startGateway(fixture, { databaseUrl })
  const known = complaint({ recordId: 'dry/known' })
  await own.publish('complaint', JSON.stringify(known))
  const events = [
    known, complaint({ recordId: 'dry/known', state: 'closed' }), complaint({ recordId: 'dry/new' }), complaint({ recordId: 'dry/new' }), complaint({ recordId: 'dry/new', version: 2, state: 'accepted' }),
    complaint({ recordId: 'dry/new', version: 1, state: 'refused' }), complaint({ recordId: 'dry/bad', kind: 'x' }), complaint({ recordId: 'dry/flagged', respondent: { ...known['respondent'] as object, uscc: '91330100799655058A' } }),
  ]
  const ways: [string, string, string][] = [
    ['array', JSON.stringify(events), 'application/json'], ['NDJSON', events.map((event) => JSON.stringify(event)).join('\n'), NDJSON], ['CloudEvents', JSON.stringify(events.map((event) => cloudEvent(event))), BATCH],
  ]
  const verdictsOf = (text: string, type: string): unknown[] => {
    const verdicts = type === NDJSON ? text.trim().split('\n').slice(0, -1).map((line) => JSON.parse(line)) : JSON.parse(text).verdicts
    return verdicts.map(({ verdict, version, flags, problems }: any) => ({ verdict, version, flags, problems }))
  }
  const before = await tables(db)
  const dry: unknown[] = []
  for (const [, body, type] of ways) dry.push(verdictsOf((await own.publish('complaint', body, { type, query: '?dryRun=true' })).text, type))
  const single: unknown[] = []
  for (const event of events.slice(0, 2)) {
    single.push((await send(event, 'application/json', '?dryRun=true', own))['status'], (await send(cloudEvent(event), ONE, '?dryRun=true', own))['status'], (await sendBinary(event, { ...ATTRIBUTES, 'ce-source': 'dry' }, '?dryRun=true', own))['status'])
  }
  expect(single).toEqual([200, 200, 200, 409, 409, 409])
  expect((await own.publish('credit-blacklist', JSON.stringify(listing({ recordId: 'dry/listing' })), { query: '?dryRun=true' })).status).toBe(200)
  // Stopped, it has written whatever it would write beside its answers.
  await own[Symbol.asyncDispose]()
  expect(await tables(db)).toEqual(before)
  own = await startGateway(fixture, { databaseUrl })
  const wet = verdictsOf((await own.publish('complaint', ways[1]![1], { type: NDJSON })).text, NDJSON)
  expect(wet.map((verdict: any) => verdict.verdict)).toEqual(['duplicate', 'conflict', 'accepted', 'duplicate', 'new-version', 'conflict', 'refused', 'accepted'])
  expect(dry).toEqual([wet, wet, wet])
  await own[Symbol.asyncDispose]()
})

/** Every table of the region's database: its rows, and what stands in them. */
async function tables(db: Db): Promise<Record<string, string>> {
  const { rows } = await db.query<{ name: string }>(`SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`)
  const counted: Record<string, string> = {}
  for (const { name } of rows) counted[name] = (await db.query<{ state: string }>(`SELECT count(*) || ' ' || md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), '')) AS state FROM ${name} t`)).rows[0]!.state
  return counted
}
