import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BROKEN, broken } from '../data/broken.ts'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

const NDJSON = 'application/x-ndjson'
let fixture: Fixture
let gateway: TestGateway

beforeAll(async () => {
  fixture = await openFixture()
  gateway = await startGateway(fixture)
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

test('5 000 lines with twelve kinds of broken ones: each refusal names line, field and rule, the counts add up, and the same body again publishes nothing', async () => {
  const badAt = new Map(Array.from({ length: 120 }, (_, i) => [i * 41 + 7, BROKEN[i % BROKEN.length]!] as const))
  const body = Buffer.concat(Array.from({ length: 5000 }, (_, i) => {
    const bad = badAt.get(i)
    return Buffer.concat([bad === undefined ? Buffer.from(JSON.stringify(complaint({ recordId: `12315-zj/n${i}` }))) : broken(bad, 'zj', i), Buffer.from(i % 2 === 0 ? '\n' : '\r\n')])
  }))
  const rules: Record<(typeof BROKEN)[number], [field: string, rule: string]> = {
    'bad-json': ['', 'malformed-json'], 'unknown-field': ['complainantName', 'unknown-field'], 'missing-field': ['registeredOn', 'required'], 'wrong-type': ['disputedFen', 'type'],
    'bad-date': ['registeredOn', 'date'], 'wrong-region': ['region', 'wrong-region'], 'identity-record-id': ['recordId', 'identity'], 'too-long': ['legalBasis', 'too-long'],
    'bad-kind': ['kind', 'unknown-code'], 'nul-character': ['legalBasis', 'control-character'], 'lone-surrogate': ['legalBasis', 'lone-surrogate'], 'not-utf8': ['', 'invalid-utf8'],
  }
  const first = await send(body)
  expect(first.summary).toEqual({ accepted: 4880, 'new-version': 0, duplicate: 0, stale: 0, conflict: 0, refused: 120, total: 5000 })
  expect(first.verdicts.map(({ line }) => line)).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1))
  for (const [i, bad] of badAt) {
    const [field, rule] = rules[bad]
    expect(first.verdicts[i]).toMatchObject({ line: i + 1, verdict: 'refused', problems: expect.arrayContaining([expect.objectContaining({ field, rule })]) })
  }
  const written = await state()
  expect(written['outbox']).toBe(4880n)

  const again = await send(body)
  expect(again.summary).toEqual({ accepted: 0, 'new-version': 0, duplicate: 4880, stale: 0, conflict: 0, refused: 120, total: 5000 })
  expect(again.verdicts.map(({ eventId }) => eventId)).toEqual(first.verdicts.map(({ eventId }) => eventId))
  expect(await state()).toEqual(written)
})

test('a body that breaks off publishes its whole lines alone, gets no verdicts, and leaves nothing behind; the gateway goes on', async () => {
  const line = (n: number): string => JSON.stringify(complaint({ recordId: `12315-zj/broken-off-${n}` }))
  const sender = open({ 'content-type': NDJSON })
  sender.on('error', () => {})
  sender.write(`${line(1)}\n${line(2)}\n${line(3).slice(0, 100)}`)
  await eventually('two lines in the outbox', async () => (await keys('12315-zj/broken-off-%')).length === 2)
  sender.destroy()
  expect(await send(Buffer.from(`${line(1)}\n${line(2)}\n${line(3)}`))).toMatchObject({ summary: { duplicate: 2, accepted: 1, total: 3 } })
  await eventually('no spooled verdicts', async () => (await readdir(join(gateway.stateDir, 'verdicts'))).length === 0)
})

test('verdicts of a large body wait on disk and come in order, and their file goes away', async () => {
  const lines = Array.from({ length: 12_000 }, (_, i) => `{"recordId":"12315-zj/x${i}"}`)
  const { summary, verdicts } = await send(Buffer.from(lines.join('\n')))
  expect(summary).toMatchObject({ refused: 12_000, total: 12_000 })
  expect(createHash('sha256').update(verdicts.map(({ line }) => line).join()).digest('hex')).toBe(createHash('sha256').update(lines.map((_, i) => i + 1).join()).digest('hex'))
  await eventually('no spooled verdicts', async () => (await readdir(join(gateway.stateDir, 'verdicts'))).length === 0)
})

test('an empty body has a summary', async () => {
  expect(await send(Buffer.from('\n \n'))).toEqual({ verdicts: [], summary: expect.objectContaining({ total: 0 }) })
})

test('a line longer than an event may be is refused by its number, and the next one is taken', async () => {
  const { verdicts } = await send(Buffer.from(`{"recordId":"${'x'.repeat(400_000)}"}\n${JSON.stringify(complaint({ recordId: '12315-zj/after-long' }))}`))
  expect(verdicts).toMatchObject([{ line: 1, verdict: 'refused', problems: [{ rule: 'event-too-large' }] }, { line: 2, verdict: 'accepted' }])
})

test('one caller has no more than a few long bodies under way; the next is told to wait', async () => {
  const bodies = Array.from({ length: 8 }, () => open({ 'content-type': NDJSON }))
  for (const body of bodies) {
    body.on('error', () => {})
    body.write('{}\n')
  }
  await eventually('a refusal for now', async () => {
    const { status, retryAfter } = await stream('{}\n')
    return status === 429 && retryAfter !== null
  })
  for (const body of bodies) body.destroy()
  await eventually('slots given back', async () => (await stream('{}\n')).status === 200)
})

test('an endless body with a key that nobody knows is answered at once, and its connection is cut', { timeout: 20_000 }, async () => {
  const sender = request(`${gateway.url}/v1/streams/complaint/events`, { method: 'POST', headers: { authorization: 'Bearer nobody', 'content-type': NDJSON } })
  const answered = new Promise<number>((resolve, reject) => sender.on('response', (response) => resolve(response.resume().statusCode!)).on('error', reject))
  const cut = new Promise<void>((resolve) => sender.on('close', resolve).on('error', () => resolve()))
  const writing = setInterval(() => sender.write('x'.repeat(1000)), 5)
  const started = performance.now()
  expect(await answered).toBe(401)
  expect(performance.now() - started).toBeLessThan(2_000)
  await cut
  clearInterval(writing)
})

function open(headers: Record<string, string>) {
  return request(`${gateway.url}/v1/streams/complaint/events`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}`, ...headers } })
}

async function stream(text: string): Promise<{ status: number; retryAfter: string | null }> {
  const body = new ReadableStream({ start(controller) {
    controller.enqueue(Buffer.from(text))
    controller.close()
  } })
  const { status, headers } = await gateway.publish('complaint', body, { type: NDJSON })
  return { status, retryAfter: headers.get('retry-after') }
}

async function send(body: Buffer): Promise<{ verdicts: Record<string, any>[]; summary: Record<string, number> }> {
  const { status, text, headers } = await gateway.publish('complaint', body, { type: NDJSON })
  expect({ status, type: headers.get('content-type') }).toEqual({ status: 200, type: NDJSON })
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line))
  return { summary: lines.pop().summary, verdicts: lines }
}

async function state(): Promise<Record<string, bigint>> {
  const { rows: [row] } = await gateway.db.query<Record<string, bigint>>('SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM published) AS published, (SELECT sum(next_sequence)::bigint FROM outbox_head) AS heads')
  return row!
}

async function keys(pattern: string): Promise<string[]> {
  return (await gateway.db.query<{ key: string }>('SELECT key FROM outbox WHERE key LIKE $1', [pattern])).rows.map(({ key }) => key)
}
