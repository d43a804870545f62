import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFeed } from '@hub/gateway/feed/feed'
import { changeRoutes } from '@hub/gateway/routes/changes'
import { addComponents } from '@hub/gateway/openapi/document'
import { createHttp } from '@hub/runtime/http'
import { createMetrics, type Metrics } from '@hub/runtime/metrics'
import type { DataStream, Region } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { seeded, between } from '../data/random.ts'
import { openLog, type Log, type Raw } from '../replicator/log.ts'
import { openReplica, type Replica, type Running } from '../replicator/replica.ts'
import { parseSnapshot, readFeed, type Snapshot, type Told } from './reader.ts'

const HERE = 'js'
const READERS = 50

let fixture: Fixture
let log: Log
let replica: Replica
let running: Running
let server: Server

interface Server extends AsyncDisposable {
  readonly url: string
  readonly metrics: Metrics
  /** As a gateway that stops. */
  stop(): void
}

beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  replica = await openReplica(fixture, HERE)
  running = await replica.start()
  server = await serve(HERE)
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await replica?.[Symbol.asyncDispose]()
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

/** The routes of the feed alone, for a reader of this region's bureau; every key is one's own. */
async function serve(region: Region, stallMs = 30_000): Promise<Server> {
  const metrics = createMetrics({})
  const closing = new AbortController()
  const feed = createFeed({ databaseUrl: replica.databaseUrl, codec: log.codec, log: fixture.log, metrics, closing: closing.signal, stallMs })
  const http = await createHttp({
    log: fixture.log, metrics, title: 'feed', host: '127.0.0.1', port: 0, readiness: async () => [],
    authenticate: (hash) => ({ id: hash.toString('hex'), organisation: '测试', roles: ['reader'], sources: [], authorities: [] }),
    routes(app) {
      addComponents(app)
      changeRoutes(feed, region)(app)
    },
  })
  return {
    url: http.url, metrics,
    stop: () => closing.abort(),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await http[Symbol.asyncDispose]()
      await feed[Symbol.asyncDispose]()
    },
  }
}

const at = (path: string, to = server): string => `${to.url}/v1/streams/${path}`
const ask = async (path: string, to = server): Promise<{ status: number; body: any }> => {
  const response = await fetch(at(path, to), { headers: { authorization: 'Bearer reader' } })
  return { status: response.status, body: await response.json() }
}
const snapshotOf = async (stream: string, to = server): Promise<Snapshot> => {
  const response = await fetch(at(`${stream}/snapshot`, to), { headers: { authorization: 'Bearer reader' } })
  return parseSnapshot(await response.text())
}
const counted = async (name: string): Promise<number> => ((await server.metrics.registry.getSingleMetric(name)!.get()).values as { value: number }[]).reduce((sum, { value }) => sum + value, 0)

async function apply(events: readonly Raw[]): Promise<void> {
  await replica.reaches(await log.append(events))
}

/** What the feed of a stream must be for somebody who sees everything: every version that the replica has a change number for, in order. */
async function history(stream: DataStream, table: string, above = 0): Promise<string[]> {
  const { rows } = await replica.db.query<{ change_no: bigint; record_id: string; version: bigint; ended: boolean }>(
    `SELECT change_no, record_id, version, ended FROM ${table} WHERE change_no > $1
      UNION ALL SELECT change_no, record_id, version, ended FROM history WHERE stream = $2 AND change_no > $1 ORDER BY change_no`, [above, stream])
  return rows.map(({ change_no: change, record_id: id, version, ended }) => `${change} ${ended ? 'remove' : 'put'} ${id} ${version}`)
}
const line = ({ event, data }: Told): string => `${data.cursor.split('-').at(-1)} ${event} ${data.recordId} ${data.version}`

async function tip(): Promise<{ replica: string; change: number }> {
  const { rows: [row] } = await replica.db.query<{ replica: string; change: bigint }>('SELECT replica_id::text AS replica, next_change - 1 AS change FROM applier')
  return { replica: row!.replica, change: Number(row!.change) }
}

