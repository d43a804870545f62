import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDb } from '@hub/runtime/db'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint, IDENTITY, listing } from './events.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'
import { documentOf, type Documented } from './openapi.ts'
import { openProxy } from './proxy.ts'

const NDJSON = 'application/x-ndjson'
const ROUTE = 'GET /v1/verdicts'
let fixture: Fixture
let gateway: TestGateway
let documented: Documented

beforeAll(async () => {
  fixture = await openFixture()
  gateway = await startGateway(fixture)
  documented = documentOf(await (await fetch(`${gateway.url}/openapi.json`)).json() as Documented['document'])
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

interface Past { id: string; verdict: string; recordId: string | null; [name: string]: any }

async function ask(query: string, key: string = KEYS.publisher): Promise<{ verdicts: Past[]; next: string | null }> {
  const { status, headers, body } = await gateway.get(`/v1/verdicts${query}`, key)
  expect([status, documented.faults(ROUTE, status, headers.get('content-type')!, body)]).toEqual([200, []])
  return body
}

/** All pages of a question, one after the other. */
async function askAll(query: string, key?: string): Promise<Past[]> {
  const all: Past[] = []
  for (let next: string | null = ''; next !== null;) {
    const page: { verdicts: Past[]; next: string | null } = await ask(`${query}${next === '' ? '' : `&after=${next}`}`, key)
    all.push(...page.verdicts)
    next = page.next
  }
  return all
}

/** Verdicts are written beside the answers: waits until those of a source are `count`. */
function remembered(source: string, count: number): Promise<Past[]> {
  return eventually(`${count} verdicts of ${source}`, async () => {
    const all = await askAll(`?source=${source}&limit=1000`)
    return all.length === count ? all : undefined
  })
}

const lines = (...events: object[]): string => events.map((event) => JSON.stringify(event)).join('\n')

describe('verdicts that were given', () => {
  test('are told again, the newest first, with rule, field, flags, place, caller and request, and never a value', async () => {
    const event = (fields = {}) => complaint({ recordId: 'told/1', ...fields })
    await gateway.publish('complaint', lines(event(), event(), event({ state: 'closed' }), event({ version: 3, state: 'accepted' }), event({ version: 2 }), event({ version: 4, registeredOn: '2026-02-30', issue: { code: IDENTITY } })), { type: NDJSON })
    await gateway.publish('credit-blacklist', JSON.stringify([listing({ recordId: 'told/2', subject: { ...listing()['subject'] as object, uscc: '91330100799655058A' } })]))
    const all = await remembered('told', 7)
    expect(all.map(({ verdict, line, index, stream }) => [verdict, line, index, stream])).toEqual(expect.arrayContaining([
      ['accepted', null, 0, 'credit-blacklist'], ['refused', 6, null, 'complaint'], ['stale', 5, null, 'complaint'], ['new-version', null, null, 'complaint'], ['conflict', 3, null, 'complaint'],
      ['duplicate', 2, null, 'complaint'], ['accepted', null, null, 'complaint'],
    ]))
    expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted().reverse())
    const of = (verdict: string, stream = 'complaint') => all.find((one) => one.verdict === verdict && one['stream'] === stream)!
    expect(of('refused')).toMatchObject({ recordId: 'told/1', version: null, eventId: null, caller: 'publisher', problems: expect.arrayContaining([expect.objectContaining({ rule: 'date', field: 'registeredOn', zh: 'registeredOn：不是有效日期' })]) })
    expect(of('stale')['problems']).toMatchObject([{ rule: 'older-version', field: 'version' }])
    expect(of('duplicate')['eventId']).toBe(of('accepted').id)
    expect(of('accepted', 'credit-blacklist')).toMatchObject({ flags: ['uscc-check-failed'], caller: 'publisher', recordId: 'told/2' })
    expect(new Set(all.map(({ request }) => request)).size).toBe(3)
    expect(JSON.stringify(all)).not.toContain(IDENTITY)
    const { rows } = await gateway.db.query<{ text: string }>('SELECT v::text AS text FROM verdict v')
    expect(rows.map(({ text }) => text).join()).not.toContain(IDENTITY)
  })

  test('come in pages that leave nothing out and repeat nothing, by verdict, stream and time', async () => {
    const events = Array.from({ length: 250 }, (_, i) => complaint({ recordId: `paged/${i}` }))
    await gateway.publish('complaint', lines(...events, ...events), { type: NDJSON })
    await remembered('paged', 500)
    const all = await askAll('?source=paged&limit=70')
    expect(new Set(all.map(({ id }) => id)).size).toBe(500)
    expect((await askAll('?source=paged&limit=70&outcome=duplicate')).length).toBe(250)
    expect((await askAll('?source=paged&limit=70&outcome=accepted')).length).toBe(250)
    expect(await askAll('?source=paged&outcome=stale')).toEqual([])
    expect(await askAll('?source=paged&stream=recall')).toEqual([])
    const middle = all[250]!['at']
    const [since, until] = [await askAll(`?source=paged&limit=1000&since=${middle}`), await askAll(`?source=paged&limit=1000&until=${middle}`)]
    expect([since.length + until.length, since.every(({ at }) => at >= middle), until.every(({ at }) => at < middle)]).toEqual([500, true, true])
  })

  test('are a publisher\'s own: of its sources, and what it sent itself where no source of its own was named', async () => {
    await gateway.publish('complaint', JSON.stringify(complaint({ recordId: 'narrow/1' })))
    await gateway.publish('complaint', lines(complaint({ recordId: 'foreign/1' }), complaint({ recordId: 'narrow/2' })), { type: NDJSON, key: KEYS.narrow })
    await gateway.publish('complaint', '{"recordId":', { key: KEYS.narrow })
    const own = await eventually('all four', async () => {
      const found = await askAll('?limit=1000', KEYS.narrow)
      return found.length === 4 ? found : undefined
    })
    expect(own.map(({ recordId, verdict }) => [recordId, verdict])).toEqual(expect.arrayContaining([['narrow/1', 'accepted'], ['narrow/2', 'accepted'], ['foreign/1', 'refused'], [null, 'refused']]))
    expect(await askAll('?source=foreign', KEYS.narrow)).toEqual([])
    // Neither the owner of the named source nor another publisher hears of it; an operator does.
    const others = await askAll('?limit=1000')
    expect(others.some(({ recordId, caller }) => recordId === 'foreign/1' || caller === 'narrow')).toBe(false)
    expect((await askAll('?limit=1000', KEYS.operator)).filter(({ caller }) => caller === 'narrow')).toHaveLength(2)
  })

  test.each(['since=yesterday', 'until=2026-13-01T00:00:00Z', 'outcome=lost', 'after=1', 'limit=0', 'limit=1001', 'stream=complaints', 'where=here'])('asked for with %s: 400', async (query) => {
    const { status, headers, body } = await gateway.get(`/v1/verdicts?${query}`, KEYS.publisher)
    expect([status, documented.faults(ROUTE, status, headers.get('content-type')!, body)]).toEqual([400, []])
  })

  test('are not for a reader', async () => {
    expect((await gateway.get('/v1/verdicts', KEYS.reader)).status).toBe(403)
  })
})

test('a page looks at a bounded number of rows and goes on where it ended', async () => {
  await using other = await startGateway(fixture)
  await other.db.query(`INSERT INTO verdict (id, stream, source, caller, request, outcome, record_id)
    SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint - 60000 + i), 12, '0') || '70008' || lpad('0', 15, '0'))::uuid, 'complaint', CASE WHEN i < 10 THEN 'rare' ELSE 'common' END, 'c', gen_random_uuid(), 'refused', 'x/1'
      FROM generate_series(1, 25000) i`)
  const pages: number[] = []
  let next = ''
  do {
    const { body } = await other.get(`/v1/verdicts?source=rare${next === '' ? '' : `&after=${next}`}`, KEYS.publisher)
    pages.push(body.verdicts.length)
    next = body.next ?? ''
  } while (next !== '')
  expect(pages).toEqual([0, 0, 9])
})

test('verdicts older than 90 days go', async () => {
  const databaseUrl = await fixture.database()
  await (await startGateway(fixture, { databaseUrl }))[Symbol.asyncDispose]()
  await using db = createDb({ url: databaseUrl, name: 'test', max: 1, log: fixture.log })
  await db.query(`INSERT INTO verdict (id, stream, caller, request, outcome)
    SELECT (lpad(to_hex((extract(epoch FROM now() - d * interval '1 day') * 1000)::bigint), 12, '0') || '7000800000000000' || lpad(i::text, 4, '0'))::uuid, 'complaint', 'c', gen_random_uuid(), 'refused'
      FROM unnest(ARRAY[89, 91]) d, generate_series(1, 6000) i`)
  await using _again = await startGateway(fixture, { databaseUrl })
  await eventually('the old ones gone', async () => (await db.query<{ n: bigint }>('SELECT count(*) AS n FROM verdict')).rows[0]!.n === 6000n)
})

test('a gateway that stops has written them all', async () => {
  const databaseUrl = await fixture.database()
  const stopping = await startGateway(fixture, { databaseUrl })
  await stopping.publish('complaint', Array.from({ length: 5_000 }, () => '{}').join('\n'), { type: NDJSON })
  await stopping[Symbol.asyncDispose]()
  await using db = createDb({ url: databaseUrl, name: 'test', max: 1, log: fixture.log })
  expect((await db.query('SELECT count(*) AS n FROM verdict')).rows).toEqual([{ n: 5000n }])
})

test('while the database is away refusals are answered all the same; what does not fit the buffer is counted, the rest written afterwards', { timeout: 60_000 }, async () => {
  const directUrl = await fixture.database()
  await using proxy = await openProxy(directUrl)
  await using away = await startGateway(fixture, { databaseUrl: proxy.url, directUrl })
  proxy.cut()
  let answered = 0
  const send = async (): Promise<void> => {
    const { status, text } = await away.publish('complaint', `[${Array.from({ length: 1_000 }, () => '{}').join()}]`)
    expect([status, JSON.parse(text).summary.refused]).toEqual([200, 1_000])
    answered += 1_000
  }
  const forgotten = async (): Promise<number> => Number(/hub_gateway_forgotten_verdicts_total (\d+)/.exec(await (await fetch(`${away.url}/metrics`)).text())?.[1] ?? 0)
  while (await forgotten() === 0) await send()
  expect((await away.publish('complaint', '{}')).status).toBe(422)
  const lost = await forgotten()
  proxy.restore()
  await eventually('the rest written', async () => (await away.db.query<{ n: bigint }>('SELECT count(*) AS n FROM verdict')).rows[0]!.n === BigInt(answered + 1 - lost), 30_000)
})
