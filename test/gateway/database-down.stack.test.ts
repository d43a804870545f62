import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDb } from '@hub/runtime/db'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'
import { openProxy, type Proxy } from './proxy.ts'

const NDJSON = 'application/x-ndjson'
let fixture: Fixture
let proxy: Proxy
let gateway: TestGateway

beforeAll(async () => {
  fixture = await openFixture()
  const directUrl = await fixture.database()
  proxy = await openProxy(directUrl)
  gateway = await startGateway(fixture, { databaseUrl: proxy.url, directUrl })
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await proxy?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

test.each(['cut', 'swallow'] as const)('while the database is away (%s) nothing is acknowledged: 503 with Retry-After; what is sent again afterwards is there once', { timeout: 60_000 }, async (how) => {
  const event = JSON.stringify(complaint({ recordId: `12315-zj/${how}` }))
  const lines = Array.from({ length: 3000 }, (_, i) => JSON.stringify(complaint({ recordId: `12315-zj/${how}-${i}` })))
  await eventually('the database is there', async () => (await fetch(`${gateway.url}/readyz`)).status === 200)
  const started = performance.now()
  const streamed = sendHalf(lines, () => proxy[how]())
  await streamed.away
  const single = gateway.publish('complaint', event)
  const array = gateway.publish('complaint', `[${event}]`)
  expect(await (await fetch(`${gateway.url}/readyz`)).json()).toMatchObject({ status: 'not ready', dependencies: expect.arrayContaining([expect.objectContaining({ name: 'gateway database', ok: false })]) })
  for (const answer of [await single, await array]) {
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('2')
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
  }
  expect(await streamed.answer).toMatchObject({ status: 503, retryAfter: '2', body: expect.stringContaining('COMMIT_UNAVAILABLE') })
  expect(performance.now() - started).toBeLessThan(15_000)

  proxy.restore()
  await eventually('published again', async () => [200, 201].includes((await gateway.publish('complaint', event)).status), 30_000)
  const { text } = await gateway.publish('complaint', lines.join('\n'), { type: NDJSON })
  const { summary } = JSON.parse(text.trimEnd().split('\n').at(-1)!)
  expect(summary).toMatchObject({ total: 3000, refused: 0, conflict: 0, stale: 0 })
  const { rows: [row] } = await gateway.db.query(`SELECT count(*) AS rows, count(DISTINCT key) AS keys, (SELECT count(*) FROM published WHERE record_id LIKE $1) AS published FROM outbox WHERE key LIKE $1`, [`12315-zj/${how}%`])
  expect(row).toEqual({ rows: 3001n, keys: 3001n, published: 3001n })
  const { rows: gaps } = await gateway.db.query(`SELECT h.topic, h.partition FROM outbox_head h WHERE next_sequence <> (SELECT count(*) FROM outbox o WHERE (o.topic, o.partition) = (h.topic, h.partition))`)
  expect(gaps).toEqual([])
})

test('connections that the server ends cost a publisher nothing but time', async () => {
  const answers = Promise.all(Array.from({ length: 300 }, (_, i) => gateway.publish('complaint', JSON.stringify(complaint({ recordId: `12315-zj/ended-${i}` })))))
  for (let i = 0; i < 5; i++) await gateway.db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gateway' AND datname = current_database()`)
  expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set([201]))
  const { rows: [row] } = await gateway.db.query(`SELECT count(*) AS rows FROM outbox WHERE key LIKE '12315-zj/ended-%'`)
  expect(row).toEqual({ rows: 300n })
})

test('a gateway that stops answers what it has taken in: no 201 without its row, and a streamed body is told to come again', async () => {
  const databaseUrl = await fixture.database()
  await using db = createDb({ url: databaseUrl, name: 'test', max: 1, log: fixture.log })
  const stopping = await startGateway(fixture, { databaseUrl })
  const sender = request(`${stopping.url}/v1/streams/complaint/events`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}`, 'content-type': NDJSON } })
  const answered = new Promise<number>((resolve, reject) => sender.on('response', ({ statusCode }) => resolve(statusCode!)).on('error', reject))
  sender.write(`${JSON.stringify(complaint({ recordId: '12315-zj/streamed' }))}\n`)
  await eventually('the first line', async () => (await db.query('SELECT 1 FROM outbox')).rowCount > 0)
  const sent = Array.from({ length: 200 }, (_, i) => stopping.publish('complaint', JSON.stringify(complaint({ recordId: `12315-zj/stopping-${i}` }))).then(({ status }) => ({ i, status }), () => ({ i, status: 0 })))
  await eventually('some of them', async () => (await db.query(`SELECT 1 FROM outbox WHERE key LIKE '12315-zj/stopping-%' LIMIT 1`)).rowCount > 0)
  const started = performance.now()
  await stopping[Symbol.asyncDispose]()
  expect(performance.now() - started).toBeLessThan(6_000)
  expect(await answered).toBe(503)
  const acknowledged = (await Promise.all(sent)).filter(({ status }) => status === 201).map(({ i }) => `12315-zj/stopping-${i}`)
  expect(acknowledged.length).toBeGreaterThan(0)
  const { rows } = await db.query<{ key: string }>('SELECT key FROM outbox')
  expect(rows.map(({ key }) => key)).toEqual(expect.arrayContaining(acknowledged))
})

/** Streams the first half of the lines, calls `away` once some of it is in the database, then sends the rest. */
function sendHalf(lines: string[], away: () => void): { away: Promise<void>; answer: Promise<{ status: number; retryAfter: string | undefined; body: string }> } {
  const sender = request(`${gateway.url}/v1/streams/complaint/events`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}`, 'content-type': NDJSON } })
  const answer = new Promise<{ status: number; retryAfter: string | undefined; body: string }>((resolve, reject) => {
    sender.on('error', reject).on('response', async (response) => {
      let body = ''
      for await (const chunk of response) body += String(chunk)
      resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'], body })
    })
  })
  answer.catch(() => {})
  const half = lines.length / 2
  sender.write(`${lines.slice(0, half).join('\n')}\n`)
  return {
    answer,
    away: eventually('half of it in the outbox', async () => (await gateway.db.query('SELECT 1 FROM outbox WHERE key = $1', [JSON.parse(lines[half - 1]!).recordId])).rowCount > 0).then(() => {
      away()
      sender.end(lines.slice(half).join('\n'))
    }),
  }
}