/** Versions of some records, mixed, some of which end and come back. */
async function* versions(seed: number, prefix: string, records: number): AsyncGenerator<Raw[], never> {
  const random = seeded(seed)
  const newest = new Map<string, number>()
  for (;;) {
    const events: Raw[] = []
    for (let i = 0; i < 50; i++) {
      const region = (['sh', 'zj', 'ah'] as const)[between(random, 0, 2)]!
      const no = `${prefix}-${between(random, 1, records)}`
      const version = (newest.get(region + no) ?? 0) + 1
      newest.set(region + no, version)
      events.push(await log.version({ region, no, version, kind: between(random, 1, 12) === 1 ? 'void' : 'follow-up' }))
    }
    yield events
  }
}

/** Puts so many batches of fifty on the log and waits until they are applied. */
async function publish(batches: AsyncGenerator<Raw[], never>, count: number): Promise<void> {
  const places: Awaited<ReturnType<Log['append']>> = []
  for (let n = 0; n < count; n++) places.push(...await log.append((await batches.next()).value))
  await replica.reaches(places)
}

test('a reader that is killed and resumed a hundred times under load is told every change in order, none twice, none missing', async () => {
  const from = await tip()
  const random = seeded(2)
  let kills = 0
  const load = (async () => {
    for (let version = 1; kills < 100; version++) {
      for (let part = 0; part < 10 && kills < 100; part++) await apply(await Promise.all(Array.from({ length: 30 }, (_, n) => log.version({ no: `killed-${part * 30 + n}`, version }))))
    }
  })()
  const told: string[] = []
  let cursor = `${from.replica}-${from.change}`
  const read = async (enough: () => boolean): Promise<void> => {
    for await (const one of readFeed(at('complaint/changes?after=now'), { key: 'killed', lastEventId: cursor })) {
      cursor = one.id
      if (one.event !== 'heartbeat') told.push(line(one))
      if (enough()) return
    }
  }
  while (kills < 100) {
    let left = between(random, 1, 40)
    await read(() => --left < 0)
    kills++
  }
  await load
  const expected = await history('complaint', 'complaint', from.change)
  if (told.length < expected.length) await read(() => told.length >= expected.length)
  expect(told).toEqual(expected)
}, 120_000)

test('a snapshot, and the feed from its cursor while events flow, give the current state', async () => {
  const batches = versions(3, 'model', 700)
  await publish(batches, 60)
  const before = await tip()
  const load = publish(batches, 60)
  await eventually('changes under way', async () => (await tip()).change > before.change)
  const snapshot = await snapshotOf('complaint')
  expect(snapshot.whole).toBe(true)
  // More than one page, and more to come.
  expect(snapshot.records.length).toBeGreaterThan(1_000)
  const model = new Map(snapshot.records.map(({ region, recordId, version }) => [`${region} ${recordId}`, version]))
  await load
  const { change } = await tip()
  let cursor = snapshot.head.cursor
  for (let done = false; !done;) {
    const { status, body } = await ask(`complaint/changes?limit=73&after=${cursor}`)
    expect(status).toBe(200)
    for (const { op, region, recordId, version } of body.changes) {
      if (op === 'put') model.set(`${region} ${recordId}`, version)
      else model.delete(`${region} ${recordId}`)
    }
    cursor = body.next
    done = body.upToDate && Number(cursor.split('-').at(-1)) >= change
  }
  expect(change).toBeGreaterThan(Number(snapshot.head.cursor.split('-').at(-1)))
  const { rows } = await replica.db.query<{ region: string; record_id: string; version: bigint }>('SELECT region, record_id, version FROM complaint WHERE NOT ended')
  expect(model).toEqual(new Map(rows.map(({ region, record_id: id, version }) => [`${region} ${id}`, String(version)])))
}, 60_000)

test('an ended record is told to be dropped, and its older entries are gone', async () => {
  const from = await tip()
  for (const version of [1, 2]) await apply([await log.version({ no: 'ends', version })])
  const before = await ask(`complaint/changes?after=${from.replica}-${from.change}`)
  expect(before.body.changes.map(({ op, version }: { op: string; version: string }) => [op, version])).toEqual([['put', '1'], ['put', '2']])
  await apply([await log.version({ no: 'ends', version: 3, kind: 'erasure' })])
  const after = await ask(`complaint/changes?after=${from.replica}-${from.change}`)
  expect(after.body.changes).toEqual([{ cursor: expect.any(String), op: 'remove', region: 'zj', recordId: 't12315/ends', version: '3' }])
  expect((await snapshotOf('complaint')).records.some(({ recordId }) => recordId === 't12315/ends')).toBe(false)
})

