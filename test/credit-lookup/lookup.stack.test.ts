import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Answer } from '@hub/credit-lookup/answer'
import { readWorkbook } from '@hub/connectors/readers/xlsx'
import { start } from '@hub/credit-lookup'
import { callersYaml } from '@hub/local/local-files'
import { createMetrics } from '@hub/runtime/metrics'
import type { Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'
import { parkedHash } from '@hub/schemas/park'
import { sampleRecord } from '@hub/schemas/samples'
import { PARTITIONS, REGIONS, type Region } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log, type Raw } from '../replicator/log.ts'

const LISTED = '91330100799655058B'
const OTHER = '91340000711771143J'
const NOBODY = '91310000132260250X'
const NEWLY = '91330000733796106P'
const KEYS = { publisher: 'test-publisher', reader: 'test-reader', operator: 'test-operator' }

/** What the guard of an older release refuses, and that of this one does not. */
const NEWER = 'only-a-newer-release-reads-this'
const release = vi.hoisted(() => ({ old: false }))

// A codec makes its guards as it meets the schemas: what it is then, it stays.
vi.mock('@hub/schemas/guard', async (original) => {
  const { createGuard } = await original<typeof import('@hub/schemas/guard')>()
  return {
    createGuard(schema: unknown): ReturnType<typeof createGuard> {
      const [guard, { old }] = [createGuard(schema), release]
      return (bytes, offset) => (old && Buffer.from(bytes).includes(NEWER) ? { ok: false, reason: 'too long' } : guard(bytes, offset))
    },
  }
})

let fixture: Fixture
let log: Log
let stateDir: string
let callersFile: string
let databaseUrl: string
let lookup: (Service & { readonly url: string }) | undefined
let beat = 0
beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  stateDir = await fixture.stateDir()
  databaseUrl = await fixture.database()
  callersFile = join(stateDir, 'callers.yaml')
  await writeFile(callersFile, callersYaml('ah', KEYS))
  await startLookup()
})
afterAll(async () => {
  await lookup?.[Symbol.asyncDispose]()
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

it('says nothing is listed only when every region is fresh in transport and source', async () => {
  expect(await ask(NOBODY)).toMatchObject({ status: 503, code: 'ANSWER_UNKNOWN', verdict: 'unknown' })
  for (const region of REGIONS) await log.append([await sourceStatus(region)])
  const answered = await refreshed(NOBODY, ({ status }) => status === 200)
  expect(answered).toMatchObject({ verdict: 'not-listed', listings: [], incomplete: [], flags: [] })
  expect(answered.asOf.map(({ region, complete, positions }) => [region, complete, positions.length])).toEqual(REGIONS.map((region) => [region, true, PARTITIONS['credit-blacklist']]))
})

it('answers for a firm listed elsewhere with what the list says and where the log has it', async () => {
  const [place] = await log.append([await listing('js', '1', 1, LISTED)])
  const answered = await refreshed(LISTED, ({ verdict }) => verdict === 'listed')
  expect(answered.listings).toMatchObject([{ region: 'js', list: { zh: '经营异常名录' }, evidence: { topic: 'js.credit-blacklist', partition: place!.partition, offset: place!.offset }, record: { decisionNo: '东市监异列〔2026〕18号' } }])
  expect(await ask(LISTED.toLowerCase())).toMatchObject({ status: 200, verdict: 'listed', uscc: LISTED })
})

it('takes a repair in at once, and a restored listing comes back; an older version changes nothing', async () => {
  await log.append([await ended('js', '1', 2)])
  await refreshed(LISTED, ({ verdict }) => verdict === 'not-listed')
  await log.append([await listing('js', '1', 1, LISTED)])
  await log.append([await listing('zj', '9', 1, OTHER)])
  await refreshed(OTHER, ({ verdict }) => verdict === 'listed')
  expect(await ask(LISTED)).toMatchObject({ verdict: 'not-listed', withheld: [] })
  await log.append([await listing('js', '1', 3, LISTED, { kind: 'restored' })])
  await refreshed(LISTED, ({ verdict }) => verdict === 'listed')
})

it('shows everybody a page of what is published, without a word of what is no code', async () => {
  const of = (name: string, uscc: string): Record<string, unknown> => ({ subject: { ...sampleRecord('cn.yrd.credit_blacklist.CreditRecord')['subject'] as object, name, uscc } })
  const [hostile, shielded, unpublished, repaired] = ['91310000607200180M', '913100006073344154', '91310000607402928G', '91310000132200821H']
  await log.append([
    await listing('sh', 'p1', 1, hostile!, of('=1+1<script>alert(1)</script>公司', hostile!)), await listing('sh', 'p2', 1, shielded!, { shield: { from: 20_000, until: null, decisionNo: null } }),
    await listing('sh', 'p3', 1, unpublished!, { publication: 'pending' }), await listing('sh', 'p4', 1, repaired!), await ended('sh', 'p4', 2), await listing('sh', 'p5', 1, NEWLY),
  ])
  await refreshed(NEWLY, ({ verdict }) => verdict === 'listed')
  await log.append([await ended('sh', 'p5', 2)])
  await refreshed(NEWLY, ({ verdict }) => verdict === 'not-listed')
  const empty = await fetch(`${lookup!.url}/credit`)
  expect([empty.status, empty.headers.get('content-security-policy')]).toEqual([200, expect.stringMatching(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/)])
  const identity = '11010519491231002X'
  const { status, text } = await form([LISTED, hostile!, shielded!, unpublished!, repaired!, NOBODY, '91340000711771144H', identity, 'nonsense<b>', LISTED.toLowerCase()].join('\r\n'))
  expect(status).toBe(200)
  const cards = [...text.matchAll(/<article class="card ?([\w-]*)"><h3>(?:<code>(\w+)<\/code>|<span>第 (\d+) 项)/g)].map(([, verdict, code, at]) => [code ?? at, verdict])
  expect(cards).toEqual([[LISTED, 'listed'], [hostile, 'listed'], [shielded, 'not-listed'], [unpublished, 'not-listed'], [repaired, 'not-listed'], [NOBODY, 'not-listed'], ['91340000711771144H', 'not-listed'], ['8', ''], ['9', '']])
  expect(text).not.toMatch(/<script|1949|nonsense/)
  const workbook = /download="credit-(AH-[\dA-F-]+)\.xlsx" href="data:[^,]+,([^"]+)"/.exec(text)!
  const sheet = await sheetOf(Buffer.from(workbook[2]!, 'base64'))
  expect(sheet).toEqual(expect.arrayContaining([LISTED, hostile, NOBODY, workbook[1]]))
  expect(sheet.filter((cell) => /^[=+@-]/.test(cell))).toEqual([])
  expect(sheet.join()).not.toMatch(/1949|nonsense/)
  const many = await form(Array<string>(10_000).fill(LISTED).join('\n'))
  expect([many.status, many.text]).toEqual([400, expect.stringContaining('一次最多 500 个，收到 10000 个')])
  expect((await form('')).status).toBe(400)
  expect((await form('x'.repeat(600_000))).status).toBe(413)
})

