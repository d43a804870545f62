import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { createClient, GatewayError, type Client, type TallyEvent } from './index.ts'
import { pauseBefore } from './transport.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

const EVENT: TallyEvent = { recordId: 'a/1', kind: 'original', authority: {}, occurredOn: '2026-01-01', tallyType: 'report', day: '2026-01-01', count: 1 } as TallyEvent
const VERDICT = { recordId: 'a/1', verdict: 'accepted', eventId: 'e', version: 1, flags: [], receipt: '/v1/receipts/e' }
let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A server that gives these answers, one per request; the last again and again. Counts what it was asked. */
async function answering(...answers: Answer[]): Promise<{ client: Client; asked: () => number }> {
  let asked = 0
  server = createServer((request, response) => void answers[Math.min(asked++, answers.length - 1)]!(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { client: createClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, key: 'k', attempts: 3 }), asked: () => asked }
}

const json = (status: number, value: unknown, headers: Record<string, string> = {}): Answer => async (request, response) => {
  await text(request)
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers }).end(JSON.stringify(value))
}
const problem = (status: number, code: string, headers?: Record<string, string>): Answer => json(status, { type: 't', title: '中 · en', status, code, detail: 'do this', instance: 'i' }, headers)
const lost: Answer = (request) => void request.socket.destroy()

describe('what may be sent again is sent again', () => {
  test('a file that can be opened anew, where the gateway is busy; one that cannot is not', async () => {
    const busy = problem(503, 'OVERLOADED', { 'retry-after': '0' })
    const bodies: string[] = []
    const taken: Answer = async (request, response) => {
      bodies.push(await text(request))
      response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ id: 'i' }))
    }
    const { client, asked } = await answering(busy, taken)
    expect(await client.importFile('a', () => [Buffer.from('one,'), Buffer.from('two')])).toEqual({ id: 'i' })
    expect([asked(), bodies]).toEqual([2, ['one,two']])
    server!.close()
    const once = await answering(busy, taken)
    await expect(once.client.importFile('a', [Buffer.from('one')])).rejects.toMatchObject({ code: 'OVERLOADED' })
    expect(once.asked()).toBe(1)
  })

  test.each([['503', problem(503, 'COMMIT_UNAVAILABLE', { 'retry-after': '0' })], ['429', problem(429, 'TOO_MANY', { 'retry-after': '0' })], ['a lost connection', lost]])('after %s', async (_what, first) => {
    const { client, asked } = await answering(first, json(201, VERDICT))
    expect(await client.publish('tally', EVENT)).toEqual(VERDICT)
    expect(asked()).toBe(2)
  })

  test('as often as agreed and no more; then the last refusal is told', async () => {
    const { client, asked } = await answering(problem(503, 'DEPENDENCY_DOWN', { 'retry-after': '0' }))
    await expect(client.position()).rejects.toMatchObject({ status: 503, code: 'DEPENDENCY_DOWN', retryAfter: 0 })
    expect(asked()).toBe(3)
  })

  test('never sooner than the gateway asks, later with every attempt, never later than a bound', () => {
    expect(pauseBefore(1, 7)).toBeGreaterThanOrEqual(7_000)
    for (let attempt = 1; attempt < 40; attempt++) expect(pauseBefore(attempt, undefined)).toBeLessThanOrEqual(10_000)
    expect(pauseBefore(5, undefined)).toBeGreaterThan(pauseBefore(1, undefined))
    expect(pauseBefore(1, 1e9)).toBeLessThan(61_000)
  })
})

test.each([400, 401, 403, 404, 410, 413, 500])('a %i is told at once, with code, title, what to do and what else it says', async (status) => {
  const { client, asked } = await answering(json(status, { title: '中 · en', code: 'SOME_CODE', detail: 'do this', snapshot: '/v1/x' }))
  const error = await client.position().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(GatewayError)
  expect(error).toMatchObject({ status, code: 'SOME_CODE', title: '中 · en', detail: 'do this', snapshot: '/v1/x' })
  expect(asked()).toBe(1)
})

test('an answer that is no problem document still is an error with its status', async () => {
  const { client } = await answering((_request, response) => void response.writeHead(502).end('<html>bad gateway</html>'))
  await expect(client.position()).rejects.toMatchObject({ status: 502, code: 'HTTP_502' })
})

test('a refused or conflicting event is a verdict and no error', async () => {
  const refused = { verdict: 'refused', flags: [], problems: [{ field: 'day', rule: 'date', expected: 'YYYY-MM-DD', zh: '', en: '' }] }
  const { client } = await answering(json(422, refused, { 'content-type': 'application/json' }))
  expect(await client.publish('tally', EVENT)).toEqual(refused)
})

test('a gateway that is not there is named, with its address', async () => {
  await expect(createClient({ url: 'http://127.0.0.1:1', attempts: 1 }).position()).rejects.toMatchObject({ code: 'UNREACHABLE', status: undefined, gateway: 'http://127.0.0.1:1' })
})