const failure = (no: string, version: number, publication: string, party: Region): Promise<Raw> => log.version({
  stream: 'inspection-failure', no, version,
  fields: { inspectionKind: 'food', product: { name: '糕点' }, publication, parties: [{ role: 'nominal-producer', region: party }] },
})
const told = async (path: string, to = server): Promise<[op: string, version: string, reach?: string][]> =>
  (await ask(path, to)).body.changes.map(({ op, version, reach }: { op: string; version: string; reach?: string }) => (reach === undefined ? [op, version] : [op, version, reach]))

describe('an inspection failure', () => {
  test('that is not published is in the feed of the regions involved alone; published it comes to the others as a put, unpublished again as a remove', async () => {
    const from = await tip()
    const after = `inspection-failure/changes?after=${from.replica}-${from.change}`
    await using anhui = await serve('ah')
    await apply([await failure('quiet', 1, 'pending', 'ah')])
    await apply([await failure('quiet', 2, 'pending', 'ah')])
    expect(await told(after)).toEqual([])
    expect(await told(after, anhui)).toEqual([['put', '1', 'action'], ['put', '2', 'action']])
    await apply([await failure('quiet', 3, 'published', 'ah')])
    expect(await told(after)).toEqual([['put', '3', 'attention']])
    expect((await snapshotOf('inspection-failure')).records.map(({ recordId }) => recordId)).toEqual(['t12315/quiet'])
    await apply([await failure('quiet', 4, 'withdrawn', 'ah')])
    await apply([await failure('quiet', 5, 'withdrawn', 'ah')])
    expect(await told(after)).toEqual([['remove', '4']])
    expect((await snapshotOf('inspection-failure')).records).toEqual([])
    expect((await told(after, anhui)).map(([op]) => op)).toEqual(['put', 'put', 'put', 'put', 'put'])
  })

  test('is found by the regions of its parties and their part; where it no longer concerns them, it is removed', async () => {
    const from = await tip()
    const after = `after=${from.replica}-${from.change}`
    for (const [version, party] of [[1, 'sh'], [2, HERE]] as const) await apply([await failure('moves', version, 'published', party)])
    expect(await told(`inspection-failure/changes?${after}&involves=sh&role=producer`)).toEqual([['put', '1', 'attention'], ['remove', '2']])
    expect(await told(`inspection-failure/changes?${after}&involves=${HERE}&role=producer`)).toEqual([['put', '2', 'action']])
    expect(await told(`inspection-failure/changes?${after}&involves=sh&role=sampled-unit`)).toEqual([])
    expect(await told(`inspection-failure/changes?${after}&region=ah`)).toEqual([])
    expect((await ask(`complaint/changes?${after}&involves=sh`)).body).toMatchObject({ status: 400, code: 'FILTER_UNKNOWN' })
  })
})

test('a listing that is shielded or removed by a date in it is told to be dropped; one that was never to be shown is not told of', async () => {
  const from = await tip()
  const listing = (no: string, version: number, fields: Record<string, unknown>): Promise<Raw> => log.version({ stream: 'credit-blacklist', no, version, fields: { recordType: 'listing', listType: 'abnormal', subject: { name: '某公司' }, publication: 'published', ...fields } })
  for (const event of [
    await listing('shielded', 1, {}), await listing('shielded', 2, { shield: { from: 20_000 } }), await listing('shielded', 3, { shield: { from: 20_000 } }), await listing('shielded', 4, {}),
    await listing('past', 1, { until: 40_000 }), await listing('past', 2, { until: 20_000 }),
    await listing('never', 1, { publication: 'pending' }), await listing('never', 2, { publication: 'not-publishable' }),
  ]) await apply([event])
  const { body } = await ask(`credit-blacklist/changes?after=${from.replica}-${from.change}`)
  expect(body.changes.map(({ op, recordId, version }: { op: string; recordId: string; version: string }) => `${op} ${recordId.slice(7)} ${version}`)).toEqual([
    'put shielded 1', 'remove shielded 2', 'remove shielded 3', 'put shielded 4', 'remove past 2',
  ])
  for (const { op, ...told } of body.changes) if (op === 'remove') expect(Object.keys(told).sort()).toEqual(['cursor', 'recordId', 'region', 'version'])
  expect((await snapshotOf('credit-blacklist')).records.map(({ recordId }) => recordId)).toEqual(['t12315/shielded'])
  await using origin = await serve('zj')
  expect((await ask(`credit-blacklist/changes?after=${from.replica}-${from.change}`, origin)).body.changes).toHaveLength(8)
})

