import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint, IDENTITY, listing } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

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

async function send(stream: string, event: object, options: { key?: string; query?: string } = {}): Promise<Record<string, any>> {
  const { status, text } = await gateway.publish(stream, JSON.stringify(event), options)
  return { status, ...JSON.parse(text) }
}

async function outbox(recordId: string) {
  const { rows } = await gateway.db.query<{ event_id: string; topic: string; partition: number; sequence: bigint; type: string; subject: string | null; value: Buffer }>(
    'SELECT * FROM outbox WHERE key = $1 ORDER BY partition, sequence', [recordId])
  return rows
}

describe('one event', () => {
  test('is in the outbox, encoded and numbered, when 201 arrives; its receipt address stands in the verdict', async () => {
    const answer = await send('complaint', complaint({ recordId: '12315-zj/durable' }))
    const [row] = await outbox('12315-zj/durable')
    expect(answer).toMatchObject({ status: 201, verdict: 'accepted', version: 1, recordId: '12315-zj/durable', flags: [], eventId: row!.event_id, receipt: `/v1/receipts/${row!.event_id}` })
    expect(row).toMatchObject({ topic: `${fixture.prefix}zj.complaint`, type: 'cn.yrd.complaint.Complaint', subject: '91330100799655058B' })
    expect(row!.value[0]).toBe(0)
    const { rows } = await gateway.db.query('SELECT version, partition, sequence, kind FROM published WHERE record_id = $1', ['12315-zj/durable'])
    expect(rows).toEqual([{ version: 1n, partition: row!.partition, sequence: row!.sequence, kind: 'original' }])
  })

  test('with the version of its source: new version, duplicate, stale, conflict; only the first two kinds are written', async () => {
    const event = (version: number, fields = {}) => complaint({ recordId: '12315-zj/versions', version, ...fields })
    const first = await send('complaint', event(1))
    expect(await send('complaint', event(3, { state: 'accepted' }))).toMatchObject({ status: 201, verdict: 'new-version', version: 3 })
    expect(await send('complaint', event(1))).toMatchObject({ status: 200, verdict: 'duplicate', version: 1, eventId: first['eventId'] })
    expect(await send('complaint', event(2))).toMatchObject({ status: 200, verdict: 'stale', version: 3, problems: [{ rule: 'older-version', field: 'version' }] })
    expect(await send('complaint', event(3, { state: 'refused' }))).toMatchObject({ status: 409, verdict: 'conflict', version: 3, problems: [{ rule: 'version-conflict' }] })
    expect(await send('complaint', event(1, { state: 'refused' }))).toMatchObject({ status: 409, verdict: 'conflict', version: 1 })
    expect(await outbox('12315-zj/versions')).toHaveLength(2)
  })

  test('without one: the update time of the source, else a counter', async () => {
    const timed = (recordedAt: string, fields = {}) => listing({ recordId: 'credit-zj/timed', recordedAt, ...fields })
    expect(await send('credit-blacklist', timed('2026-01-05T09:00:00+08:00'))).toMatchObject({ verdict: 'accepted', version: Date.parse('2026-01-05T09:00:00+08:00') })
    expect(await send('credit-blacklist', timed('2026-01-06T09:00:00+08:00'))).toMatchObject({ verdict: 'duplicate' })
    expect(await send('credit-blacklist', timed('2026-01-07T09:00:00+08:00', { groundText: '其他' }))).toMatchObject({ verdict: 'new-version', version: Date.parse('2026-01-07T09:00:00+08:00') })
    const counted = (fields = {}) => listing({ recordId: 'credit-zj/counted', ...fields })
    expect(await send('credit-blacklist', counted())).toMatchObject({ verdict: 'accepted', version: 1 })
    expect(await send('credit-blacklist', counted())).toMatchObject({ verdict: 'duplicate', version: 1 })
    expect(await send('credit-blacklist', counted({ groundText: '其他' }))).toMatchObject({ verdict: 'new-version', version: 2 })
  })

  test('of an ended record comes back only as restored; its stub holds nothing of the listing', async () => {
    const event = (kind: string, fields = {}) => listing({ recordId: 'credit-zj/ended', kind, ...fields })
    await send('credit-blacklist', event('original'))
    expect(await send('credit-blacklist', event('removal'))).toMatchObject({ verdict: 'new-version', version: 2 })
    expect(await send('credit-blacklist', event('correction', { groundText: '其他' }))).toMatchObject({ status: 200, verdict: 'stale', problems: [{ rule: 'ended' }] })
    expect(await send('credit-blacklist', event('restored'))).toMatchObject({ verdict: 'new-version', version: 3 })
    const [, stub] = await outbox('credit-zj/ended')
    expect(stub!.type).toBe('cn.yrd.credit_blacklist.CreditRecordEnded')
    expect(stub!.value.includes('杭州某贸易有限公司')).toBe(false)
  })

  test('that is refused names every field and rule in both languages and writes nothing', async () => {
    const answer = await send('complaint', complaint({ recordId: '12315-zj/refused', kind: 'deleted', registeredOn: '2026-02-30', complainantName: '甲' }))
    expect(answer).toMatchObject({ status: 422, verdict: 'refused', recordId: '12315-zj/refused', flags: [] })
    expect(answer['problems'].map(({ field, rule }: { field: string; rule: string }) => [field, rule])).toEqual(
      expect.arrayContaining([['kind', 'unknown-code'], ['registeredOn', 'date'], ['complainantName', 'unknown-field']]))
    for (const problem of answer['problems']) expect(problem).toMatchObject({ zh: expect.stringMatching(/[\u4e00-\u9fff]/), en: expect.stringMatching(/^[\w. ]+/), expected: expect.any(String) })
    expect(await outbox('12315-zj/refused')).toEqual([])
  })

  test.each([
    ['malformed-json', '{"recordId":'],
    ['duplicate-key', '{"recordId":"a/1","recordId":"a/2"}'],
    ['invalid-utf8', Buffer.from([0x22, 0xff, 0x22])],
    ['too-deep', '{"a":'.repeat(40) + '1' + '}'.repeat(40)],
    ['event-too-large', `{"recordId":"${'x'.repeat(300_000)}"}`],
    ['type', '"text"'],
  ])('refused as %s', async (rule, body) => {
    const { status, text } = await gateway.publish('complaint', body)
    expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 422, verdict: 'refused', problems: [{ rule }] })
  })

  test('that is doubtful is accepted with a flag', async () => {
    const doubtful = complaint({ recordId: '12315-zj/doubtful', respondent: { name: '某店', uscc: '91330100799655058X', division: '330106' } })
    expect(await send('complaint', doubtful)).toMatchObject({ status: 201, flags: ['uscc-check-failed'] })
  })
})