test('one that says nothing is given up', async () => {
  const { client } = await answering(() => {})
  const impatient = createClient({ url: client.gateway, attempts: 1, silenceMs: 50 })
  await expect(impatient.position()).rejects.toMatchObject({ code: 'UNREACHABLE', detail: 'no byte for 50 ms' })
})

describe('NDJSON', () => {
  const summary = { accepted: 2, 'new-version': 0, duplicate: 0, stale: 0, conflict: 0, refused: 0, total: 2 }
  const verdicts = `${JSON.stringify({ ...VERDICT, line: 1 })}\n${JSON.stringify({ ...VERDICT, line: 2 })}\n`

  test('is sent as it comes; the verdicts are read one by one and the summary last, whatever the pieces they come in', async () => {
    let sent = ''
    const { client } = await answering(async (request, response) => {
      sent = await text(request)
      for (const byte of Buffer.from(`${verdicts}{"summary":${JSON.stringify(summary)}}\n`)) response.write(Buffer.of(byte))
      response.end()
    })
    const answer = await client.publishLines('tally', Readable.from(['{"a":"杭', '州"}\n', '{}\n']))
    const lines: unknown[] = []
    for await (const { line } of answer) lines.push(line)
    expect([lines, await answer.summary(), sent]).toEqual([[1, 2], summary, '{"a":"杭州"}\n{}\n'])
  })

  test('the summary can be had without the verdicts', async () => {
    const { client } = await answering((_request, response) => void response.end(`${verdicts}{"summary":${JSON.stringify(summary)}}`))
    expect(await (await client.publishLines('tally', ['{}\n'])).summary()).toEqual(summary)
  })

  test.each([
    ['ends', (response: ServerResponse) => void response.end(verdicts)],
    ['breaks off', (response: ServerResponse) => response.write(verdicts, () => response.destroy())],
  ])('an answer that %s before its summary is an error that says what to do', async (_how, end) => {
    const { client } = await answering((_request, response) => void end(response.writeHead(200)))
    const answer = await client.publishLines('tally', ['{}\n'])
    await expect(answer.summary()).rejects.toMatchObject({ code: 'ANSWER_BROKEN' })
  })

  test('a body that was not read to its end has its verdicts, and then an error that says from which line to go on', async () => {
    const stopped = { status: 503, code: 'OUTBOX_FULL', title: '满 · full', detail: 'later', fromLine: 3 }
    const { client } = await answering((request, response) => {
      request.resume()
      response.writeHead(503, { 'content-type': 'application/x-ndjson', 'retry-after': '30' }).end(`${verdicts}${JSON.stringify({ summary, stopped })}\n`)
    })
    const answer = await client.publishLines('tally', ['{}\n', '{}\n', '{}\n'])
    const lines: unknown[] = []
    await expect((async () => { for await (const { line } of answer) lines.push(line) })()).rejects.toMatchObject({ status: 503, code: 'OUTBOX_FULL', more: { fromLine: 3, summary } })
    expect(lines).toEqual([1, 2])
  })

  test('a refused key is told although the body never ends', async () => {
    const { client } = await answering((_request, response) => void response.writeHead(401, { 'content-type': 'application/problem+json' }).end('{"code":"KEY_UNKNOWN"}'))
    const endless = new Readable({ read() { setImmediate(() => this.push('{}\n')) } })
    await expect(client.publishLines('tally', endless)).rejects.toMatchObject({ code: 'KEY_UNKNOWN' })
    expect(endless.destroyed).toBe(true)
  })
})

describe('waiting for an event to arrive', () => {
  const receipt = (...states: string[]): Answer => json(200, { eventId: 'e', regions: ['sh', 'zj'].map((region, i) => ({ region, state: states[i] })) })

  test('ends when no region waits for it, whatever became of it there', async () => {
    const { client, asked } = await answering(receipt('waiting', 'waiting'), receipt('arrived', 'waiting'), receipt('arrived', 'parked'))
    expect((await client.waitUntilArrived('e')).regions.map(({ state }) => state)).toEqual(['arrived', 'parked'])
    expect(asked()).toBe(3)
  })

  test('in some regions alone does not wait for the others', async () => {
    const { client } = await answering(receipt('arrived', 'waiting'))
    expect((await client.waitUntilArrived('e', { regions: ['sh'] })).regions[1]).toMatchObject({ state: 'waiting' })
  })

  test('ends at its deadline and names who lacks it', async () => {
    const { client } = await answering(receipt('arrived', 'waiting'))
    await expect(client.waitUntilArrived('e', { deadlineMs: 60 })).rejects.toMatchObject({ code: 'DEADLINE', title: expect.stringContaining('not in zj'), more: { receipt: { eventId: 'e' } } })
  })
})