it('gives an address that sends too many forms a page that says when to come again', async () => {
  let last = { status: 200, text: '' }
  for (let sent = 0; sent < 61 && last.status !== 429; sent++) last = await form('x')
  expect(last).toEqual({ status: 429, text: expect.stringContaining('每分钟最多 60 次') })
})

it('says unknown about the subject that a bad event names, and about everybody when it names nobody', async () => {
  const bad = (no: string, subject: string): Raw => ({ topic: log.topic('sh', 'credit-blacklist'), partition: 0, key: `credit/${no}`, value: Buffer.from('nothing'), headers: { ce_subject: subject } })
  await log.append([bad('bad', NOBODY)])
  await refreshed(NOBODY, ({ verdict, incomplete }) => verdict === 'unknown' && incomplete.some(({ region, doubts }) => region === 'sh' && doubts.some(({ code }) => code === 'parked-subject')))
  expect(await ask('91340000711771144H')).toMatchObject({ verdict: 'not-listed', flags: ['check-failed'] })
  await log.append([bad('worse', '')])
  await refreshed('91340000711771144H', ({ verdict, incomplete }) => verdict === 'unknown' && incomplete[0]?.doubts[0]?.code === 'parked-unreadable')
  expect(await ask(LISTED)).toMatchObject({ status: 200, verdict: 'listed', incomplete: [{ region: 'sh' }] })
  // Something newer of the same keys.
  await log.append([{ ...bad('bad', ''), ...await heartbeatAs('credit/bad') }, { ...bad('worse', ''), ...await heartbeatAs('credit/worse') }])
})

