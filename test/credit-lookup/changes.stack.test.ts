import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { start } from '@hub/credit-lookup'
import { callersYaml } from '@hub/local/local-files'
import { createMetrics } from '@hub/runtime/metrics'
import type { Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'
import { sampleRecord } from '@hub/schemas/samples'
import type { Region } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log, type Raw } from '../replicator/log.ts'

const FIRM = '91330100799655058B'
const KEYS = { publisher: 'test-publisher', reader: 'test-reader', operator: 'test-operator' }

type Lookup = Service & { readonly url: string }
interface Told { readonly event: string; readonly id: string; readonly data: { readonly recordId?: string; readonly uscc?: string; readonly region?: string } }

let fixture: Fixture
let log: Log
let databaseUrl: string
let callersFile: string
const open: Lookup[] = []
beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  databaseUrl = await fixture.database()
  callersFile = join(await fixture.stateDir(), 'callers.yaml')
  await writeFile(callersFile, callersYaml('ah', KEYS))
})
afterAll(async () => {
  await Promise.all(open.map((lookup) => lookup[Symbol.asyncDispose]()))
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

it('a subscriber is told to stop, goes on at another instance, and is known as one that has not stopped until it says so', async () => {
  const [one, other] = [await startLookup(), await startLookup()]
  const first = await follow(one)
  await log.append([await listing('js', '1', 1), await listing('zj', '2', 1)])
  const puts = await first.take(2)
  expect(puts.map(({ event, data: { recordId, uscc } }) => [event, recordId, uscc])).toEqual(expect.arrayContaining([['put', 't12315/1', FIRM], ['put', 't12315/2', FIRM]]))
  first.leave()

  await log.append([await log.version({ region: 'js', stream: 'credit-blacklist', no: '1', version: 2, kind: 'repair' }), await listing('zj', '2', 2, { shield: { from: 1, until: null, decisionNo: null } })])
  const second = await follow(other, puts[1]!.id)
  const stops = await second.take(2)
  expect(stops.map(({ event, data }) => [event, data.recordId, Object.keys(data)])).toEqual(expect.arrayContaining(['t12315/1', 't12315/2'].map((id) => ['stop-using', id, ['recordId', 'region', 'takenAt']])))
  second.leave()

  for (const lookup of [one, other]) {
    await eventually('it has read what it is asked about', async () => (await subscribers(lookup))[0]?.notStopped.records === 2)
    expect(await subscribers(lookup)).toMatchObject([{ caller: 'ah-local-reader', name: 'copy', notStopped: { records: 2, complete: true, since: expect.stringMatching(/^20/) } }])
  }
  expect((await acknowledge(one, stops[0]!.id)).status).toBe(204)
  expect((await acknowledge(one, stops[0]!.id)).status).toBe(204)
  expect((await subscribers(other))[0]!.notStopped.records).toBe(1)
  expect((await acknowledge(other, stops[1]!.id)).status).toBe(204)
  // What was said later stands.
  await acknowledge(one, stops[0]!.id)
  expect((await subscribers(one))[0]!.notStopped).toEqual({ records: 0, since: null, complete: true })
  expect(await (await acknowledge(one, `${stops[0]!.id.split('.')[0]}${'.zzzz'.repeat(12)}`)).json()).toMatchObject({ code: 'CURSOR_AHEAD' })
  expect(await (await acknowledge(one, stops[0]!.id, 'nobody')).json()).toMatchObject({ code: 'SUBSCRIBER_UNKNOWN' })
})

it('a restart loses nothing of what a reader has not been told', async () => {
  const [one] = open
  const before = await follow(one!)
  await log.append([await listing('js', '3', 1)])
  const [put] = await before.take(1)
  await log.append([await listing('js', '3', 2)])
  await before.take(1)
  before.leave()
  const again = await follow(await startLookup(await stopped(one!)), put!.id)
  expect((await again.take(1))[0]!.data.recordId).toBe('t12315/3')
  again.leave()
})

const stateDirs = new Map<Lookup, string>()
async function stopped(lookup: Lookup): Promise<string> {
  await lookup[Symbol.asyncDispose]()
  open.splice(open.indexOf(lookup), 1)
  return stateDirs.get(lookup)!
}

async function startLookup(stateDir?: string): Promise<Lookup> {
  const dir = stateDir ?? await fixture.stateDir()
  const { username, password } = fixture.credentials('ah')
  const lookup = await start({
    region: 'ah', username, password, callersFile, databaseUrl, stateDir: dir, brokers: fixture.brokers, registryUrl: fixture.registryUrl, topicPrefix: fixture.prefix, snapshotSeconds: 600, trustedProxies: [], signingKeyFile: null, host: '127.0.0.1', lookupPort: 0, logLevel: 'silent',
  }, { log: fixture.log, metrics: createMetrics({ region: 'ah' }), fail: (error) => { throw error }, wakeup: createWakeup() })
  open.push(lookup)
  stateDirs.set(lookup, dir)
  await eventually('the lookup is ready', async () => (await fetch(`${lookup.url}/readyz`)).status === 200)
  return lookup
}

/** Reads the stream from a cursor; resolves once it is told its place. */
async function follow(lookup: Lookup, after?: string): Promise<{ take(count: number): Promise<Told[]>; leave(): void }> {
  const leaving = new AbortController()
  const response = await fetch(`${lookup.url}/v1/credit/changes?name=copy`, { headers: { authorization: `Bearer ${KEYS.reader}`, ...(after !== undefined && { 'last-event-id': after }) }, signal: leaving.signal })
  expect(response.status).toBe(200)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const waiting: Told[] = []
  const more = async (): Promise<void> => {
    text += (await reader.read()).value ?? ''
    const blocks = text.split('\n\n')
    text = blocks.pop()!
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]))
      if (fields['event'] !== undefined && fields['event'] !== 'heartbeat') waiting.push({ event: fields['event'], id: fields['id']!, data: JSON.parse(fields['data']!) as Told['data'] })
    }
  }
  await more()
  return {
    async take(count) {
      while (waiting.length < count) await more()
      return waiting.splice(0, count)
    },
    leave: () => leaving.abort(),
  }
}

function acknowledge(lookup: Lookup, cursor: string, name = 'copy'): Promise<Response> {
  return fetch(`${lookup.url}/v1/credit/changes/ack`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.reader}`, 'content-type': 'application/json' }, body: JSON.stringify({ cursor, name }) })
}

async function subscribers(lookup: Lookup): Promise<{ caller: string; name: string; notStopped: { records: number; since: string | null; complete: boolean } }[]> {
  const response = await fetch(`${lookup.url}/v1/credit/subscribers`, { headers: { authorization: `Bearer ${KEYS.operator}` } })
  return (await response.json() as { subscribers: never }).subscribers
}

async function listing(region: Region, no: string, version: number, fields: Record<string, unknown> = {}): Promise<Raw> {
  const record = sampleRecord('cn.yrd.credit_blacklist.CreditRecord')
  return log.version({ region, stream: 'credit-blacklist', no, version, fields: { ...record, eventId: randomUUID(), recordId: `t12315/${no}`, version, region, subject: { ...record['subject'] as object, uscc: FIRM }, ...fields } })
}
