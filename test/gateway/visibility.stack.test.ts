import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { contractFor } from '@hub/schemas/contracts'
import { dateText } from '@hub/schemas/record-json'
import { sample } from '@hub/schemas/samples'
import type { DataStream } from '@hub/schemas/streams'
import { todayInShanghai } from '@hub/schemas/visibility'
import { openHub, type Hub } from '../hub.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

type Values = Record<string, unknown>

const AUTHORITY = { code: '330100', name: '杭州市市场监督管理局', rawName: '杭州市市场监督管理局' }
const PUBLISHED = { publication: 'published' }
const TODAY = todayInShanghai()
const day = (from: number): string => dateText(TODAY + from)

/**
 * The table of domain reference 7.9 through HTTP: everything is published in Zhejiang and read in Anhui (whom it does not concern), in Jiangsu
 * (where a party of the failures is), in Zhejiang itself and by an operator. `-` = not there, `key` = identity alone, `all` = the fields for bureaus.
 */
const TABLE: readonly (readonly [row: string, stream: DataStream, change: Values, other: string, involved: string, origin: string, operator: string])[] = [
  // data                                stream                change                                                 ah     js     zj     operator
  ['complaint, published',               'complaint',          PUBLISHED,                                             'all', 'all', 'all', 'all'],
  ['complaint, to be published',         'complaint',          { publication: 'pending' },                            'all', 'all', 'all', 'all'],
  ['complaint, never publishable',       'complaint',          { publication: 'not-publishable' },                    'all', 'all', 'all', 'all'],
  ['complaint, withdrawn',               'complaint',          { publication: 'withdrawn', kind: 'withdrawal' },      'all', 'all', 'all', 'all'],
  ['complaint, publication over',        'complaint',          { publication: 'expired' },                            'all', 'all', 'all', 'all'],
  ['complaint, annulled',                'complaint',          { kind: 'void' },                                      'all', 'all', 'all', 'key'],
  ['listing, published',                 'credit-blacklist',   PUBLISHED,                                             'all', 'all', 'all', 'all'],
  ['listing, decided, not published',    'credit-blacklist',   { publication: 'pending' },                            '-',   '-',   'all', '-'],
  ['listing, never publishable',         'credit-blacklist',   { publication: 'not-publishable' },                    '-',   '-',   'all', '-'],
  ['listing, withdrawn',                 'credit-blacklist',   { publication: 'withdrawn', kind: 'withdrawal' },      '-',   '-',   'all', 'key'],
  ['listing, publication over',          'credit-blacklist',   { publication: 'expired' },                            '-',   '-',   'all', 'key'],
  ['listing, last day of its term',      'credit-blacklist',   { ...PUBLISHED, until: day(0) },                       'all', 'all', 'all', 'all'],
  ['listing, past its term',             'credit-blacklist',   { ...PUBLISHED, until: day(-1) },                      '-',   '-',   'all', 'key'],
  ['listing, shielded',                  'credit-blacklist',   { ...PUBLISHED, kind: 'shield', shield: { from: day(-1) } }, '-', '-', 'all', 'key'],
  ['listing, repaired',                  'credit-blacklist',   { kind: 'repair' },                                    '-',   '-',   'all', 'key'],
  ['listing, expired',                   'credit-blacklist',   { kind: 'expiry' },                                    '-',   '-',   'all', 'key'],
  ['listing, removed',                   'credit-blacklist',   { kind: 'removal' },                                   '-',   '-',   'all', 'key'],
  ['failure, published',                 'inspection-failure', PUBLISHED,                                             'all', 'all', 'all', 'all'],
  ['failure, before publication',        'inspection-failure', { publication: 'pending' },                            '-',   'all', 'all', 'all'],
  ['failure, never publishable',         'inspection-failure', { publication: 'not-publishable' },                    '-',   'all', 'all', 'all'],
  ['failure, withdrawn',                 'inspection-failure', { publication: 'withdrawn', kind: 'withdrawal' },      '-',   'all', 'all', 'all'],
  ['failure, publication over',          'inspection-failure', { publication: 'expired' },                            '-',   'all', 'all', 'all'],
  ['failure, annulled',                  'inspection-failure', { kind: 'void' },                                      '-',   '-',   'all', 'key'],
  ['recall, published',                  'recall',             { ...PUBLISHED, state: 'published' },                  'all', 'all', 'all', 'all'],
  ['recall, suspicion',                  'recall',             { publication: 'pending', state: 'suspected' },        'all', 'all', 'all', 'all'],
  ['recall, withdrawn',                  'recall',             { publication: 'withdrawn', kind: 'withdrawal' },      'all', 'all', 'all', 'all'],
  ['recall, publication over',           'recall',             { publication: 'expired' },                            'all', 'all', 'all', 'all'],
  ['recall, never publishable',          'recall',             { publication: 'not-publishable' },                    'all', 'all', 'all', 'all'],
  ['recall, annulled',                   'recall',             { kind: 'void' },                                      '-',   '-',   'all', 'key'],
  ['tally of reports',                   'tally',              {},                                                    'all', 'all', 'all', 'all'],
  ['tally, annulled',                    'tally',              { kind: 'void' },                                      '-',   '-',   'all', 'key'],
]

