import { partitionOf } from '@hub/schemas/partition'
import { PARTITIONS, REGIONS, type Region } from '@hub/schemas/streams'
import type { ParkedDetail, ParkedOfOrigin, Redrive } from '@hub/client'
import type { Settings } from '@hub/cli/settings'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runHub } from '../cli/run-hub.ts'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

let hub: Hub
let settings: Settings
/** A record of ah, and where its bad event stands. */
let record: Record<string, unknown> & { recordId: string }
let place: { topic: string; partition: number; offset: string }

beforeAll(async () => {
  hub = await openHub()
  const { fixture, keys } = hub
  settings = {
    kafka: { brokers: fixture.brokers, admin: fixture.credentials('admin') }, registryUrl: fixture.registryUrl, topicPrefix: fixture.prefix,
    regions: Object.fromEntries(REGIONS.map((region) => [region, { gateway: hub.url(region), keys, databaseUrl: hub.databaseUrl(region) }])),
  }
  record = [...complaints(1, 5, 'ah')][0]! as unknown as typeof record
  await hub.publishOne('ah', 'complaint', record)
  await hub.settled(60_000)
  place = await poison()
  await eventually('all four park it', async () => (await Promise.all(REGIONS.map(async (region) => (await hub.db(region).query('SELECT 1 FROM parked')).rows.length))).every((n) => n === 1), 60_000)
  // What stands is published again, lest compaction keeps the bad one: that is no correction.
  await eventually('a later event of the record follows everywhere', async () => (await Promise.all(REGIONS.map(async (region) => (await hub.db(region).query('SELECT 1 FROM parked WHERE buried_by IS NOT NULL')).rows.length))).every((n) => n === 1), 60_000)
})
afterAll(() => hub?.[Symbol.asyncDispose]())

async function poison(): Promise<typeof place> {
  await using producer = { instance: hub.fixture.kafka('admin').producer(), [Symbol.asyncDispose]() { return this.instance.close() } }
  const topic = `${hub.fixture.prefix}ah.complaint`
  const partition = partitionOf(record.recordId, PARTITIONS.complaint)
  const [produced] = await producer.instance.send([{ topic, partition, messages: [{ key: record.recordId, value: Buffer.from('{"complainant":"张三丰"}') }] }])
  return { topic, partition, offset: String(produced!.baseOffset) }
}

async function ask<T>(region: Region, role: 'operator' | 'publisher', path: string, body?: object): Promise<{ status: number; body: T }> {
  const response = await hub.request(region, role, path, body && { body: JSON.stringify(body), type: 'application/json' })
  const text = await response.text()
  // What stood in the event is told nowhere.
  expect(text).not.toContain('张三丰')
  return { status: response.status, body: JSON.parse(text) as T }
}
const path = (): string => `/v1/parked/${encodeURIComponent(place.topic)}/${place.partition}/${place.offset}`
const ofOrigin = async (role: 'operator' | 'publisher', query = ''): Promise<ParkedOfOrigin[]> => (await ask<{ parked: ParkedOfOrigin[] }>('ah', role, `/v1/parked/origin${query}`)).body.parked

