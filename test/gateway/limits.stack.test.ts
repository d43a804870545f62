import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'
import { documentOf } from './openapi.ts'

const NDJSON = 'application/x-ndjson'
/** Room for some ten events. */
const SMALL = { outboxMaxBytes: 10_000 }
let fixture: Fixture

beforeAll(async () => {
  fixture = await openFixture()
})

afterAll(() => fixture?.[Symbol.asyncDispose]())

test('with the outbox full new events are refused and those acknowledged stay; as soon as the relay has sent them there is room again', { timeout: 30_000 }, async () => {
  await using gateway = await startGateway(fixture, { config: SMALL })
  let accepted = 0
  const refused = await eventually('a refusal', async () => {
    const answer = await publish(gateway, `full-${accepted}`)
    if (answer.status === 201) accepted++
    return answer.status === 503 ? answer : undefined
  })
  expect([JSON.parse(refused.text), refused.headers.get('retry-after')]).toMatchObject([{ code: 'OUTBOX_FULL', detail: expect.stringContaining('What was acknowledged stays') }, '30'])
  expect(await outboxRows(gateway)).toBe(accepted)
  expect(JSON.parse((await gateway.publish('complaint', JSON.stringify(complaint({ recordId: '12315-zj/rehearsed' })), { query: '?dryRun=true' })).text)).toMatchObject({ verdict: 'accepted' })
  const ready = await fetch(`${gateway.url}/readyz`)
  expect([ready.status, (await ready.json() as { dependencies: object[] }).dependencies]).toEqual([200, expect.arrayContaining([expect.objectContaining({ name: 'outbox', ok: false, detail: expect.stringContaining('HUB_OUTBOX_MAX_BYTES') })])])

  await sent(gateway)
  await eventually('room again', async () => (await publish(gateway, 'after')).status === 201)
  expect(await outboxRows(gateway)).toBe(accepted + 1)
})

test('a streamed body is not read further once the outbox is full: what was read is published and told, and from which line to go on', { timeout: 30_000 }, async () => {
  await using gateway = await startGateway(fixture, { region: 'zj', config: SMALL })
  const line = (n: number): string => `${JSON.stringify(complaint({ recordId: `12315-zj/under-way-${n}` }))}\n`
  const sender = request(`${gateway.url}/v1/streams/complaint/events`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}`, 'content-type': NDJSON } })
  const answered = once(sender, 'response') as Promise<[IncomingMessage]>
  sender.on('error', () => {})
  sender.write(Array.from({ length: 40 }, (_, i) => line(i)).join(''))
  await eventually('the outbox is full', async () => (await (await fetch(`${gateway.url}/readyz`)).text()).includes('HUB_OUTBOX_MAX_BYTES'))
  sender.write(line(40))
  const [response] = await answered
  const answer = await text(response)
  const document = await (await fetch(`${gateway.url}/openapi.json`)).json() as Parameters<typeof documentOf>[0]
  expect(documentOf(document).faults('POST /v1/streams/{stream}/events', 503, NDJSON, answer)).toEqual([])
  const lines = answer.trimEnd().split('\n').map((one) => JSON.parse(one) as Record<string, any>)
  expect([response.statusCode, response.headers['content-type'], response.headers['retry-after']]).toEqual([503, NDJSON, '30'])
  expect(lines.pop()).toEqual({
    summary: { accepted: 41, 'new-version': 0, duplicate: 0, stale: 0, conflict: 0, refused: 0, total: 41 },
    stopped: { status: 503, code: 'OUTBOX_FULL', title: expect.any(String), detail: expect.any(String), fromLine: 42 },
  })
  expect(lines.map(({ line: at, verdict }) => [at, verdict])).toEqual(Array.from({ length: 41 }, (_, i) => [i + 1, 'accepted']))
  expect(await outboxRows(gateway)).toBe(41)
  sender.destroy()
})

test('a caller that sends faster than it may is told to wait, and is not charged for what others send', async () => {
  await using gateway = await startGateway(fixture, { config: { requestsPerSecond: 1 } })
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => publish(gateway, `eager-${i}`)))
  const refused = answers.filter(({ status }) => status === 429)
  expect(refused.length).toBeGreaterThan(0)
  expect([JSON.parse(refused[0]!.text).code, refused[0]!.headers.get('retry-after')]).toEqual(['TOO_MANY_REQUESTS', '1'])
  expect(await outboxRows(gateway)).toBe(40 - refused.length)
  expect((await gateway.get('/v1/parked', KEYS.operator)).status).not.toBe(429)
})

function publish(gateway: TestGateway, record: string) {
  return gateway.publish('complaint', JSON.stringify(complaint({ recordId: `12315-zj/${record}` })))
}

/** As if the relay had brought everything to the log. */
async function sent({ db }: TestGateway): Promise<void> {
  await db.query('INSERT INTO relay_position (topic, partition, last_sequence) SELECT topic, partition, next_sequence - 1 FROM outbox_head ON CONFLICT (topic, partition) DO UPDATE SET last_sequence = excluded.last_sequence')
}

async function outboxRows({ db }: TestGateway): Promise<number> {
  return Number((await db.query<{ count: bigint }>('SELECT count(*) FROM outbox')).rows[0]!.count)
}