let hub: Hub
/** Gateways of Anhui, Jiangsu and Zhejiang on the replicas of their regions, with callers of every role. */
let gateways: { ah: TestGateway; js: TestGateway; zj: TestGateway }

beforeAll(async () => {
  hub = await openHub({ regions: ['js', 'zj', 'ah'] })
  const [ah, js, zj] = await Promise.all((['ah', 'js', 'zj'] as const).map((region) => startGateway(hub.fixture, { region, databaseUrl: hub.databaseUrl(region) })))
  gateways = { ah: ah!, js: js!, zj: zj! }
  for (const [n, [, stream, change]] of TABLE.entries()) {
    // What ends was there before: its earlier version must be seen nowhere any more.
    const kind = (change['kind'] as string | undefined) ?? 'original'
    if (contractFor(stream, kind).role === 'stub') await publish(eventOf(stream, n, { ...(stream === 'tally' ? {} : PUBLISHED) }, 1), stream)
    await publish(eventOf(stream, n, change, 2), stream)
  }
  await hub.settled()
})

afterAll(async () => {
  await Promise.all(Object.values(gateways ?? {}).map((gateway) => gateway[Symbol.asyncDispose]()))
  await hub?.[Symbol.asyncDispose]()
})

function eventOf(stream: DataStream, n: number, change: Values, version: number): Values {
  const contract = contractFor(stream, (change['kind'] as string | undefined) ?? 'original')
  const { eventId, ...event } = sample(contract.fullName)
  return {
    ...event, recordId: `table-zj/${n}`, kind: 'original', region: 'zj', authority: AUTHORITY, occurredOn: '2026-03-09', version,
    ...(stream === 'inspection-failure' && contract.role === 'record' && { parties: [party('sampled-unit', 'zj', '330106'), party('nominal-producer', 'js', '320505')] }),
    ...(stream === 'tally' && contract.role === 'record' && { division: '330106' }),
    ...change,
  }
}

function party(role: string, region: string, division: string): Values {
  return { role, name: '某某食品有限公司', region, division, attribution: role === 'sampled-unit' ? 'confirmed' : 'nominal' }
}

async function publish(event: Values, stream: DataStream): Promise<void> {
  const { verdict, problems } = await hub.publishOne('zj', stream, event)
  expect({ verdict, problems }).toEqual({ verdict: expect.stringMatching(/^(accepted|new-version)$/) })
}

async function read(gateway: TestGateway, key: string, stream: DataStream, n: number): Promise<any[]> {
  const { status, body } = await gateway.get(`/v1/streams/${stream}/records?recordId=table-zj/${n}`, key)
  expect(status).toBe(200)
  return body.records
}

async function list(gateway: TestGateway, key: string, stream: DataStream): Promise<Map<string, any>> {
  const { status, body } = await gateway.get(`/v1/streams/${stream}/records?limit=1000`, key)
  expect(status).toBe(200)
  return new Map(body.records.map((record: Values) => [record['recordId'], record]))
}

