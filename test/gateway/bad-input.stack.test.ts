import fc from 'fast-check'
import { request, type OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint, IDENTITY } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

const NDJSON = 'application/x-ndjson'
const EVENTS = '/v1/streams/complaint/events'
let fixture: Fixture
let gateway: TestGateway
let before: bigint

beforeAll(async () => {
  fixture = await openFixture()
  gateway = await startGateway(fixture)
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

interface Sent {
  readonly path?: string
  readonly method?: string
  /** Undefined = no authorization at all. */
  readonly authorization?: string | undefined
  readonly type?: string | null
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
}

interface Expected {
  readonly status: number
  /** Of a problem. */
  readonly code?: string
  /** Of a refused event: the field, the rule, and a part of what was expected. */
  readonly refused?: readonly [field: string, rule: string, expected?: string]
  readonly detail?: string
}

type Row = readonly [what: string, sent: Sent, expected: Expected]

const good = (fields: Record<string, unknown> = {}): string => JSON.stringify(complaint({ recordId: 'narrow/bad-input', ...fields }))
const as = (key: string): Pick<Sent, 'authorization'> => ({ authorization: `Bearer ${key}` })
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

const CALLERS: readonly Row[] = [
  ['no key', { authorization: undefined, body: good() }, { status: 401, code: 'KEY_MISSING' }],
  ['a wrong key', { ...as('wrong'), body: good() }, { status: 401, code: 'KEY_UNKNOWN' }],
  ['a key in another scheme', { authorization: `Basic ${KEYS.publisher}`, body: good() }, { status: 401, code: 'KEY_MISSING' }],
  ['the key of a reader', { ...as(KEYS.reader), body: good() }, { status: 403, code: 'ROLE_MISSING' }],
  ['the right key and the wrong source', { ...as(KEYS.narrow), body: good({ recordId: 'wide/1' }) }, { status: 422, refused: ['recordId', 'source-not-allowed', 'narrow'] }],
  ['the right key and the wrong authority', { ...as(KEYS.narrow), body: good({ authority: { code: '330200', rawName: '宁波市市场监督管理局' } }) }, { status: 422, refused: ['authority.code', 'authority-not-allowed', '330100'] }],
  ['another region', { body: good({ region: 'ah' }) }, { status: 422, refused: ['region', 'wrong-region', 'zj'] }],
]

const JSON_ROWS: readonly Row[] = [
  ['JSON that breaks at a byte', { body: '{"recordId":"narrow/1",,}' }, { status: 422, refused: ['', 'malformed-json', 'byte 23'] }],
  ['JSON that breaks behind Chinese characters: bytes, not characters', { body: '{"recordId":"杭州",,}' }, { status: 422, refused: ['', 'malformed-json', 'byte 21'] }],
  ['JSON that ends too early', { body: '{"recordId":"narrow/1"' }, { status: 422, refused: ['', 'malformed-json', 'byte 22'] }],
  ['an array that is not closed', { body: `[${good()}` }, { status: 400, code: 'ARRAY_MALFORMED', detail: `byte ${Buffer.byteLength(good()) + 1}` }],
  ['something behind an array', { body: `[${good()}] []` }, { status: 400, code: 'ARRAY_MALFORMED' }],
  ['nothing', { body: '' }, { status: 422, refused: ['', 'malformed-json', 'byte 0'] }],
  ['a key twice', { body: good().replace('{', '{"version":7,') }, { status: 422, refused: ['version', 'duplicate-key'] }],
  ['__proto__ as a field', { body: good().replace('{', '{"__proto__":{"polluted":1},') }, { status: 422, refused: ['__proto__', 'unknown-field'] }],
  ['constructor as a field', { body: good({ constructor: { prototype: { polluted: 1 } } }) }, { status: 422, refused: ['constructor', 'unknown-field'] }],
  ['10 000 levels in an event', { body: `{"recordId":${deep(10_000)}}` }, { status: 422, refused: ['', 'too-deep'] }],
  ['10 000 levels of objects', { body: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}` }, { status: 422, refused: ['', 'too-deep'] }],
  ['10 000 levels that never close', { body: '['.repeat(10_000) }, { status: 400, code: 'ARRAY_MALFORMED' }],
  ['a version beyond 2^53, which would round', { body: good().replace('"version":1', '"version":9007199254740993') }, { status: 422, refused: ['version', 'range'] }],
  ['an amount beyond every number', { body: good().replace('"disputedFen":20249', '"disputedFen":1e400') }, { status: 422, refused: ['disputedFen', 'integer'] }],
  ['an amount with a fraction', { body: good({ disputedFen: 0.5 }) }, { status: 422, refused: ['disputedFen', 'integer'] }],
  ['no UTF-8', { body: Buffer.from(good({ legalBasis: '第三十四条' }), 'utf16le') }, { status: 422, refused: ['', 'invalid-utf8', 'UTF-8'] }],
  ['a byte-order mark', { body: `\ufeff${good()}` }, { status: 422, refused: ['', 'malformed-json', 'byte 0'] }],
  ['a NUL character', { body: good({ legalBasis: 'x\u0000' }) }, { status: 422, refused: ['legalBasis', 'control-character'] }],
  ["a person's number as a record id", { body: good({ recordId: `narrow/${IDENTITY}` }) }, { status: 422, refused: ['recordId', 'identity'] }],
]

const HTTP_ROWS: readonly Row[] = [
  ['a gzip bomb', { headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(50_000_000, ' ')) }, { status: 415, code: 'CONTENT_ENCODING' }],
  ['a gzip bomb without saying so', { body: gzipSync(Buffer.alloc(50_000_000, ' ')) }, { status: 422, refused: ['', 'invalid-utf8'] }],
  ['another content type', { type: 'text/plain', body: good() }, { status: 415, code: 'MEDIA_TYPE' }],
  ['no content type', { type: null, body: good() }, { status: 415, code: 'MEDIA_TYPE' }],
  ['a content type that is none', { type: 'json', body: good() }, { status: 415, code: 'MEDIA_TYPE' }],
  ['a body that is too large', { body: `[${Array.from({ length: 5 }, () => `"${'x'.repeat(1_000_000)}"`).join()}]` }, { status: 413, code: 'BODY_TOO_LARGE', detail: 'x-ndjson' }],
  ['an event that is too large', { body: good({ legalBasis: 'x'.repeat(300_000) }) }, { status: 422, refused: ['', 'event-too-large'] }],
  ['an array that is too long', { body: `[${Array(1_001).fill('0').join()}]` }, { status: 413, code: 'ARRAY_TOO_LONG', detail: '1000' }],
  ['a stream that is none', { path: '/v1/streams/complaints/events', body: good() }, { status: 400, code: 'REQUEST_INVALID' }],
  ['a query that is none', { path: `${EVENTS}?dryrun=true`, body: good() }, { status: 400, code: 'REQUEST_INVALID' }],
  ['a path that is not encoded', { path: '/v1/streams/%zz/events', body: good() }, { status: 400 }],
  ['a NUL in the path', { path: '/v1/streams/%00/events', body: good() }, { status: 400 }],
  ['an address that is none', { path: '/v1/streams/complaint/events/x', body: good() }, { status: 404, code: 'NOT_FOUND' }],
  ['another method', { method: 'PUT', body: good() }, { status: 404, code: 'NOT_FOUND' }],
  ['TRACE', { method: 'TRACE' }, { status: 404, code: 'NOT_FOUND' }],
  ['a header of 1 MB', { headers: { 'x-large': 'x'.repeat(1_000_000) }, body: good() }, { status: 431, code: 'HEADERS_TOO_LARGE' }],
]

describe.each([['callers', CALLERS], ['JSON', JSON_ROWS], ['HTTP', HTTP_ROWS]])('%s', (_group, rows) => {
  beforeEach(async () => {
    before = await stored()
  })

  // Whatever was sent: nothing of it is stored, and the gateway goes on.
  afterEach(async () => {
    expect(await stored()).toBe(before)
    expect((await fetch(`${gateway.url}/livez`)).status).toBe(200)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test.each(rows)('%s', async (_what, sent, { status, code, refused, detail }) => {
    const answer = await send(sent)
    expect([answer.status, answer.body]).toEqual([status, expect.anything()])
    if (code !== undefined) expect(answer.body).toMatchObject({ code, status, ...(detail !== undefined && { detail: expect.stringContaining(detail) }) })
    if (refused === undefined) return
    const [field, rule, expected = ''] = refused
    expect(answer.body).toMatchObject({ verdict: 'refused', problems: expect.arrayContaining([expect.objectContaining({ field, rule, expected: expect.stringContaining(expected) })]) })
  })
})

test.each([
  ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
  ['a length and chunks at once', `POST ${EVENTS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEYS.publisher}\r\ncontent-type: application/json\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a chunk whose length is none', `POST ${EVENTS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${KEYS.publisher}\r\ncontent-type: ${NDJSON}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`],
])('%s is answered 400 and cut', async (_what, bytes) => {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1').on('error', () => {})
  socket.write(bytes)
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 /)
  expect((await fetch(`${gateway.url}/livez`)).status).toBe(200)
})

test('a sender that stalls in the middle of a body holds up nobody', async () => {
  const stalled = Array.from({ length: 20 }, () => {
    const sender = request(gateway.url + EVENTS, { method: 'POST', headers: { ...as(KEYS.publisher), 'content-type': 'application/json', 'content-length': '500' } }).on('error', () => {})
    sender.write('{"recordId":')
    return sender
  })
  expect((await send({ body: good({ recordId: 'narrow/beside-stalled' }) })).status).toBe(201)
  for (const sender of stalled) sender.destroy()
})

describe('whatever comes', () => {
  /** A valid event with a piece of it replaced, removed or doubled, or bytes that are none. */
  const piece = fc.oneof(fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)), fc.constantFrom('"', '\\u0000', '\\ud800', '{', '}', '[', ']', ',', ':', '1e999', '-0', 'null', '"__proto__":1,', '\ufeff', '价').map((one) => Buffer.from(one)))
  const mutated = fc.tuple(fc.nat(), fc.nat({ max: 40 }), piece, fc.nat()).map(([at, length, insert, id]) => {
    const bytes = Buffer.from(good({ recordId: `narrow/m${id}` }))
    const from = at % bytes.length
    return Buffer.concat([bytes.subarray(0, from), insert, bytes.subarray(from + length)])
  })
  const changed = fc.tuple(fc.constantFrom(...Object.keys(complaint())), fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant(undefined)), fc.nat()).map(([field, value, id]) => Buffer.from(good({ recordId: `narrow/c${id}`, [field]: value })))
  const bytes = fc.uint8Array({ maxLength: 300 }).map((one) => Buffer.from(one))
  const event = fc.oneof(mutated, changed, bytes, fc.json().map((one) => Buffer.from(one)))

  test('one event is answered with a verdict or a problem, never with a fault of ours', async () => {
    await fc.assert(fc.asyncProperty(event, async (body) => {
      const { status, body: answer } = await send({ body })
      expect([200, 201, 400, 409, 413, 422]).toContain(status)
      expect(typeof (status === 400 || status === 413 ? answer.code : answer.verdict ?? answer.summary.total)).not.toBe('undefined')
    }), { numRuns: 150 })
  })

  test('of many lines each is answered by its number, and the counts add up', { timeout: 30_000 }, async () => {
    const line = event.map((one) => Buffer.from(one.filter((byte) => byte !== 0x0a)))
    await fc.assert(fc.asyncProperty(fc.array(line, { maxLength: 30 }), async (lines) => {
      const { status, text: answered } = await gateway.publish('complaint', Buffer.concat(lines.flatMap((one) => [one, Buffer.from('\n')])), { type: NDJSON })
      expect(status).toBe(200)
      const verdicts = answered.trimEnd().split('\n').map((one) => JSON.parse(one) as Record<string, any>)
      const { total, ...counts } = verdicts.pop()!['summary'] as Record<string, number>
      const numbered = lines.flatMap((one, i) => (one.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d) ? [] : [i + 1]))
      expect(verdicts.map(({ line: at }) => at)).toEqual(numbered)
      expect([total, Object.values(counts).reduce((sum, one) => sum + one, 0)]).toEqual([numbered.length, numbered.length])
    }), { numRuns: 60 })
  })

  test('an array is answered element by element, or refused whole with nothing of it published', { timeout: 30_000 }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(event, { maxLength: 10 }), async (events) => {
      const rows = await stored()
      const { status, body } = await send({ body: Buffer.concat([Buffer.from('['), ...events.flatMap((one, i) => (i === 0 ? [one] : [Buffer.from(','), one])), Buffer.from(']')]) })
      expect([200, 400]).toContain(status)
      if (status === 400) expect([body.code, await stored()]).toEqual(['ARRAY_MALFORMED', rows])
      else expect(body.verdicts.length).toBe(body.summary.total)
    }), { numRuns: 60 })
  })
})

test('nothing of a key or of what a person is identified by was logged', () => {
  expect(gateway.logged()).not.toMatch(new RegExp([...Object.values(KEYS), IDENTITY, 'Bearer', '"level":"error"', 'request failed'].join('|')))
})

async function send({ path = EVENTS, method = 'POST', type = 'application/json', headers = {}, body = '', ...rest }: Sent): Promise<{ status: number; body: any }> {
  const authorization = 'authorization' in rest ? rest.authorization : `Bearer ${KEYS.publisher}`
  const sender = request(gateway.url + path, { method, headers: { ...(authorization !== undefined && { authorization }), ...(type !== null && { 'content-type': type }), 'content-length': Buffer.byteLength(body), ...headers } })
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: any }>()
  // What is refused early is answered while the body is still being sent.
  let answered = false
  sender.on('error', (error) => { if (!answered) reject(error) })
  sender.on('response', (response) => {
    answered = true
    text(response).then((answer) => resolve({ status: response.statusCode!, body: answer === '' ? null : JSON.parse(answer) })).catch(reject)
  })
  sender.end(body)
  return promise
}

async function stored(): Promise<bigint> {
  return (await gateway.db.query<{ rows: bigint }>('SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM published) AS rows')).rows[0]!.rows
}