describe('a cursor', () => {
  test('that is none, lies beyond the end, or is of another replica is refused with what to do', async () => {
    const { replica: id, change } = await tip()
    for (const cursor of ['x', `${id}`, `${id}-`, `${id}--1`, `${id}-1e3`, '-1']) expect((await ask(`complaint/changes?after=${cursor}`)).body).toMatchObject({ status: 400, code: 'CURSOR_INVALID' })
    expect((await ask(`complaint/changes?after=${id}-${change + 1_000_000}`)).body).toMatchObject({ status: 400, code: 'CURSOR_AHEAD' })
    const other = `5b0f4f0e-0d0c-4b1f-9a76-0c6f1f4d2a11-${change}`
    expect((await ask(`complaint/changes?after=${other}&region=zj`)).body).toMatchObject({ status: 410, code: 'CURSOR_GONE', snapshot: '/v1/streams/complaint/snapshot?region=zj' })
    await expect(readFeed(at('complaint/changes'), { key: 'other', lastEventId: other }).next()).rejects.toThrow(/^410 .*CURSOR_GONE/)
  })

  test('from before what history still has is refused; the feed is whole from the newest number of that time on', async () => {
    const before = await tip()
    for (const version of [1, 2]) await apply([await log.version({ no: 'trimmed', version })])
    // Another process of the replica, which keeps nothing: what it forgets on its start is what an hourly trim forgets.
    await using trimming = await replica.start({ historyMonths: 0 })
    await eventually('history is trimmed', async () => !(await history('complaint', 'complaint', before.change)).some((one) => one.endsWith('trimmed 1')))
    expect(trimming.failed).toEqual([])
    for (const after of ['', `after=${before.replica}-${before.change}`]) expect((await ask(`complaint/changes?${after}`)).body).toMatchObject({ status: 410, code: 'CURSOR_GONE' })
    const now = await tip()
    await apply([await log.version({ no: 'trimmed', version: 3 })])
    expect((await ask(`complaint/changes?after=${now.replica}-${now.change}`)).body.changes).toMatchObject([{ op: 'put', recordId: 't12315/trimmed', version: '3' }])
  })
})

test('a live reader is told its place at once, and goes on where Last-Event-ID says rather than ?after', async () => {
  const from = await tip()
  for (const version of [1, 2, 3]) await apply([await log.version({ no: 'resume', version })])
  const expected = await history('complaint', 'complaint', from.change)
  const first: Told[] = []
  for await (const one of readFeed(at(`complaint/changes?after=${from.replica}-${from.change}`), { key: 'resume' })) if (first.push(one) === 3) break
  expect(first.map(({ event }) => event)).toEqual(['heartbeat', 'put', 'put'])
  expect(first[0]!.id).toBe(`${from.replica}-${from.change}`)
  for await (const one of readFeed(at(`complaint/changes?after=${from.replica}-${from.change}`), { key: 'resume', lastEventId: first[2]!.id })) {
    if (one.event === 'heartbeat') continue
    expect(line(one)).toBe(expected[2])
    break
  }
})

test(`${READERS} live readers are told every change, and share the work`, async () => {
  const from = await tip()
  const before = await counted('hub_gateway_feed_changes_total')
  const ended = new AbortController()
  const lists = Array.from({ length: READERS }, (): string[] => [])
  let ready = 0
  const reading = lists.map(async (list) => {
    for await (const one of readFeed(at('complaint/changes?after=now'), { key: 'shared', signal: ended.signal })) {
      if (one.event === 'heartbeat') ready++
      else list.push(line(one))
    }
  })
  const settled = Promise.allSettled(reading)
  await eventually('all readers are there', () => ready >= READERS)
  await publish(versions(4, 'shared', 300), 8)
  const expected = await history('complaint', 'complaint', from.change)
  await eventually('all readers have the end', () => lists.every((list) => list.includes(expected.at(-1)!)))
  ended.abort()
  await settled
  const most = Math.max(...lists.map((list) => list.length))
  for (const list of lists) expect(list).toEqual(lists[0])
  expect(most).toBeGreaterThanOrEqual(expected.length)
  expect((await counted('hub_gateway_feed_changes_total')) - before).toBeLessThan(most * READERS / 5)
}, 60_000)