describe('while it is parked', () => {
  test('every region tells the same of it: place, key, reason, what to do, since when', async () => {
    const details = await Promise.all(REGIONS.map(async (region) => (await ask<ParkedDetail>(region, 'operator', path())).body))
    for (const one of details) {
      expect(one).toMatchObject({ ...place, region: 'ah', stream: 'complaint', key: record.recordId, reason: 'not-avro-framed', state: 'buried', supersededBy: null, buriedBy: expect.stringMatching(/^\d+$/), redriven: null, todo: { zh: expect.stringContaining('网关') } })
      expect(one.hash).toBe(details[0]!.hash)
    }
  })

  test('lists are filtered by topic, reason and whether a good version superseded it', async () => {
    const list = async (query: string): Promise<number> => (await ask<{ parked: unknown[] }>('sh', 'operator', `/v1/parked?${query}`)).body.parked.length
    expect([await list(`topic=${place.topic}`), await list('topic=other'), await list('reason=not-avro-framed'), await list('reason=bounds'), await list('open=true'), await list('open=false')]).toEqual([1, 0, 1, 0, 1, 0])
  })

  test('its origin is told where and why, on the page as well', async () => {
    const [told] = await eventually('all four have told', async () => {
      const found = await ofOrigin('operator', '?open=true')
      return found[0]?.regions.length === 4 ? found : undefined
    })
    expect(told).toMatchObject({ ...place, stream: 'complaint', key: record.recordId, reason: 'not-avro-framed', regions: [...REGIONS].sort().map((region) => ({ region, reason: 'not-avro-framed' })), supersededBy: null })
    expect(await ofOrigin('publisher')).toHaveLength(1)
    const page = await (await hub.request('ah', 'publisher', '/status')).text()
    expect(page).toContain(record.recordId)
    for (const name of ['上海', '江苏', '浙江', '安徽']) expect(page.slice(page.indexOf('被搁置的记录'))).toContain(name)
  })

  test('a redrive by the same release leaves it parked and says so; every act is noted with who and why', async () => {
    const asked = await ask<Redrive>('js', 'operator', '/v1/parked/redrives', { ...place, why: '误操作检查' })
    expect([asked.status, asked.body.state]).toEqual([202, 'waiting'])
    const { outcome } = await eventually('it is done', async () => {
      const { body } = await ask<Redrive>('js', 'operator', `/v1/parked/redrives/${asked.body.id}`)
      return body.state === 'done' ? body : undefined
    })
    expect(outcome).toEqual({ redriven: {}, parked: 1, gone: 0, events: [{ ...place, result: 'parked', reason: 'not-avro-framed' }] })
    expect((await ask<ParkedDetail>('js', 'operator', path())).body.state).toBe('buried')
    expect((await hub.db('js').query(`SELECT what, target, why, who <> '' AS who FROM audit`)).rows).toEqual([{ what: 'redrive parked', target: `${place.topic}/${place.partition}/${place.offset}`, why: '误操作检查', who: true }])
  })

  test('what is not parked, or says no reason, is refused', async () => {
    const redrive = async (body: object): Promise<unknown> => (await ask<{ code: string }>('js', 'operator', '/v1/parked/redrives', body)).body.code
    expect(await redrive({ ...place, offset: '999999', why: 'none there' })).toBe('PARKED_UNKNOWN')
    expect(await redrive({ ...place })).toBe('REQUEST_INVALID')
    expect(await redrive({ why: 'everything' })).toBe('REQUEST_INVALID')
    expect(await redrive({ offset: '1', reason: 'bounds', why: 'no partition' })).toBe('REQUEST_INVALID')
    expect((await ask<{ code: string }>('js', 'operator', `/v1/parked/redrives/${crypto.randomUUID()}`)).body.code).toBe('REDRIVE_UNKNOWN')
  })

  test('the same from a terminal', async () => {
    const { exit, json } = await runHub(settings, ['parked', 'list'])
    expect([exit, json]).toMatchObject([0, REGIONS.map((region) => ({ region, parked: [{ ...place, key: record.recordId, reason: 'not-avro-framed' }] }))])
    expect((await runHub(settings, ['parked', 'list', '--origin', '--region', 'ah'])).json).toMatchObject([{ parked: [{ key: record.recordId }] }])
    const shown = await runHub(settings, ['parked', 'show', place.topic, String(place.partition), place.offset, '--region', 'zj'], { json: false })
    expect(shown.out).toContain('不是带模式编号的 Avro')
    expect((await runHub(settings, ['parked', 'redrive', place.topic, String(place.partition), place.offset, '--region', 'zj'], { json: false })).exit).toBe(2)
    const redriven = await runHub(settings, ['parked', 'redrive', place.topic, '--region', 'zj', '--why', 'release 2'])
    expect([redriven.exit, redriven.json]).toMatchObject([1, [{ region: 'zj', outcome: { parked: 1 } }]])
  })
})

test('a corrected version that the origin publishes supersedes it in all four regions', async () => {
  const correction = await hub.publishOne('ah', 'complaint', { ...record, kind: 'correction', version: 7, state: 'accepted' })
  expect(correction).toMatchObject({ verdict: 'new-version' })
  await hub.settled(60_000)
  for (const region of REGIONS) {
    expect((await ask<ParkedDetail>(region, 'operator', path())).body).toMatchObject({ state: 'superseded', supersededBy: { version: '7' }, buriedBy: expect.any(String) })
    expect((await hub.db(region).query('SELECT version FROM complaint WHERE record_id = $1', [record.recordId])).rows).toEqual([{ version: 7n }])
    expect((await hub.db(region).query('SELECT 1 FROM consumer_offset WHERE parked_open > 0')).rows).toEqual([])
  }
  expect(await ofOrigin('operator', '?open=true')).toEqual([])
  expect(await ofOrigin('operator', '?open=false')).toMatchObject([{ supersededBy: { version: '7' } }])
  await hub.expectEqual({ poison: 1 })
})