describe('a caller', () => {
  const narrow = { key: KEYS.narrow }

  test('publishes only for its own sources, and is told which those are', async () => {
    expect(await send('complaint', complaint({ recordId: 'narrow/1' }), narrow)).toMatchObject({ status: 201 })
    expect(await send('complaint', complaint({ recordId: '12315-zj/foreign' }), narrow)).toMatchObject({ status: 422, problems: [{ field: 'recordId', rule: 'source-not-allowed', expected: 'narrow' }] })
    expect(await outbox('12315-zj/foreign')).toEqual([])
  })

  test('publishes only for its own authorities; an event that names none by code is its own', async () => {
    expect(await send('complaint', complaint({ recordId: 'narrow/2', authority: { code: '330200' } }), narrow)).toMatchObject({ status: 422, problems: [{ field: 'authority.code', rule: 'authority-not-allowed', expected: '330100' }] })
    expect(await send('complaint', complaint({ recordId: 'narrow/3', authority: { rawName: '某局' } }), narrow)).toMatchObject({ status: 201 })
  })
})

describe("a person's number", () => {
  test('is dropped from a complaint, refused in a listing and a record id, and stands nowhere: not in an answer, the outbox or the log', async () => {
    const dropped = await send('complaint', complaint({ recordId: '12315-zj/identity', respondent: { name: `张三 ${IDENTITY}`, uscc: IDENTITY, division: '330106' } }))
    expect(dropped).toMatchObject({ status: 201, flags: ['identity-dropped'] })
    const refused = await send('credit-blacklist', listing({ recordId: 'credit-zj/identity', subject: { name: '张三', uscc: IDENTITY } }))
    expect(refused).toMatchObject({ status: 422, problems: [{ rule: 'identity' }] })
    const named = await send('complaint', complaint({ recordId: `12315-zj/${IDENTITY}` }))
    expect(named).toMatchObject({ status: 422, problems: [{ field: 'recordId', rule: 'identity' }] })
    const fieldName = await send('complaint', complaint({ recordId: '12315-zj/identity-2', [`a${IDENTITY}`]: 1 }))
    expect(fieldName).toMatchObject({ status: 422 })
    const twice = await gateway.publish('complaint', `{"${IDENTITY}":1,"${IDENTITY}":2}`)
    for (const said of [JSON.stringify([dropped, refused, named, fieldName]), twice.text, gateway.logged()]) expect(said).not.toContain(IDENTITY)
    const { rows } = await gateway.db.query<{ text: string; value: Buffer }>(`SELECT o::text || p::text AS text, o.value FROM outbox o LEFT JOIN published p ON p.event_id::text = o.event_id`)
    expect(rows.length).toBeGreaterThan(0)
    for (const { text, value } of rows) expect(text + value.toString('latin1')).not.toContain(IDENTITY)
  })
})