describe('the visibility table, read one by one and as a list', () => {
  const cells = TABLE.map(([row, stream, , ...expected], n) => [row, stream, n, ...expected] as const)
  test.each(cells)('%s (%s)', async (_row, stream, n, other, involved, origin, operator) => {
    const { ah, js, zj } = gateways
    const seen = async (gateway: TestGateway, key: string): Promise<string> => {
      const [record] = await read(gateway, key, stream, n)
      expect((await list(gateway, key, stream)).get(`table-zj/${n}`)).toEqual(record)
      if (record === undefined) return '-'
      if (record.show === 'key') {
        expect(record).toEqual({ region: 'zj', recordId: `table-zj/${n}`, version: '2', show: 'key' })
        return 'key'
      }
      expect(record.body).toMatchObject({ recordId: `table-zj/${n}`, authority: AUTHORITY })
      return 'all'
    }
    expect([await seen(ah, KEYS.reader), await seen(js, KEYS.reader), await seen(zj, KEYS.reader), await seen(ah, KEYS.operator)]).toEqual([other, involved, origin, operator])
    expect([await seen(ah, KEYS.officer), await seen(js, KEYS.operator), await seen(zj, KEYS.operator)]).toEqual([other, operator, operator])
  })

  test('without a key, or as a publisher, there is nothing to see', async () => {
    const path = '/v1/streams/complaint/records?recordId=table-zj/0'
    expect((await fetch(gateways.ah.url + path)).status).toBe(401)
    expect((await gateways.ah.get(path, KEYS.publisher)).status).toBe(403)
  })
})

test('a failure reaches its origin and the regions of its parties for action, the others for attention', async () => {
  const n = TABLE.findIndex(([row]) => row === 'failure, published')
  const reach = async (gateway: TestGateway): Promise<string> => (await read(gateway, KEYS.reader, 'inspection-failure', n))[0].reach
  expect([await reach(gateways.zj), await reach(gateways.js), await reach(gateways.ah)]).toEqual(['action', 'action', 'attention'])
  expect((await read(gateways.ah, KEYS.reader, 'complaint', 0))[0]).not.toHaveProperty('reach')
})

describe('a caller of Anhui', () => {
  test('cannot publish for Zhejiang, not at its own gateway and not at that of Zhejiang', async () => {
    const event = eventOf('inspection-failure', 900, { publication: 'pending' }, 1)
    const own = await gateways.ah.publish('inspection-failure', JSON.stringify(event))
    expect([own.status, JSON.parse(own.text).problems.map(({ rule }: Values) => rule)]).toEqual([422, ['wrong-region']])
    expect((await fetch(`${hub.url('zj')}/v1/streams/inspection-failure/events`, { method: 'POST', body: JSON.stringify(event), headers: { authorization: 'Bearer key-of-anhui', 'content-type': 'application/json' } })).status).toBe(401)
  })

  test('cannot read an unpublished failure of Zhejiang that does not involve Anhui, whatever it asks', async () => {
    const n = TABLE.findIndex(([row]) => row === 'failure, before publication')
    const id = `table-zj/${n}`
    const { body: position } = await gateways.ah.get('/v1/position')
    const vector = encodeURIComponent(position.text)
    for (const query of [`recordId=${id}`, `recordId=${id}&asOf=${vector}`, 'region=zj', 'publication=pending', 'involves=js', 'involves=js&role=producer', 'division=3301&role=sampled-unit']) {
      const { status, body } = await gateways.ah.get(`/v1/streams/inspection-failure/records?${query}`)
      expect([query, status, JSON.stringify(body).includes(id)]).toEqual([query, 200, false])
      expect(JSON.stringify((await gateways.js.get(`/v1/streams/inspection-failure/records?${query}`)).body)).toContain(id)
    }
  })
})

test('an earlier version is not shown to whom the record is not shown any more', async () => {
  const id = 'table-zj/901'
  await publish(eventOf('credit-blacklist', 901, PUBLISHED, 1), 'credit-blacklist')
  await hub.settled()
  const { body: { meta } } = await gateways.ah.get(`/v1/streams/credit-blacklist/records?recordId=${id}`)
  const then = `/v1/streams/credit-blacklist/records?recordId=${id}&asOf=${encodeURIComponent(meta.position)}`
  expect((await gateways.ah.get(then)).body.records).toHaveLength(1)
  await publish(eventOf('credit-blacklist', 901, { publication: 'withdrawn', kind: 'withdrawal' }, 2), 'credit-blacklist')
  await hub.settled()
  const { body } = await gateways.ah.get(then)
  expect(body).toMatchObject({ records: [], meta: { position: meta.position, note: { en: expect.stringContaining('no longer shared') } } })
  expect((await gateways.ah.get(then, KEYS.operator)).body.records).toEqual([{ region: 'zj', recordId: id, version: '1', show: 'key' }])
  // At its origin nothing of the position's own topics is hidden.
  const own = encodeURIComponent((await gateways.zj.get(`/v1/streams/credit-blacklist/records?recordId=${id}`)).body.meta.position)
  expect((await gateways.zj.get(`/v1/streams/credit-blacklist/records?recordId=${id}&asOf=${own}`)).body.records[0]).toMatchObject({ version: '2', show: 'record' })
})
