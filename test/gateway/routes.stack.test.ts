import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DATA_STREAMS, REGIONS } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { complaint, IDENTITY } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'
import { documentOf, type Documented } from './openapi.ts'

const EVENTS = 'POST /v1/streams/{stream}/events'
const RECORDS = 'GET /v1/streams/{stream}/records'
const RECEIPTS = 'GET /v1/receipts/{eventId}'
const POSITION = 'GET /v1/position'
const PARKED = 'GET /v1/parked'

let hub: Hub
/** A gateway of its own, without a replicator beside it. */
let alone: TestGateway
let documented: Documented

beforeAll(async () => {
  hub = await openHub({ regions: ['zj'] })
  alone = await startGateway(hub.fixture, { region: 'js' })
  documented = documentOf(await (await fetch(`${hub.url('zj')}/openapi.json`)).json() as Documented['document'])
})

afterAll(async () => {
  await alone?.[Symbol.asyncDispose]()
  await hub?.[Symbol.asyncDispose]()
})

interface Answer {
  status: number
  body: any
}

/** An answer that is as the document says. */
async function ask(route: string, role: 'publisher' | 'reader' | 'operator', path: string, init?: { body: string; type: string }): Promise<Answer> {
  const response = await hub.request('zj', role, path, init)
  const body = await response.json()
  expect(documented.faults(route, response.status, response.headers.get('content-type') ?? '', body)).toEqual([])
  return { status: response.status, body }
}

describe('who may call', () => {
  const paths: [route: string, path: string, allowed: (keyof typeof KEYS)[]][] = [
    [EVENTS, '/v1/streams/complaint/events', ['publisher', 'narrow']],
    [RECORDS, '/v1/streams/complaint/records?recordId=a/b', ['reader', 'officer', 'operator']],
    [RECEIPTS, `/v1/receipts/${randomUUID()}`, ['publisher', 'narrow', 'reader', 'operator']],
    [POSITION, '/v1/position', ['reader', 'operator']],
    [PARKED, '/v1/parked', ['operator']],
  ]
  test.each(paths)('%s', async (route, path, allowed) => {
    const call = async (key?: string): Promise<number> => {
      const [method] = route.split(' ')
      const response = await fetch(alone.url + path, { method: method!, headers: { ...(key && { authorization: `Bearer ${key}` }), ...(method === 'POST' && { 'content-type': 'application/json' }) }, ...(method === 'POST' && { body: '{}' }) })
      const body = await response.json()
      if (response.status === 401 || response.status === 403) expect(documented.faults(route, response.status, response.headers.get('content-type')!, body)).toEqual([])
      return response.status
    }
    expect([await call(), await call('nobody'), await call(`${KEYS.publisher}x`)]).toEqual([401, 401, 401])
    for (const role of Object.keys(KEYS) as (keyof typeof KEYS)[]) expect([role, await call(KEYS[role]) !== 403]).toEqual([role, allowed.includes(role)])
  })

  test('health, metrics and the document need no key; there is nothing else', async () => {
    for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json']) expect([path, (await fetch(alone.url + path)).status]).toEqual([path, 200])
    expect((await fetch(`${alone.url}/v1/nothing`)).status).toBe(404)
    expect((await fetch(`${alone.url}/v1/position`, { method: 'DELETE' })).status).toBe(404)
  })
})

describe(EVENTS, () => {
  const path = '/v1/streams/complaint/events'
  const json = (event: unknown) => ({ body: JSON.stringify(event), type: 'application/json' })

  test('each answer is as documented', async () => {
    const event = complaint({ recordId: '12315-zj/routes' })
    expect((await ask(EVENTS, 'publisher', path, json(event))).status).toBe(201)
    expect((await ask(EVENTS, 'publisher', path, json(event))).status).toBe(200)
    expect((await ask(EVENTS, 'publisher', path, json({ ...event, state: 'closed' }))).status).toBe(409)
    expect((await ask(EVENTS, 'publisher', path, json({}))).status).toBe(422)
    expect((await ask(EVENTS, 'publisher', path, json([event, {}, 3]))).status).toBe(200)
  })

  test('what is asked wrongly is refused with what was expected, never with what was sent', async () => {
    const hostile: [number, string, { body: string; type: string }][] = [
      [400, '/v1/streams/complaints/events', json({})],
      [400, `${path}?dryrun=true`, json({})],
      [400, `${path}?dryRun=${IDENTITY}`, json({})],
      [400, '/v1/streams/__proto__/events', json({})],
      [415, path, { body: '<x/>', type: 'text/xml' }],
      [415, path, { body: 'a=b', type: 'application/x-www-form-urlencoded' }],
      [413, path, { body: `[${' '.repeat(4 * 1024 * 1024)}]`, type: 'application/json' }],
      [400, path, { body: '[', type: 'application/json' }],
    ]
    for (const [status, to, init] of hostile) {
      const answer = await ask(EVENTS, 'publisher', to, init)
      expect([to, answer.status]).toEqual([to, status])
      expect(JSON.stringify(answer.body)).not.toContain(IDENTITY)
    }
    expect((await ask(EVENTS, 'publisher', '/v1/streams/complaints/events', json({}))).body.detail).toContain(DATA_STREAMS.join(', '))
  })

  test('a compressed body is not taken', async () => {
    const response = await fetch(alone.url + path, { method: 'POST', body: 'x', headers: { authorization: `Bearer ${KEYS.publisher}`, 'content-type': 'application/json', 'content-encoding': 'gzip' } })
    expect(response.status).toBe(415)
  })
})