describe('an array', () => {
  test('gets a verdict for each event in its order; a bad one refuses itself alone and the counts add up', async () => {
    const good = (n: number, fields = {}) => JSON.stringify(complaint({ recordId: `12315-zj/array-${n}`, ...fields }))
    const { status, text } = await gateway.publish('complaint', ` [${good(1)}, {"recordId":}, ${good(2)}, ${good(1)} ,${good(2, { state: 'closed' })}, {"a":1,"a":2}]\n`)
    const { summary, verdicts } = JSON.parse(text)
    expect(status).toBe(200)
    expect(verdicts.map(({ index, verdict }: { index: number; verdict: string }) => [index, verdict])).toEqual([[0, 'accepted'], [1, 'refused'], [2, 'accepted'], [3, 'duplicate'], [4, 'conflict'], [5, 'refused']])
    expect(summary).toEqual({ accepted: 2, 'new-version': 0, duplicate: 1, stale: 0, conflict: 1, refused: 2, total: 6 })
    expect(verdicts[3].eventId).toBe(verdicts[0].eventId)
  })

  test('of a thousand goes, of one more does not; an empty one has no verdicts', async () => {
    const events = (n: number) => JSON.stringify(Array.from({ length: n }, (_, i) => complaint({ recordId: `12315-zj/many-${i}` })))
    expect(JSON.parse((await gateway.publish('complaint', events(1000))).text).summary).toMatchObject({ accepted: 1000, total: 1000 })
    expect(await gateway.publish('complaint', events(1001))).toMatchObject({ status: 413, text: expect.stringContaining('ARRAY_TOO_LONG') })
    expect(JSON.parse((await gateway.publish('complaint', '[]')).text)).toEqual({ summary: expect.objectContaining({ total: 0 }), verdicts: [] })
  })

  test.each(['[{"a":1}', '[1]]', '[1}', '[', '["a'])('that is not whole (%s) publishes nothing', async (body) => {
    expect(await gateway.publish('complaint', body)).toMatchObject({ status: 400, text: expect.stringContaining('ARRAY_MALFORMED') })
  })
})

describe('a dry run', () => {
  test('gives the verdicts that publishing gives, also about what the same body would have published, and stores nothing', async () => {
    await send('complaint', complaint({ recordId: '12315-zj/dry-0' }))
    const lines = [
      complaint({ recordId: '12315-zj/dry-0' }), complaint({ recordId: '12315-zj/dry-1' }), complaint({ recordId: '12315-zj/dry-1' }),
      complaint({ recordId: '12315-zj/dry-1', version: 2, state: 'accepted' }), complaint({ recordId: '12315-zj/dry-1', state: 'closed' }), complaint({ recordId: '12315-zj/dry-2', kind: 'x' }),
    ].map((event) => JSON.stringify(event))
    const all = () => gateway.db.query('SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM published) AS published, (SELECT sum(next_sequence) FROM outbox_head) AS heads')
    const before = await all()
    const verdictsOf = (text: string) => text.trim().split('\n').map((line) => JSON.parse(line)).map(({ verdict, version, summary }) => [verdict, version, summary])
    const dry = await gateway.publish('complaint', lines.join('\n'), { type: 'application/x-ndjson', query: '?dryRun=true' })
    const array = await gateway.publish('complaint', `[${lines.join()}]`, { query: '?dryRun=true' })
    const single = await gateway.publish('complaint', lines[1]!, { query: '?dryRun=true' })
    expect(single).toMatchObject({ status: 200 })
    expect(JSON.parse(single.text)).toEqual({ recordId: '12315-zj/dry-1', verdict: 'accepted', version: 1, flags: [] })
    expect((await all()).rows).toEqual(before.rows)
    const wet = await gateway.publish('complaint', lines.join('\n'), { type: 'application/x-ndjson' })
    expect(verdictsOf(dry.text)).toEqual(verdictsOf(wet.text))
    expect(JSON.parse(array.text).summary).toEqual(verdictsOf(wet.text).at(-1)![2])
  })
})

test('verdicts are counted by stream', async () => {
  const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
  expect(metrics).toMatch(/hub_gateway_events_total\{stream="complaint",verdict="accepted"\} \d{4}/)
  expect(metrics).toMatch(/hub_gateway_waiting_events 0/)
  expect(metrics).toMatch(/hub_gateway_commit_seconds_count [1-9]/)
})