test('no caller has more live readers than its share', async () => {
  const ended = new AbortController()
  const readers = Array.from({ length: 64 }, () => readFeed(at('tally/changes?after=now'), { key: 'greedy', signal: ended.signal }))
  await Promise.all(readers.map((reader) => reader.next()))
  await expect(readFeed(at('tally/changes?after=now'), { key: 'greedy' }).next()).rejects.toThrow(/^429 .*TOO_MANY_READERS/)
  expect((await readFeed(at('tally/changes?after=now'), { key: 'modest', signal: ended.signal }).next()).value).toMatchObject({ event: 'heartbeat' })
  ended.abort()
  await Promise.allSettled(readers.map((reader) => reader.return()))
})

describe('a reader that does not read', () => {
  beforeAll(async () => {
    const places: Awaited<ReturnType<Log['append']>> = []
    for (let n = 0; n < 14_000; n += 500) places.push(...await log.append(await Promise.all(Array.from({ length: 500 }, (_, i) => log.version({ no: `bulk-${n + i}`, version: 1 })))))
    await replica.reaches(places)
  }, 60_000)

  test.each(['changes', 'snapshot'] as const)('of %s is cut, and others are not', async (what) => {
    await using impatient = await serve(HERE, 300)
    const socket = connect(Number(new URL(impatient.url).port), '127.0.0.1')
    socket.on('error', () => {}).pause()
    const { replica: id, change } = await tip()
    const { rows: [floor] } = await replica.db.query<{ n: bigint }>('SELECT change_no AS n FROM change_mark ORDER BY at LIMIT 1')
    const after = `${id}-${floor!.n}`
    socket.write(`GET /v1/streams/complaint/${what}${what === 'changes' ? `?after=${after}` : ''} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer slow\r\naccept: ${what === 'changes' ? 'text/event-stream' : '*/*'}\r\n\r\n`)
    let last = 0
    for await (const one of readFeed(at(`complaint/changes?after=${after}`, impatient), { key: 'fast' })) {
      last = Number(one.id.split('-').at(-1))
      if (last >= change - 1) break
    }
    await eventually('the slow one is cut', async () => ((await impatient.metrics.registry.getSingleMetric('hub_gateway_feed_cut_total')!.get()).values as { value: number; labels: { what: string } }[]).some(({ value, labels }) => labels.what === what && value === 1))
    socket.destroy()
  }, 60_000)

  test('of a snapshot that breaks off can tell: there is no summary', async () => {
    const response = await fetch(at('complaint/snapshot'), { headers: { authorization: 'Bearer reader', 'accept-encoding': 'identity' } })
    const chunks: string[] = []
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) if (chunks.push(chunk) === 3) break
    const text = chunks.join('')
    expect(parseSnapshot(`${text.slice(0, text.lastIndexOf('\n'))}\n`).whole).toBe(false)
  })
})

test('before the replica has tables there is nothing to read', async () => {
  await using empty = await openReplica(fixture, 'ah')
  const feed = createFeed({ databaseUrl: empty.databaseUrl, codec: log.codec, log: fixture.log, metrics: createMetrics({}), closing: new AbortController().signal })
  const selection = { stream: 'tally', viewer: { kind: 'operator' }, region: undefined, involves: undefined, role: undefined } as const
  await expect(feed.page(selection, undefined, 10)).rejects.toMatchObject({ status: 503, code: 'REPLICA_MISSING' })
  await feed[Symbol.asyncDispose]()
})

test('a gateway that stops ends its streams in order, with a word', async () => {
  await using stopping = await serve(HERE)
  const response = await fetch(at('tally/changes?after=now', stopping), { headers: { authorization: 'Bearer reader', accept: 'text/event-stream' } })
  stopping.stop()
  const text = await response.text()
  expect(text).toMatch(/^retry: 2000\n\nid: \S+\nevent: heartbeat\n/)
  expect(text).toMatch(/\n: .*Last-Event-ID\n\n$/)
  expect(running.failed).toEqual([])
})