it('answers a batch in order, and says what is wrong with each wrong code', async () => {
  const codes = [LISTED, 'nonsense', '11010519491231002X', OTHER]
  for (const [type, body] of [['application/json', JSON.stringify({ codes })], ['application/json', JSON.stringify(codes)], ['application/x-ndjson', `${codes.map((code) => JSON.stringify(code)).join('\n')}\n`]] as const) {
    const response = await fetch(`${lookup!.url}/v1/credit/batch`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.reader}`, 'content-type': type }, body })
    const text = await response.text()
    const [head, ...lines] = text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>)
    expect(head!['head']).toHaveProperty('asOf')
    expect(lines.map((line) => line['verdict'] ?? line['problem']?.['reason'] ?? Object.keys(line)[0])).toEqual(['listed', 'wrong-length', 'identity-shaped', 'listed', 'summary'])
    expect(text).not.toContain('19491231')
  }
})

it('refuses 10 001 codes, bodies that are none, and whoever has no key', async () => {
  const post = async (body: unknown): Promise<unknown> => (await (await fetch(`${lookup!.url}/v1/credit/batch`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.reader}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })).json() as { code: string }).code
  expect(await post({ codes: Array<string>(10_001).fill(LISTED) })).toBe('TOO_MANY_CODES')
  for (const body of [{}, { codes: LISTED }, [1], 'x', null]) expect(await post(body)).toBe('BATCH_WRONG')
  expect(await ask('nonsense')).toMatchObject({ status: 400, code: 'CODE_WRONG', reason: 'wrong-length' })
  expect((await fetch(`${lookup!.url}/v1/credit/${LISTED}`)).status).toBe(401)
})

it('gives the same answers after a stop, from its snapshot and the rest of the log', async () => {
  await lookup![Symbol.asyncDispose]()
  expect(readdirSync(join(stateDir, 'credit-lookup')).some((name) => name.endsWith('.snapshot'))).toBe(true)
  await log.append([await ended('zj', '9', 2), await listing('sh', '4', 1, NOBODY)])
  // Asked all the time while it starts: the listing that has ended is never told.
  const early: string[] = []
  await startLookup(async () => {
    const { code, verdict } = await ask(OTHER)
    early.push(verdict ?? code)
  })
  expect([...new Set(early)].filter((one) => one !== 'LOOKUP_LOADING' && one !== 'unknown')).toEqual([])
  expect(await ask(LISTED)).toMatchObject({ status: 200, verdict: 'listed' })
  expect(await ask(NOBODY)).toMatchObject({ status: 200, verdict: 'listed' })
  expect(await ask(OTHER)).not.toMatchObject({ verdict: 'listed' })
})

it('reads a bad event again once the region has redriven it', async () => {
  const restart = async (old: boolean): Promise<void> => {
    await lookup![Symbol.asyncDispose]()
    release.old = old
    await startLookup()
  }
  await restart(true)
  const event = await listing('sh', 'newer', 1, NEWLY, { decisionNo: NEWER })
  const [place] = await log.append([event])
  await refreshed(NEWLY, ({ verdict, incomplete }) => verdict === 'unknown' && incomplete.some(({ doubts }) => doubts.some(({ code }) => code === 'parked-unreadable')))
  await restart(false)
  const { generation } = (await ask(LISTED)).asOf.find(({ region }) => region === 'sh')!.positions[place!.partition]!
  const { encode } = await log.codec.writer('cn.yrd.parked.ParkedEvent')
  const { partition, offset } = place!
  const value = encode({ region: 'ah', topic: 'sh.credit-blacklist', partition, generation, offset, key: String(event.key), reason: 'bounds', hash: parkedHash(offset, event.value), at: Date.now(), redrivenAt: Date.now() })
  await log.append([{ topic: log.topic('ah', 'parked'), partition: 0, key: `sh.credit-blacklist/${partition}/${offset}`, value }])
  expect((await refreshed(NEWLY, ({ verdict }) => verdict === 'listed')).listings[0]).toMatchObject({ evidence: { offset }, record: { decisionNo: NEWER } })
})

it('is proven by its region, reads everything anew once when the digests differ, and then says so', async () => {
  const cut = async (digest: Buffer): Promise<void> => {
    const { partition, generation } = (await ask(LISTED)).asOf.find(({ region }) => region === 'js')!.positions[0]!
    // Hearts that beat before may still be on their way: the cut is at this one.
    const places = await log.append(await log.heartbeats('js', beat = Math.ceil((beat + 1) / 30) * 30, ['credit-blacklist']))
    const nextOffset = places.find((place) => place.partition === partition)!.offset + 1
    await eventually('the heartbeat is taken', async () => (await ask(LISTED)).asOf?.find(({ region }) => region === 'js')!.positions[0]!.next === nextOffset)
    const { encode } = await log.codec.writer('cn.yrd.checkpoint.Checkpoint')
    await log.append([{ topic: log.topic('ah', 'checkpoint'), partition: 0, key: 'checkpoint', value: encode({ region: 'ah', version: beat, at: Date.now(), partitions: [{ topic: 'js.credit-blacklist', partition, generation, nextOffset, digest, parkedDigest: Buffer.alloc(16) }] }) }])
  }
  const before = (await ask(LISTED)).asOf
  expect(before).toBeDefined()
  await cut(Buffer.alloc(16, 7))
  await eventually('everything is read anew', async () => !readdirSync(stateDir).includes('credit-lookup') || !readdirSync(join(stateDir, 'credit-lookup')).some((name) => name.endsWith('.snapshot')))
  await eventually('it answers again', async () => (await ask(LISTED)).verdict === 'listed')
  await cut(Buffer.alloc(16, 7))
  await refreshed(LISTED, ({ verdict, incomplete }) => verdict === 'listed' && incomplete.some(({ region, doubts }) => region === 'js' && doubts.some(({ code }) => code === 'digest-differs')))
})

type Reply = Answer & { readonly status: number, readonly code: string }

async function startLookup(meanwhile?: () => Promise<void>): Promise<void> {
  const { username, password } = fixture.credentials('ah')
  lookup = await start({
    region: 'ah', username, password, callersFile, databaseUrl, stateDir, brokers: fixture.brokers, registryUrl: fixture.registryUrl, topicPrefix: fixture.prefix, snapshotSeconds: 600, trustedProxies: [], signingKeyFile: null, host: '127.0.0.1', lookupPort: 0, logLevel: 'silent',
  }, { log: fixture.log, metrics: createMetrics({ region: 'ah' }), fail: (error) => { throw error }, wakeup: createWakeup() })
  await eventually('the lookup is ready', async () => {
    await meanwhile?.()
    return (await fetch(`${lookup!.url}/readyz`)).status === 200
  })
}

async function ask(code: string): Promise<Reply> {
  const response = await fetch(`${lookup!.url}/v1/credit/${encodeURIComponent(code)}`, { headers: { authorization: `Bearer ${KEYS.reader}` } })
  return { status: response.status, ...await response.json() as Answer } as Reply
}

/** Sends the form of the public page, as a browser does, without a key. */
async function form(codes: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${lookup!.url}/credit`, { method: 'POST', body: new URLSearchParams({ codes }) })
  return { status: response.status, text: await response.text() }
}

async function sheetOf(bytes: Buffer): Promise<string[]> {
  const cells: string[] = []
  for await (const rows of readWorkbook(Readable.from([bytes]))) cells.push(...rows.flatMap((row) => row.cells))
  return cells
}

/** Asks until the answer is as expected, with the regions' hearts beating. */
function refreshed(code: string, expected: (answered: Reply) => boolean): Promise<Reply> {
  return eventually(`the answer for ${code}`, async () => {
    beat++
    await log.append((await Promise.all(REGIONS.map((region) => log.heartbeats(region, beat % 30 === 0 ? ++beat : beat, ['credit-blacklist'])))).flat())
    const answered = await ask(code)
    if (answered.incomplete !== undefined && expected(answered)) return answered
    throw new Error(JSON.stringify({ ...answered, asOf: undefined }))
  })
}

async function listing(region: Region, no: string, version: number, uscc: string, fields: Record<string, unknown> = {}): Promise<Raw> {
  const record = sampleRecord('cn.yrd.credit_blacklist.CreditRecord')
  return log.version({ region, stream: 'credit-blacklist', no, version, fields: { ...record, eventId: randomUUID(), recordId: `t12315/${no}`, version, region, subject: { ...record['subject'] as object, uscc }, ...fields } })
}

function ended(region: Region, no: string, version: number): Promise<Raw> {
  return log.version({ region, stream: 'credit-blacklist', no, version, kind: 'repair' })
}

async function sourceStatus(region: Region): Promise<Raw> {
  const { encode } = await log.codec.writer('cn.yrd.source_status.SourceStatus')
  const status = sampleRecord('cn.yrd.source_status.SourceStatus')
  const lastHandOver = { ...status['lastHandOver'] as object, at: Date.now(), partitions: [] }
  return { topic: log.topic(region, 'source-status'), partition: 0, key: 'credit', value: encode({ ...status, region, sourceSystem: 'credit', lastHandOver }) }
}

/** A good version of a key that a bad event had. */
async function heartbeatAs(key: string): Promise<Pick<Raw, 'key' | 'value'>> {
  const { value } = await listing('sh', 'unused', 1, OTHER)
  return { key, value }
}
