import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Settings } from '@hub/cli/settings'
import { createCreditClient, type CreditChange, type CreditClient } from '@hub/client'
import { publicKeysYaml } from '@hub/local/local-files'
import { generateSigningKey } from '@hub/runtime/sign'
import { sample } from '@hub/schemas/samples'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { runHub } from '../cli/run-hub.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'

const FIRM = '91330100799655058B'
const OTHER = '91340000711771143J'
const NOBODY = '91310000132260250X'
/** Of a firm whose records name no code. */
const REG_NO = '110108000000016'

let hub: Hub
let dir: string
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'shows-'))
  const key = generateSigningKey()
  const signingKeyFile = join(dir, 'signing-key.pem')
  writeFileSync(signingKeyFile, key.privateKey)
  writeFileSync(join(dir, 'keys.yaml'), publicKeysYaml(key.privateKey, new Date()))
  hub = await openHub({
    lookups: true,
    sources: (region) => JSON.stringify({ sources: [{ id: 'credit', owner: '信用监督管理处', contact: '12315', streams: ['credit-blacklist'], caller: `${region}-local-publisher`, mode: 'changes', cadence: region === 'js' ? 'PT1M' : 'P1D', versionRule: 'counter' }] }),
    config: { signingKeyFile },
  })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await hub?.[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

it('a firm listed in one region is answered in another; its repair is told by all four within seconds, and the subscriber is told to stop', async () => {
  await hub.publishOne('js', 'credit-blacklist', listing('js', '1', { subject: { ...SUBJECT, uscc: FIRM, name: '阿里（杭州）网络有限公司' } }))
  await answers('ah', FIRM, 'listed')
  const subscribed = following(lookup('ah'))
  await subscribed.connected
  await hub.publishOne('js', 'credit-blacklist', ended('js', '1', 'repair'))
  const told = await subscribed.next(({ op }) => op === 'stop-using')
  expect(told).toMatchObject({ op: 'stop-using', recordId: 'js-credit/1' })
  expect(await Promise.all(REGIONS.map((region) => answers(region, FIRM, 'not-listed')))).toHaveLength(4)
  const settings: Settings = { topicPrefix: hub.fixture.prefix, regions: { ah: { lookup: hub.lookupUrl('ah'), keys: hub.keys } } }
  const late = await runHub(settings, ['credit', 'subscribers'])
  expect([late.exit, late.json]).toMatchObject([1, [{ region: 'ah', subscribers: [{ caller: 'ah-local-reader', name: 'main', connected: true, notStopped: { records: 1 } }] }]])
  await lookup('ah').acknowledge(told.cursor)
  expect((await runHub(settings, ['credit', 'subscribers'], { json: false })).exit).toBe(0)
  expect((await runHub({ ...settings, regions: { ah: { ...settings.regions.ah, keys: { operator: hub.keys.operator } } } }, ['credit', 'subscribers', '--forget', 'ah-local-reader'])).json).toEqual([{ region: 'ah', subscribers: [] }])
  await subscribed.leave()
})

it('a signed answer verifies offline with the keys of its region, and with one character changed it does not', async () => {
  await hub.publishOne('js', 'credit-blacklist', listing('js', '2', { subject: { ...SUBJECT, uscc: OTHER } }))
  await answers('ah', OTHER, 'listed')
  const response = await fetch(`${hub.lookupUrl('ah')}/v1/credit/${OTHER}?signed=true`, { headers: { authorization: `Bearer ${hub.keys.reader}` } })
  const answered = await response.text()
  const keys = join(dir, 'keys')
  mkdirSync(join(keys, 'ah'), { recursive: true })
  copyFileSync(join(dir, 'keys.yaml'), join(keys, 'ah', 'keys.yaml'))
  const verify = async (content: string): Promise<number> => {
    const file = join(dir, 'answer.json')
    writeFileSync(file, content)
    return (await runHub({ topicPrefix: '', regions: {} }, ['verify-answer', file, '--keys', keys])).exit
  }
  const { jws } = JSON.parse(answered) as { jws: string }
  expect([await verify(answered), await verify(jws)]).toEqual([0, 0])
  for (const [from, to] of [['"listed"', '"not-listed"'], [OTHER, NOBODY], ['经营异常名录', '经营异常名单']] as const) expect([from, await verify(answered.replaceAll(from, to))]).toEqual([from, 1])
  for (let at = 0; at < jws.length; at += 97) expect(await verify(jws.slice(0, at) + (jws[at] === 'A' ? 'B' : 'A') + jws.slice(at + 1))).toBe(1)
  // The same for what the public page has for downloading.
  const page = await (await fetch(`${hub.lookupUrl('ah')}/credit`, { method: 'POST', body: new URLSearchParams({ codes: OTHER }) })).text()
  const [, name, link] = /<a download="(credit-[^"]+\.jws)" href="data:application\/jose;base64,([^"]+)"/.exec(page)!
  const proof = Buffer.from(link!, 'base64').toString('latin1')
  expect([page.includes(`hub verify-answer ${name}`), await verify(proof)]).toEqual([true, 0])
  for (const at of [20, 200, proof.length - 20]) expect(await verify(proof.slice(0, at) + (proof[at] === 'A' ? 'B' : 'A') + proof.slice(at + 1))).toBe(1)
})

it('a firm without a code is found by its registration number, and names lead to codes, persons excepted', async () => {
  await hub.publishOne('zj', 'credit-blacklist', listing('zj', '3', { subject: { ...SUBJECT, uscc: null, regNo: REG_NO, name: '北京老字号商店' } }))
  await hub.publishOne('zj', 'credit-blacklist', listing('zj', '4', { subject: { ...SUBJECT, uscc: NOBODY, regNo: '330783671094422', name: '上海汽车集团（股份）有限公司' } }))
  await hub.publishOne('zj', 'credit-blacklist', listing('zj', '5', { listType: 'sole-trader-mark', subject: { ...SUBJECT, uscc: '92330100MA28A1B2C3', name: '上海汽车修理小店', entityType: 'sole-trader' } }))
  expect(await answers('sh', REG_NO, 'listed')).toMatchObject({ uscc: null, regNo: REG_NO, codes: [] })
  expect(await answers('sh', ' 3307 8367 1094 422', 'listed')).toMatchObject({ uscc: NOBODY, codes: [NOBODY] })
  expect(await answers('sh', '330783671094423', 'unknown')).toMatchObject({ incomplete: REGIONS.map((region) => ({ region, doubts: [{ code: 'registration-number' }] })) })
  expect(await answers('sh', '92330100MA28A1B2C3', 'listed')).toMatchObject({ listings: [{ region: 'zj' }] })
  await eventually('the replica of sh has them', async () => (await lookup('sh').search('上海汽车')).candidates.length > 0)
  for (const name of ['上海汽车', '上海 汽车集团(股份', '　上海汽车集团（股份）有限公司']) expect(await lookup('sh').search(name)).toEqual({ candidates: [{ name: '上海汽车集团（股份）有限公司', uscc: NOBODY, regNo: '330783671094422', division: '330783' }], more: false })
  expect(await lookup('sh').search('汽车集团')).toEqual({ candidates: [], more: false })
  await expect(lookup('sh').search('上 ')).rejects.toMatchObject({ code: 'NAME_TOO_SHORT' })
  expect((await lookup('sh').lookUpMany([REG_NO, FIRM, 'x'])).answers.map((one) => ('problem' in one ? one.problem.reason : one.verdict))).toEqual(['listed', 'not-listed', 'wrong-length'])
})

it('officers are told what was in force earlier and may still be shared', async () => {
  const db = hub.db('ah')
  await hub.settled()
  await db.query(`INSERT INTO replica_vector (at, vector) SELECT now(), jsonb_object_agg(topic || '/' || partition, jsonb_build_array(generation, next_offset)) FROM partition_state WHERE NOT stream IN ('checkpoint', 'source-status', 'parked')`)
  const then = new Date().toISOString()
  await hub.publishOne('js', 'credit-blacklist', listing('js', '2', { version: 5, kind: 'correction', groundText: '更正后的事由', subject: { ...SUBJECT, uscc: OTHER } }))
  await hub.publishOne('js', 'credit-blacklist', listing('js', '6', { subject: { ...SUBJECT, uscc: OTHER } }))
  await hub.settled()
  const ask = async (code: string, at: string, role: 'operator' | 'reader' = 'operator'): Promise<Record<string, unknown>> => await (await fetch(`${hub.lookupUrl('ah')}/v1/credit/${code}?asOf=${encodeURIComponent(at)}`, { headers: { authorization: `Bearer ${hub.keys[role]}` } })).json() as never
  const answered = await ask(OTHER, then)
  expect(answered).toMatchObject({ uscc: OTHER, verdict: 'listed', listings: [{ region: 'js', record: { recordId: 'js-credit/2', groundText: sampled().groundText } }] })
  expect(answered['listings']).toHaveLength(1)
  // It was listed then, and its repair has been decided since: that is told nobody.
  expect(await ask(FIRM, then)).toMatchObject({ verdict: 'unknown', listings: [] })
  expect(await ask(OTHER, then, 'reader')).toMatchObject({ status: 403, code: 'ROLE_MISSING' })
  expect(await ask(OTHER, '2020-01-01T00:00:00Z')).toMatchObject({ status: 410, code: 'ASOF_TOO_OLD' })
  expect(await ask(OTHER, '2099-01-01T00:00:00Z')).toMatchObject({ status: 400, code: 'ASOF_FUTURE' })
  expect(await ask(OTHER, '2026-01-01')).toMatchObject({ status: 400, code: 'ASOF_INVALID' })
  expect(await ask(REG_NO, then)).toMatchObject({ status: 400, code: 'ASOF_BY_CODE' })
})

it('a source that misses two cadences, and a region that is silent beyond the bound, are named; what is listed is told all the same', async () => {
  const date = Date.now.bind(Date)
  await answers('zj', FIRM, 'not-listed')
  const later = vi.spyOn(Date, 'now').mockImplementation(() => date() + 2 * 60_000)
  await eventually('the source of js is named', async () => {
    const { verdict, incomplete } = await lookup('zj').lookUp(FIRM)
    return verdict === 'unknown' && incomplete.length === 1 && incomplete[0]!.region === 'js' && incomplete[0]!.doubts.some(({ code, source }) => code === 'source' && source === 'credit')
  })
  later.mockRestore()
  await hub.stop('js')
  // A minute passes: whose heartbeats go on is fresh again within seconds.
  const now = performance.now.bind(performance)
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 61_000)
  for (const region of ['sh', 'zj', 'ah'] as const) {
    await eventually(`${region} names js`, async () => {
      const { verdict, incomplete } = await lookup(region).lookUp(FIRM)
      return verdict === 'unknown' && incomplete.length === 1 && incomplete[0]!.region === 'js' && incomplete[0]!.doubts.some(({ code }) => code === 'transport')
    })
    expect(await lookup(region).lookUp(OTHER)).toMatchObject({ verdict: 'listed', incomplete: [{ region: 'js' }] })
  }
})

