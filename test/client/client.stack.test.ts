import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient, type Change } from '@hub/client'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { openTcpProxy, type TcpProxy } from '../tcp-proxy.ts'

const EVENTS = 600

let hub: Hub
/** Before zj's gateway. */
let proxy: TcpProxy

beforeAll(async () => {
  hub = await openHub({ regions: ['zj'] })
  const { hostname, port } = new URL(hub.url('zj'))
  proxy = await openTcpProxy({ host: hostname, port: Number(port) })
})

afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]()
  await hub?.[Symbol.asyncDispose]()
})

test('a feed through a connection that is cut again and again hands over every change once and in order, a snapshot goes before it', async () => {
  const reader = createClient({ url: `http://127.0.0.1:${proxy.port}`, key: hub.keys.reader, attempts: 10 })
  const events = [...complaints(EVENTS, 11, 'zj')]
  await hub.publish('zj', 'complaint', events.slice(0, EVENTS / 2))
  await hub.settled()

  const snapshot = await reader.snapshot('complaint')
  const held = new Map((await Array.fromAsync(snapshot)).map(({ recordId, version }) => [recordId, version]))
  const later = hub.publish('zj', 'complaint', events.slice(EVENTS / 2))
  const seen: Extract<Change, { op: 'put' | 'remove' }>[] = []
  for await (const change of reader.changes('complaint', { after: snapshot.cursor, signal: AbortSignal.timeout(40_000) })) {
    if (change.op === 'heartbeat') continue
    seen.push(change)
    if (seen.length % 25 === 0) proxy.cut()
    if (change.op === 'put') held.set(change.recordId, change.version)
    else held.delete(change.recordId)
    if (same(held, events)) break
  }
  await later
  const numbers = seen.map(({ cursor }) => Number(cursor.slice(cursor.lastIndexOf('-') + 1)))
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  expect(seen.length).toBeGreaterThan(50)
})

test('what is published through a connection that is lost is there once', async () => {
  const publisher = createClient({ url: `http://127.0.0.1:${proxy.port}`, key: hub.keys.publisher, attempts: 20 })
  const events = [...complaints(200, 12, 'zj')].map((event, i) => ({ ...event, recordId: `lost/${i}`, version: 1, kind: 'original' }))
  let cuts = 0
  const cutting = setInterval(() => { if (cuts++ < 10) proxy.cut() }, 20)
  try {
    const verdicts = await Promise.all(events.map((event) => publisher.publish('complaint', event as never)))
    expect(verdicts.filter(({ verdict }) => verdict !== 'accepted' && verdict !== 'duplicate')).toEqual([])
  } finally {
    clearInterval(cutting)
  }
  const { rows } = await hub.db('zj').query(`SELECT count(*) AS published FROM published WHERE record_id LIKE 'lost/%'`)
  expect(rows).toEqual([{ published: BigInt(events.length) }])
})

test('a cursor of another replica ends the feed with the path of a snapshot', async () => {
  const error = await hub.client('zj', 'reader').changes('complaint', { after: `${crypto.randomUUID()}-1` }).next().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ status: 410, code: 'CURSOR_GONE', snapshot: expect.stringContaining('/v1/streams/complaint/snapshot') })
})

test('a list hands over every record once, page after page, and what was refused can be asked for later', async () => {
  const ids = await Array.fromAsync(hub.client('zj', 'reader').list('complaint', { limit: 7 }), ({ recordId }) => recordId)
  const { rows } = await hub.db('zj').query<{ record_id: string }>('SELECT record_id FROM complaint WHERE NOT ended')
  expect(ids.toSorted()).toEqual(rows.map(({ record_id }) => record_id).toSorted())
  await hub.client('zj', 'publisher').publish('complaint', { recordId: 'refused/1', occurredOn: 'yesterday' } as never)
  const last = await eventually('the refusal', async () => (await hub.client('zj', 'publisher').verdicts({ outcome: 'refused' }).next()).value)
  expect(last).toMatchObject({ verdict: 'refused', problems: expect.arrayContaining([expect.objectContaining({ field: 'occurredOn' })]) })
})

/** Whether every record is held at the newest version published. */
function same(held: ReadonlyMap<string, string>, events: readonly { recordId: string; version: number }[]): boolean {
  const newest = new Map<string, number>()
  for (const { recordId, version } of events) newest.set(recordId, Math.max(version, newest.get(recordId) ?? 0))
  return held.size === newest.size && [...newest].every(([recordId, version]) => held.get(recordId) === String(version))
}
