import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recordVector } from '@hub/replicator/store/vectors'
import { partitionOf } from '@hub/schemas/partition'
import { sample } from '@hub/schemas/samples'
import { DATA_STREAMS, type DataStream } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { complaint, IDENTITY, listing } from './events.ts'
import { documentOf, type Documented } from './openapi.ts'

const RECORDS = 'GET /v1/streams/{stream}/records'
const USCC = '91330100799655058B'
/** Another code that passes its check. */
const OTHER_USCC = '91341181995439838P'

let hub: Hub
let documented: Documented

beforeAll(async () => {
  hub = await openHub({ regions: ['zj'] })
  documented = documentOf(await (await fetch(`${hub.url('zj')}/openapi.json`)).json() as Documented['document'])
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

/** An answer that is as the document says. */
async function ask(path: string, route = RECORDS): Promise<{ status: number; body: any }> {
  const response = await hub.request('zj', 'reader', path)
  const body = await response.json()
  expect(documented.faults(route, response.status, response.headers.get('content-type') ?? '', body)).toEqual([])
  return { status: response.status, body }
}

const records = (stream: DataStream, query: Record<string, string>): Promise<{ status: number; body: any }> => ask(`/v1/streams/${stream}/records?${new URLSearchParams(query)}`)

async function publish(stream: DataStream, ...events: object[]): Promise<void> {
  const { summary } = await hub.publish('zj', stream, events)
  expect(summary['accepted']! + summary['new-version']!).toBe(events.length)
  await hub.settled()
}

/** Where this replica is now, as asOf takes it. */
async function position(): Promise<string> {
  return (await ask('/v1/position', 'GET /v1/position')).body.text
}

describe('every answer', () => {
  test('says whose copy it is, where it stands and how fresh', async () => {
    await publish('complaint', complaint({ recordId: 'meta/1' }))
    // A replica that has just started says null until a heartbeat has told it how far it is.
    const { body: { meta, records: [record] } } = await eventually('how fresh this copy is', async () => {
      const answer = await records('complaint', { recordId: 'meta/1' })
      return answer.body.meta.freshness.some(({ region, staleSeconds }: { region: string; staleSeconds: number | null }) => region === 'zj' && staleSeconds !== null) ? answer : undefined
    })
    expect(meta).toMatchObject({ region: 'zj', replica: expect.any(String), cursor: expect.stringMatching(new RegExp(`^${meta.replica}-\\d+$`)), asOf: expect.any(String) })
    expect(Math.abs(Date.parse(meta.asOf) - Date.now())).toBeLessThan(60_000)
    expect(meta.position.split(',')).toContainEqual(expect.stringMatching(new RegExp(`^zj\\.complaint/${record.partition}@[0-9a-f]{8}:\\d+$`)))
    expect(meta.freshness.find(({ region }: { region: string }) => region === 'zj')).toMatchObject({ staleSeconds: expect.any(Number), lag: '0', paused: [] })
    // Nobody has heard of Anhui yet: that is not fresh.
    expect(meta.freshness.find(({ region }: { region: string }) => region === 'ah')).toMatchObject({ staleSeconds: null })
  })
})

describe('as of', () => {
  const id = 'as-of/1'
  let before: string
  let first: string
  let second: string

  beforeAll(async () => {
    before = await position()
    await publish('complaint', complaint({ recordId: id, version: 1, state: 'received' }))
    first = await position()
    await publish('complaint', complaint({ recordId: id, version: 2, state: 'accepted' }))
    second = await position()
  })

  const stateAt = async (asOf: string): Promise<string | undefined> => (await records('complaint', { recordId: id, asOf })).body.records[0]?.body.state

  test('a position answers what was current there, names it and says what is not included', async () => {
    expect([await stateAt(before), await stateAt(first), await stateAt(second)]).toEqual([undefined, 'received', 'accepted'])
    const { body } = await records('complaint', { recordId: id, asOf: first })
    const place = `zj.complaint/${partitionOf(id, 6)}@`
    expect(body).toMatchObject({ meta: { asOf: null, note: { zh: expect.stringContaining('停止共享'), en: expect.any(String) } }, records: [{ version: '1', show: 'record' }] })
    expect(body.records[0]).not.toHaveProperty('appliedAt')
    expect(first.split(',')).toContain(body.meta.position.split(',').find((one: string) => one.startsWith(place)))
  })

  test('the partition of the record alone is enough, each offset up to the next version answers the same', async () => {
    const { body: { records: [now], meta } } = await records('complaint', { recordId: id })
    const { body: { records: [then] } } = await records('complaint', { recordId: id, asOf: first })
    const at = (offset: number): string => `zj.complaint/${now.partition}:${offset}`
    const offsets = [Number(then.offset), Number(then.offset) + 1, Number(now.offset), Number(now.offset) + 1]
    const states: (string | undefined)[] = []
    for (const offset of offsets) states.push(await stateAt(at(offset)))
    expect(states).toEqual([undefined, 'received', 'received', 'accepted'])
    expect(await stateAt(meta.position)).toBe('accepted')
  })

  test('a time answers what this replica had then, by the position that it wrote down', async () => {
    const vector = 'time/1'
    await publish('complaint', complaint({ recordId: vector, version: 1, state: 'received' }))
    await recordVector(hub.db('zj'), 0)
    const { rows: [written] } = await hub.db('zj').query<{ at: Date }>('SELECT max(at) AS at FROM replica_vector')
    await publish('complaint', complaint({ recordId: vector, version: 2, state: 'accepted' }))
    const { body } = await records('complaint', { recordId: vector, asOf: new Date(written!.at.getTime() + 1).toISOString() })
    expect(body).toMatchObject({ meta: { asOf: written!.at.toISOString(), note: {} }, records: [{ version: '1', body: { state: 'received' } }] })
    expect(body.meta.position).toMatch(new RegExp(`zj\\.complaint/${partitionOf(vector, 6)}@[0-9a-f]{8}:\\d+`))
  })

  test('an ended record has no earlier versions any more', async () => {
    await publish('complaint', complaint({ recordId: 'ended/1', version: 1 }))
    const then = await position()
    expect((await records('complaint', { recordId: 'ended/1', asOf: then })).body.records).toHaveLength(1)
    const { eventId, ...stub } = sample('cn.yrd.complaint.ComplaintEnded')
    await publish('complaint', { ...stub, recordId: 'ended/1', version: 2, kind: 'void' })
    expect((await records('complaint', { recordId: 'ended/1', asOf: then })).body.records).toEqual([])
    expect((await records('complaint', { recordId: 'ended/1', asOf: await position() })).body.records).toMatchObject([{ version: '2', ended: true }])
  })

  test('what this replica cannot say is refused, each with its own code', async () => {
    const partition = partitionOf(id, 6)
    const name = `zj.complaint/${partition}`
    const refusals: [asOf: string, status: number, code: string][] = [
      [new Date(Date.now() + 3_600_000).toISOString(), 400, 'ASOF_FUTURE'],
      [`${name}:999999999`, 400, 'ASOF_FUTURE'],
      ['yesterday', 400, 'ASOF_INVALID'],
      [`${name}:1;DROP TABLE complaint`, 400, 'ASOF_INVALID'],
      [`zj.complaint/${(partition + 1) % 6}:1`, 400, 'ASOF_PARTITION_MISSING'],
      [`${name}@00000000:1`, 410, 'ASOF_OTHER_GENERATION'],
      ['2020-01-01T00:00:00+08:00', 410, 'ASOF_TOO_OLD'],
    ]
    for (const [asOf, status, code] of refusals) {
      const answer = await records('complaint', { recordId: id, asOf })
      expect([asOf, answer.status, answer.body.code]).toEqual([asOf, status, code])
    }
  })

  test('before versions that compaction took, and before what is kept, the answer is the number from which it can be given', async () => {
    const db = hub.db('zj')
    const partition = partitionOf(id, 6)
    const topic = `${hub.fixture.prefix}zj.complaint`
    const asOf = `zj.complaint/${partition}:1`
    expect((await records('complaint', { recordId: id, asOf })).status).toBe(200)
    await db.query('UPDATE consumer_offset SET complete_from = 2 WHERE topic = $1 AND partition = $2', [topic, partition])
    try {
      expect(await records('complaint', { recordId: id, asOf })).toMatchObject({ status: 410, body: { code: 'ASOF_INCOMPLETE', completeFrom: '2' } })
    } finally {
      await db.query('UPDATE consumer_offset SET complete_from = 0 WHERE topic = $1 AND partition = $2', [topic, partition])
    }
    // Once the first vectors are forgotten, so may versions be that were superseded before the oldest.
    await recordVector(db, 0)
    await db.query('DELETE FROM replica_vector WHERE number < (SELECT max(number) FROM replica_vector)')
    expect((await records('complaint', { recordId: id, asOf })).body.code).toBe('ASOF_TOO_OLD')
    expect((await records('complaint', { recordId: id, asOf: await position() })).status).toBe(200)
  })
})

describe('a list', () => {
  const ids = (body: any): string[] => body.records.map(({ recordId }: { recordId: string }) => recordId)
  const all = Array.from({ length: 25 }, (_, n) => `list/${String(n).padStart(2, '0')}`)

  beforeAll(async () => {
    await publish('complaint', ...all.map((recordId, n) => {
      const registeredOn = `2026-0${1 + Math.floor(n / 10)}-1${n % 10}`
      return complaint({
        recordId, state: n % 2 === 0 ? 'received' : 'mediating', registeredOn, registeredAt: null, handlingDivision: n < 10 ? '330106' : '330206',
        respondent: { name: '某店', uscc: n % 5 === 0 ? OTHER_USCC : USCC, division: '330106', region: 'zj', entityType: 'enterprise' },
      })
    }))
    const failure = ({ n, role, region, uscc, division }: { n: number; role: string; region: string; uscc: string; division: string }): object => {
      const { eventId, ...event } = sample('cn.yrd.inspection_failure.InspectionFailure')
      const sampled = { role: 'sampled-unit', name: '某超市', region: 'zj', division: '330106', attribution: 'confirmed', ...(role === 'sampled-unit' && { region, uscc, division }) }
      return {
        ...event, recordId: `failure/${n}`, version: 1, region: 'zj', authority: { code: '330100', rawName: '杭州市市场监督管理局' },
        parties: [sampled, ...(role === 'sampled-unit' ? [] : [{ role, name: '某厂', region, uscc, division, attribution: 'nominal' }])],
      }
    }
    await publish('inspection-failure',
      failure({ n: 1, role: 'sampled-unit', region: 'zj', uscc: USCC, division: '330106' }),
      failure({ n: 2, role: 'nominal-producer', region: 'ah', uscc: OTHER_USCC, division: '341181' }),
      failure({ n: 3, role: 'nominal-producer', region: 'zj', uscc: USCC, division: '330206' }),
      failure({ n: 4, role: 'importer', region: 'js', uscc: OTHER_USCC, division: '320505' }))
    await publish('credit-blacklist', listing({ recordId: 'credit/1' }), listing({ recordId: 'credit/2', listedOn: '2026-02-05', decisionNo: '杭市监异列〔2026〕2号' }))
  })

  test('goes through everything once, page by page, in the order of record ids', async () => {
    const seen: string[] = []
    let after: string | undefined
    do {
      const { body } = await records('complaint', { limit: '4', state: 'received', uscc: USCC, ...(after !== undefined && { after }) })
      expect(body.records.length).toBeLessThanOrEqual(4)
      seen.push(...ids(body))
      after = body.next ?? undefined
    } while (after !== undefined)
    const expected = [...new Set(seen)]
    expect(seen).toEqual(expected)
    expect(seen).toEqual(seen.toSorted())
    expect(seen.filter((id) => id.startsWith('list/'))).toEqual(all.filter((_, n) => n % 2 === 0 && n % 5 !== 0))
  })

  test.each<[Record<string, string>, (n: number) => boolean]>([
    [{ state: 'mediating' }, (n) => n % 2 === 1],
    [{ uscc: OTHER_USCC }, (n) => n % 5 === 0],
    [{ division: '3302' }, (n) => n >= 10],
    [{ division: '330106', uscc: OTHER_USCC }, (n) => n < 10 && n % 5 === 0],
    [{ registeredOnFrom: '2026-02-10', registeredOnTo: '2026-03-10' }, (n) => n >= 10 && n < 20],
    [{ registeredOnFrom: '2026-01-11', registeredOnTo: '2026-01-12' }, (n) => n === 1],
    [{ registeredOnFrom: '2026-01-11', registeredOnTo: '2026-01-11' }, () => false],
    [{ kind: 'original', region: 'zj', ended: 'false', publication: 'pending' }, () => true],
    [{ region: 'ah' }, () => false],
  ])('filters by %j', async (query, expected) => {
    const { body } = await records('complaint', { ...query, limit: '1000' })
    expect(ids(body).filter((id) => id.startsWith('list/'))).toEqual(all.filter((_, n) => expected(n)))
  })

  test.each<[Record<string, string>, string[]]>([
    [{}, ['failure/1', 'failure/2', 'failure/3', 'failure/4']],
    [{ involves: 'zj' }, ['failure/1', 'failure/2', 'failure/3', 'failure/4']],
    [{ involves: 'zj', role: 'producer' }, ['failure/3']],
    [{ involves: 'zj', role: 'nominal-producer' }, ['failure/3']],
    [{ involves: 'ah', role: 'producer' }, ['failure/2']],
    [{ involves: 'js', role: 'importer' }, ['failure/4']],
    [{ involves: 'js', role: 'producer' }, []],
    [{ uscc: USCC }, ['failure/1', 'failure/3']],
    [{ uscc: USCC, role: 'producer' }, ['failure/3']],
    [{ uscc: USCC, role: 'sampled-unit' }, ['failure/1']],
    [{ uscc: OTHER_USCC, role: 'sampled-unit' }, []],
    [{ division: '33', role: 'producer' }, ['failure/3']],
  ])('of failures filters by %j', async (query, expected) => {
    expect(ids((await records('inspection-failure', query)).body)).toEqual(expected)
  })

  test('of listings filters by the day of listing', async () => {
    expect(ids((await records('credit-blacklist', { listedOnFrom: '2026-02-01' })).body)).toEqual(['credit/2'])
    expect(ids((await records('credit-blacklist', { decisionNo: '杭市监异列〔2026〕1号' })).body)).toEqual(['credit/1'])
  })

  test('a cursor is good for the list it came from alone', async () => {
    const { body: { next } } = await records('complaint', { limit: '2', state: 'received' })
    expect((await records('complaint', { state: 'received', after: next })).status).toBe(200)
    for (const query of [{ after: next }, { state: 'mediating', after: next }, { state: 'received', after: `${next}A` }, { state: 'received', after: 'x' }]) {
      expect(await records('complaint', query as Record<string, string>)).toMatchObject({ status: 400, body: { code: 'CURSOR_INVALID' } })
    }
    expect((await records('credit-blacklist', { after: next })).body.code).toBe('CURSOR_INVALID')
  })

  test.each<[string, string, string]>([
    ['an unknown parameter', 'stat=received', 'PARAMETER_UNKNOWN'],
    ['a parameter of another stream', 'involves=zj', 'PARAMETER_UNKNOWN'],
    ['a parameter twice', 'state=received&state=mediating', 'REQUEST_INVALID'],
    ['a name of nothing', '__proto__=1', 'PARAMETER_UNKNOWN'],
    ['a filter beside recordId', 'recordId=a/1&state=received', 'PARAMETER_CONFLICT'],
    ['asOf without recordId', 'asOf=2026-01-01T00:00:00Z', 'PARAMETER_CONFLICT'],
    ['SQL in a code', `issue=${encodeURIComponent("01' OR true --")}`, 'REQUEST_INVALID'],
    ['SQL in a credit code', `uscc=${encodeURIComponent("' OR ''='")}`, 'REQUEST_INVALID'],
    ['a wildcard', 'division=33%25', 'REQUEST_INVALID'],
    ['a zero byte', 'uscc=%00', 'REQUEST_INVALID'],
    ['a day that is none', 'registeredOnFrom=2026-02-30', 'REQUEST_INVALID'],
    ['a state that is none', 'state=toString', 'REQUEST_INVALID'],
    ['no limit', 'limit=0', 'REQUEST_INVALID'],
    ['too high a limit', 'limit=1001', 'REQUEST_INVALID'],
    ['what looks like an identity number', `uscc=${IDENTITY}x`, 'REQUEST_INVALID'],
  ])('%s is refused and never said again', async (_what, query, code) => {
    const { status, body } = await ask(`/v1/streams/complaint/records?${query}`)
    expect([status, body.code]).toEqual([400, code])
    expect(JSON.stringify(body)).not.toMatch(/OR true|OR ''|330106199003077658/)
  })

  test('what is quoted in a text is a text', async () => {
    expect((await records('credit-blacklist', { decisionNo: "' OR true --" })).body.records).toEqual([])
    expect((await records('credit-blacklist', { decisionNo: '%' })).body.records).toEqual([])
  })

  test('looks at a bounded number of rows for each page and says where to go on; what one firm has is found at once', async () => {
    const db = hub.db('zj')
    // They stand before everything of this region, and their bodies decode to nothing: whoever shows one fails.
    await db.query(
      `INSERT INTO credit_blacklist (region, record_id, version, kind, ended, partition, log_offset, change_no, event_id, hash_hi, hash_lo, body, listed_on)
       SELECT 'sh', 'many/' || lpad(n::text, 6, '0'), 1, 'original', false, 0, n, -n, '', 0, 0, '\\x'::bytea, '2026-01-01' FROM generate_series(1, 11000) n`)
    try {
      const pages: string[][] = []
      let after: string | undefined
      do {
        const { status, body } = await records('credit-blacklist', { listedOnFrom: '2026-02-01', ...(after !== undefined && { after }) })
        expect(status).toBe(200)
        pages.push(ids(body))
        after = body.next ?? undefined
      } while (after !== undefined)
      expect(pages).toEqual([[], [], ['credit/2']])
      const { body } = await records('credit-blacklist', { uscc: USCC, listedOnFrom: '2026-02-01' })
      expect([ids(body), body.next]).toEqual([['credit/2'], null])
    } finally {
      await db.query(`DELETE FROM credit_blacklist WHERE record_id LIKE 'many/%'`)
    }
  })
})

test('/v1/streams says of each stream its contracts, what this replica has of each region, and how fresh it is', async () => {
  const { status, body } = await ask('/v1/streams', 'GET /v1/streams')
  expect(status).toBe(200)
  expect(body.streams.map(({ stream }: { stream: string }) => stream)).toEqual(DATA_STREAMS)
  const [complaints] = body.streams
  expect(complaints).toMatchObject({ title: { zh: '消费投诉' }, contracts: [{ role: 'stub', schemaId: expect.any(Number) }, { name: 'cn.yrd.complaint.Complaint', role: 'record', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }] })
  const { rows: [counted] } = await hub.db('zj').query<{ records: bigint; ended: bigint }>(`SELECT count(*) AS records, count(*) FILTER (WHERE ended) AS ended FROM complaint WHERE region = 'zj'`)
  expect(complaints.regions.find(({ region }: { region: string }) => region === 'zj')).toMatchObject({ records: String(counted!.records), ended: String(counted!.ended), lag: '0', paused: [], position: expect.stringMatching(/^zj\.complaint\/0@/) })
})