describe('a published event', () => {
  test('is read back in the form it was sent in, and its receipt says where it stands and who has it', async () => {
    const event = complaint({ recordId: '12315-zj/read-back' })
    const verdict = (await ask(EVENTS, 'publisher', '/v1/streams/complaint/events', { body: JSON.stringify(event), type: 'application/json' })).body
    const { body: { records } } = await eventually('the record in the replica', async () => {
      const answer = await ask(RECORDS, 'reader', '/v1/streams/complaint/records?recordId=12315-zj/read-back')
      return answer.body.records.length > 0 ? answer : undefined
    })
    expect(records).toEqual([expect.objectContaining({ region: 'zj', recordId: event['recordId'], version: '1', kind: 'original', ended: false, eventId: verdict.eventId })])
    expect(records[0].body).toMatchObject({ ...event, eventId: verdict.eventId, region: 'zj', authority: { code: '330100', name: null } })

    const { body: receipt } = await eventually('the receipt', async () => {
      const answer = await ask(RECEIPTS, 'publisher', verdict.receipt)
      return answer.body.regions.find(({ region }: { region: string }) => region === 'zj').state === 'arrived' ? answer : undefined
    })
    expect(receipt).toMatchObject({ eventId: verdict.eventId, recordId: event['recordId'], stream: 'complaint', version: '1', topic: `${hub.fixture.prefix}zj.complaint`, offset: records[0].offset, partition: records[0].partition })
    expect(receipt.regions.map(({ region, state }: { region: string; state: string }) => [region, state])).toEqual(REGIONS.map((region) => [region, region === 'zj' ? 'arrived' : 'waiting']))
  })

  test('that nobody published has no receipt; a publisher sees none of other sources', async () => {
    expect((await ask(RECEIPTS, 'publisher', `/v1/receipts/${randomUUID()}`)).status).toBe(404)
    expect((await ask(RECEIPTS, 'publisher', "/v1/receipts/x'--")).status).toBe(400)
    const { text } = await alone.publish('complaint', JSON.stringify(complaint({ recordId: '12315-js/1' })))
    const { receipt } = JSON.parse(text)
    expect((await alone.get(receipt, KEYS.narrow)).status).toBe(404)
  })

  test('a record that no region has is an empty list; a record id that is none is refused', async () => {
    expect(await ask(RECORDS, 'reader', '/v1/streams/recall/records?recordId=a/1')).toMatchObject({ status: 200, body: { records: [] } })
    expect((await ask(RECORDS, 'reader', `/v1/streams/complaint/records?recordId=${encodeURIComponent("x' OR true --")}`)).body.records).toEqual([])
    expect((await ask(RECORDS, 'reader', '/v1/streams/complaint/records?recordId=%00%00%00')).status).toBe(400)
    for (const query of ['?recordId=', `?recordId=${'x'.repeat(300)}`, '?recordId=a/1&asof=1']) expect((await ask(RECORDS, 'reader', `/v1/streams/complaint/records${query}`)).status).toBe(400)
  })
})

describe('operators', () => {
  test('see the position of every partition, and each event in one class', async () => {
    const { body } = await eventually('all partitions', async () => {
      const answer = await ask(POSITION, 'operator', '/v1/position')
      return answer.body.partitions.length >= 18 * REGIONS.length ? answer : undefined
    })
    expect(body.region).toBe('zj')
    expect(new Set(body.partitions.map(({ region }: { region: string }) => region))).toEqual(new Set(REGIONS))
  })

  test('page through what was parked', async () => {
    const producer = hub.fixture.kafka('admin').producer()
    const topic = `${hub.fixture.prefix}sh.tally`
    await producer.send([{ topic, partition: 1, messages: [1, 2, 3].map((n) => ({ key: `bad/${n}`, value: Buffer.from('not an event') })) }])
    await producer.close()
    const { body: all } = await eventually('three parked events', async () => {
      const answer = await ask(PARKED, 'operator', '/v1/parked')
      return answer.body.parked.length === 3 ? answer : undefined
    })
    expect(all).toMatchObject({ next: null, parked: [{ topic, partition: 1, key: 'bad/1', buriedBy: null, reason: expect.any(String) }, {}, {}] })
    const { body: first } = await ask(PARKED, 'operator', '/v1/parked?limit=2')
    const { body: second } = await ask(PARKED, 'operator', `/v1/parked?limit=2&after=${encodeURIComponent(first.next)}`)
    expect([...first.parked, ...second.parked]).toEqual(all.parked)
    expect(second.next).toBeNull()
    expect(all.parked[0]).toMatchObject({ zh: expect.stringMatching(/\p{Script=Han}/u), en: expect.any(String) })
    const found = async (query: string): Promise<number> => (await ask(PARKED, 'operator', `/v1/parked?${query}`)).body.parked.length
    expect([await found(`topic=${topic}&open=true`), await found('open=false'), await found('reason=bounds'), await found(`reason=${all.parked[0].reason}`)]).toEqual([3, 0, 0, 3])
    for (const query of ['after=x', 'after=a/1/99999999999999999999', 'limit=0', 'limit=1001', 'limit=x', 'before=1']) expect((await ask(PARKED, 'operator', `/v1/parked?${query}`)).status).toBe(400)
  })
})

test('before the replicator has made its tables, what is read from them is answered 503 with what to do', async () => {
  for (const [path, key] of [['/v1/streams/complaint/records?recordId=a/1', KEYS.reader], ['/v1/position', KEYS.operator], ['/v1/parked', KEYS.operator]] as const) {
    const { status, headers, body } = await alone.get(path, key)
    expect({ path, status, code: body.code, wait: headers.get('retry-after') }).toEqual({ path, status: 503, code: 'REPLICA_MISSING', wait: '2' })
  }
  expect((await fetch(`${alone.url}/readyz`)).status).toBe(200)
})