function lookup(region: Region): CreditClient {
  return createCreditClient({ url: hub.lookupUrl(region), key: hub.keys.reader, attempts: 1 })
}

/** Asks until the verdict is as expected, with every source delivering. */
function answers(region: Region, code: string, verdict: string) {
  return eventually(`${region} says ${verdict}`, async () => {
    await handOver(REGIONS)
    const answered = await lookup(region).lookUp(code)
    if (answered.verdict === verdict && (verdict !== 'unknown' || answered.incomplete.every(({ doubts }) => doubts.length === 1))) return answered
    throw new Error(JSON.stringify({ ...answered, asOf: undefined }))
  })
}

let handed = 0
async function handOver(regions: readonly Region[]): Promise<void> {
  const handOverId = `h${++handed}`
  await Promise.all(regions.map((region) => hub.request(region, 'publisher', '/v1/sources/credit/hand-over', { body: JSON.stringify({ handOverId, baseline: true }), type: 'application/json' })))
}

function following(client: CreditClient) {
  const leaving = new AbortController()
  const messages = client.changes({ signal: leaving.signal })
  const next = async (wanted: (change: CreditChange) => boolean): Promise<CreditChange> => {
    for (;;) {
      const { value } = await messages.next()
      if (wanted(value!)) return value!
    }
  }
  return { next, connected: next(({ op }) => op === 'heartbeat'), async leave() { leaving.abort(); await messages.return().catch(() => {}) } }
}

interface Sample { readonly groundText: string, readonly subject: object }
function sampled(): Sample {
  return sample('cn.yrd.credit_blacklist.CreditRecord') as unknown as Sample
}
const SUBJECT = { ...sampled().subject, regNo: null }

function listing(region: Region, no: string, over: object): object {
  const { eventId: _, ...event } = sampled() as Sample & { eventId: string }
  return { ...event, recordId: `${region}-credit/${no}`, version: 1, region, ...over }
}

function ended(region: Region, no: string, kind: string): object {
  const { eventId: _, ...event } = sample('cn.yrd.credit_blacklist.CreditRecordEnded') as { eventId: string }
  return { ...event, recordId: `${region}-credit/${no}`, version: 2, region, kind }
}
