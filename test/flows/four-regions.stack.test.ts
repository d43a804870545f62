import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SampleFile } from '@hub/cli/sample'
import type { Settings } from '@hub/cli/settings'
import { sourcesYaml } from '@hub/local/local-files'
import { DATA_STREAMS, REGIONS, type Region } from '@hub/schemas/streams'
import { runHub } from '../cli/run-hub.ts'
import { SOURCES } from '../connectors/import-file.ts'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

const EARLY: readonly Region[] = ['sh', 'js', 'zj']
/** Which expected.json counts apart; all of them are good. */
const PENALTIES_OF_PAGES = 18
const expected = JSON.parse(readFileSync(join(SOURCES, 'expected.json'), 'utf8')) as {
  files: Record<string, { rows: Record<string, number> }>
  complaints: Record<Region, { byState: Record<string, number> }>
  credit: Record<Region, { active: Record<string, number> }>
}
let hub: Hub

beforeAll(async () => {
  hub = await openHub({ regions: EARLY, sources: (region) => sourcesYaml(readFileSync(new URL(`../../infra/regions/${region}/sources.yaml`, import.meta.url), 'utf8'), region) })
})
afterAll(() => hub?.[Symbol.asyncDispose]())

interface Demo { equal: boolean, files: SampleFile[] }

async function demo(regions: readonly Region[]): Promise<Demo> {
  const settings: Settings = { topicPrefix: hub.fixture.prefix, regions: Object.fromEntries(regions.map((region) => [region, { gateway: hub.url(region), keys: hub.keys, databaseUrl: hub.databaseUrl(region) }])) }
  const { exit, json } = await runHub(settings, ['demo', SOURCES])
  expect([exit, (json as Demo).equal]).toEqual([0, true])
  return json as Demo
}

function asDocumented({ file, classes, rows }: SampleFile): void {
  const documented = { ...expected.files[file]!.rows }
  if (file === 'sh/credit-gsxt-pages.json') for (const kind of ['total', 'good']) documented[kind]! += PENALTIES_OF_PAGES
  const counted = Object.values(classes).reduce((sum, count) => sum + count, 0)
  expect({ total: counted, ...classes }, file).toEqual(Object.fromEntries(Object.entries(documented).filter(([, count]) => count > 0)))
  expect(rows, file).toBeGreaterThanOrEqual(counted)
}

test('the files of three regions are counted as documented, and arrive in each of them once and in order', async () => {
  const { files } = await demo(EARLY)
  expect(files).toHaveLength(15)
  for (const file of files) asDocumented(file)
  const sent = files.reduce((total, { events }) => total + events, 0)
  for (const { db } of hub.replicas()) {
    const { rows } = await db.query<{ taken: bigint, rest: bigint }>(
      'SELECT sum(applied + folded)::bigint AS taken, sum(duplicate + stale + parked + absent)::bigint AS rest FROM partition_state WHERE stream = ANY ($1)', [DATA_STREAMS])
    expect(rows).toEqual([{ taken: BigInt(sent), rest: 0n }])
  }
})

test('the fourth region starts late, bootstraps equal and is heard by the others; the files of the early ones again publish nothing', async () => {
  await hub.start('ah')
  const { files } = await demo(REGIONS)
  for (const file of files) {
    if (file.region === 'ah') asDocumented(file)
    else expect([file.file, file.events]).toEqual([file.file, 0])
  }
})

test('every replica has the complaints of each state and the listings that are documented; every source is fresh and whole', async () => {
  for (const region of REGIONS) {
    const { rows: states } = await hub.db(region).query<{ region: Region, state: string, complaints: number }>(`SELECT region, state, count(*)::int AS complaints FROM complaint WHERE kind <> 'void' GROUP BY region, state`)
    for (const origin of REGIONS) expect(Object.fromEntries(states.filter((row) => row.region === origin).map(({ state, complaints }) => [state, complaints]))).toEqual(expected.complaints[origin].byState)
    // By what it says alone: those that have reached their own date since then have ended by it.
    const { rows: listings } = await hub.db(region).query<{ region: Region, listings: number }>(
      `SELECT region, count(*)::int AS listings FROM credit_blacklist WHERE record_type = 'listing' AND NOT ended AND removed_on IS NULL GROUP BY region`)
    expect(Object.fromEntries(listings.map((row) => [row.region, row.listings]))).toEqual(Object.fromEntries(REGIONS.map((origin) => [origin, expected.credit[origin].active['total']])))
    const { sources } = await (await hub.request(region, 'reader', '/v1/sources')).json() as { sources: { source: string, state: string, baselineCompleteAt: string | null }[] }
    expect(sources.map(({ source, state, baselineCompleteAt }) => [source, state, baselineCompleteAt !== null])).toEqual(sources.map(({ source }) => [source, 'fresh', true]))
    expect(sources).toHaveLength(12)
  }
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