describe('the change feed', () => {
  const change = (n: number): string => `id: r-${n}\nevent: put\ndata: ${JSON.stringify({ cursor: `r-${n}`, op: 'put', recordId: `a/${n}` })}\n\n`
  const heartbeat = (n: number): string => `id: r-${n}\nevent: heartbeat\ndata: {"cursor":"r-${n}","at":"t"}\n\n`
  const feed = (text: string, end: (response: ServerResponse) => void): Answer => (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`retry: 2000\n\n: a comment\n\n${text}`, () => end(response))
  }

  test('goes on where it was after a lost connection, an orderly end and a 503, and hands every message over once', async () => {
    const asked: string[] = []
    const noting = (answer: Answer): Answer => (request, response) => {
      asked.push(new URL(request.url!, 'http://x').searchParams.get('after') ?? 'the beginning')
      return answer(request, response)
    }
    const { client } = await answering(
      noting(feed(heartbeat(1) + change(2) + change(3).slice(0, 20), (response) => response.destroy())),
      noting(problem(503, 'DEPENDENCY_DOWN', { 'retry-after': '0' })),
      noting(feed(change(3), (response) => void response.end())),
      noting(feed(change(4) + heartbeat(5) + change(6), () => {})),
    )
    const seen: string[] = []
    for await (const { op, cursor } of client.changes('tally', { after: 'r-0' })) {
      seen.push(`${op} ${cursor}`)
      if (cursor === 'r-6') break
    }
    expect(seen).toEqual(['heartbeat r-1', 'put r-2', 'put r-3', 'put r-4', 'heartbeat r-5', 'put r-6'])
    expect(asked).toEqual(['r-0', 'r-2', 'r-2', 'r-3'])
  })

  test('gives up after as many failures in a row as agreed', async () => {
    const { client, asked } = await answering(lost)
    await expect(client.changes('tally').next()).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(asked()).toBe(3)
  })

  test('a cursor that is gone ends it with the path of the snapshot', async () => {
    const { client, asked } = await answering(json(410, { code: 'CURSOR_GONE', title: '', snapshot: '/v1/streams/tally/snapshot' }))
    await expect(client.changes('tally', { after: 'r-1' }).next()).rejects.toMatchObject({ status: 410, snapshot: '/v1/streams/tally/snapshot' })
    expect(asked()).toBe(1)
  })

  test('who stops reading closes the connection', async () => {
    let closed: () => void
    const gone = new Promise<void>((resolve) => { closed = resolve })
    const { client } = await answering(feed(change(1), (response) => void response.once('close', () => closed())))
    for await (const _ of client.changes('tally')) break
    await gone
  })
})

describe('a snapshot', () => {
  const records = [1, 2].map((n) => `${JSON.stringify({ region: 'zj', recordId: `杭/${n}`, version: '1' })}\n`)
  const sha256 = hash('sha256', records.join(''))
  const head = '{"head":{"replica":"r","cursor":"r-9","at":"t"}}\n'
  const summary = (found: object): string => `{"summary":${JSON.stringify({ records: 2, sha256, cursor: 'r-9', ...found })}}\n`
  const sending = (text: string): Answer => (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text))

  test('is read record by record; its cursor is there from the beginning', async () => {
    const { client } = await answering(sending(head + records.join('') + summary({})))
    const snapshot = await client.snapshot('tally')
    expect(snapshot.cursor).toBe('r-9')
    expect((await Array.fromAsync(snapshot)).map(({ recordId }) => recordId)).toEqual(['杭/1', '杭/2'])
  })

  test.each([
    ['ends before its summary', head + records.join('')],
    ['lacks a record', head + records[0] + summary({})],
    ['has another record', head + records[0] + records[1]!.replace('2', '3') + summary({})],
    ['counts wrongly', head + records.join('') + summary({ records: 3 })],
  ])('that %s is refused at its end', async (_how, text) => {
    const { client } = await answering(sending(text))
    await expect(Array.fromAsync(await client.snapshot('tally'))).rejects.toMatchObject({ code: 'ANSWER_BROKEN' })
  })

  test.each([['without its head', records.join('')], ['of nothing', '']])('%s is none', async (_how, text) => {
    const { client } = await answering(sending(text))
    await expect(client.snapshot('tally')).rejects.toMatchObject({ code: 'ANSWER_BROKEN' })
  })

  test('that is cut off in the middle of a compressed body is refused', async () => {
    const whole = gzipSync(head + records.join('').repeat(20_000) + summary({}))
    const { client } = await answering((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).write(whole.subarray(0, whole.length / 2), () => response.destroy()) as never)
    await expect(client.snapshot('tally').then((snapshot) => Array.fromAsync(snapshot))).rejects.toMatchObject({ code: 'ANSWER_BROKEN' })
  })
})

test('a list is read page after page, with the same filters', async () => {
  const queries: string[] = []
  const page = (recordId: string, next: string | null): Answer => (request, response) => {
    queries.push(request.url!.split('?')[1]!)
    return json(200, { records: [{ recordId }], next })(request, response)
  }
  const { client } = await answering(page('a/1', 'n1'), page('a/2', null))
  expect((await Array.fromAsync(client.list('tally', { region: 'zj', limit: 1, until: undefined }))).map(({ recordId }) => recordId)).toEqual(['a/1', 'a/2'])
  expect(queries).toEqual(['region=zj&limit=1', 'region=zj&limit=1&after=n1'])
})
