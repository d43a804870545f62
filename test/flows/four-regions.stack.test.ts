import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DATA_STREAMS, REGIONS, type Region } from '@hub/schemas/streams'
import { complaints } from '../data/generate.ts'
import type { SampleLine } from '../data/sources/read.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub, type Published } from '../hub.ts'

const EARLY: readonly Region[] = ['sh', 'js', 'zj']
let hub: Hub

beforeAll(async () => { hub = await openHub({ regions: EARLY }) })
afterAll(() => hub?.[Symbol.asyncDispose]())

test('the samples of three regions arrive in each of them, once and in order, and the counters add up', async () => {
  const published = await Promise.all(EARLY.flatMap((region) => publishSample(region)))
  for (const { summary } of published.flat()) expect(summary).toMatchObject({ total: summary['accepted']! + summary['new-version']! })
  await hub.settled()
  await hub.expectEqual()
  const sent = published.flat().reduce((total, { summary }) => total + summary['total']!, 0)
  for (const { db } of hub.replicas()) {
    const { rows } = await db.query<{ taken: bigint, rest: bigint }>(
      'SELECT sum(applied + folded)::bigint AS taken, sum(duplicate + stale + parked + absent)::bigint AS rest FROM partition_state WHERE stream = ANY ($1)', [DATA_STREAMS])
    expect(rows).toEqual([{ taken: BigInt(sent), rest: 0n }])
  }
})

test('publishing the samples again publishes nothing', async () => {
  const again = (await Promise.all(EARLY.flatMap((region) => publishSample(region)))).flat()
  for (const { summary } of again) expect(summary['duplicate']! + summary['stale']!).toBe(summary['total'])
})

test('the fourth region starts late, bootstraps equal and is heard by the others', async () => {
  await hub.start('ah')
  await Promise.all([...await publishSample('ah'), await hub.publish('zj', 'complaint', complaints(200, 5, 'zj'))])
  await hub.settled()
  await hub.expectEqual()
})

test('the receipt of an event says where it stands on the log and when each region had it; the next version supersedes it', async () => {
  const [event] = complaints(1, 77, 'js')
  const first = await hub.publishOne('js', 'complaint', event!)
  expect(first).toMatchObject({ verdict: 'accepted', version: 1 })
  const arrived = await receipt('js', first.eventId!, 'arrived')
  expect(arrived).toMatchObject({ recordId: event!.recordId, stream: 'complaint', topic: `${hub.fixture.prefix}js.complaint`, partition: expect.any(Number), offset: expect.stringMatching(/^\d+$/) })
  const { rows } = await hub.db('ah').query('SELECT partition, log_offset FROM complaint WHERE record_id = $1', [event!.recordId])
  expect(rows).toEqual([{ partition: arrived.partition, log_offset: BigInt(arrived.offset) }])
  for (const { since } of arrived.regions) expect(Date.parse(since)).toBeGreaterThanOrEqual(Date.parse(arrived.acceptedAt))

  const second = await hub.publishOne('js', 'complaint', { ...event, version: 2, kind: 'follow-up', state: 'accepted' })
  expect(second).toMatchObject({ verdict: 'new-version', version: 2 })
  await receipt('js', second.eventId!, 'arrived')
  await receipt('js', first.eventId!, 'superseded')
})

interface Receipt { topic: string, partition: number, offset: string, acceptedAt: string, regions: { region: Region, state: string, since: string }[] }

async function receipt(region: Region, eventId: string, state: string): Promise<Receipt> {
  return eventually(`${eventId} ${state} everywhere`, async () => {
    const response = await hub.request(region, 'publisher', `/v1/receipts/${eventId}`)
    const read = await response.json() as Receipt
    expect(read.regions.map((one) => `${one.region} ${one.state}`)).toEqual(REGIONS.map((one) => `${one} ${state}`))
    return read
  })
}

function publishSample(region: Region): Promise<Published>[] {
  const lines = readFileSync(join(import.meta.dirname, '../data/sample', `${region}.ndjson`), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as SampleLine)
  return [...Map.groupBy(lines, ({ stream }) => stream)].map(([stream, own]) => hub.publish(region, stream, own.map(({ event }) => event)))
}
