import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Edition } from '@hub/announcer/edition/model'
import { UNEDITED } from '@hub/announcer/figures/rises'
import { verifyEdition } from '@hub/announcer/edition/verify'
import { readPublicKeys, type PublicKeys } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runHub, settingsOf, type Ended } from '../cli/run-hub.ts'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { openDesks, signedBy, type Desks } from './desk.ts'

let hub: Hub
let desks: Desks

beforeAll(async () => {
  // Behind a proxy on this machine, as in front of the public.
  hub = await openHub({ announcers: true, config: { trustedProxies: ['127.0.0.1'] } })
  desks = openDesks(hub, '315-week', 2026)
  for (const region of REGIONS) await hub.publish(region, 'complaint', shifted(region))
  await hub.settled()
}, 120_000)
afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

/** Complaints of the week of 15 March, some versions each. */
function* shifted(region: Region): Generator<object> {
  for (const event of complaints(150, 7, region)) yield { ...event, registeredOn: '2026-03-1' + (event.recordId.length % 6), registeredAt: undefined }
}

/** The newest versions of a region's records, as they were published. */
function newestOf(region: Region): (object & { recordId: string; version: number; state: string; respondent: unknown })[] {
  const newest = new Map([...shifted(region)].map((event) => [(event as { recordId: string }).recordId, event]))
  return [...newest.values()] as ReturnType<typeof newestOf>
}

function corrects(region: Region, correction: object): ReturnType<Desks['call']> {
  return desks.call(region, 'approver', 'POST', '/v1/desk/announcements/315-week/2026/corrections', { corrections: [correction] })
}

/** Every region signs an edition that follows, unasked, and approves it. */
async function erratum(number: number): Promise<Edition> {
  await eventually(`edition ${number} is signed`, async () => {
    const states = await Promise.all(REGIONS.map((region) => desks.state(region)))
    return states.every((state) => state.draft?.edition === number && signedBy(state)) || undefined
  }, 60_000)
  for (const region of REGIONS) await desks.approve(region)
  const files = await Promise.all(REGIONS.map((region) => eventually(`${region} publishes edition ${number}`, () => desks.file(region, number), 30_000)))
  expect(new Set(files).size).toBe(1)
  expect(verifyEdition(Buffer.from(files[0]!), await publicKeys())).toMatchObject({ valid: true, problems: [] })
  return edition(files[0])
}

function hubOf(region: Region, command: string, ...args: string[]): Promise<Ended> {
  return runHub(settingsOf(hub, REGIONS), ['announcement', command, '315-week', '2026', '--region', region, ...args])
}

/** A browser that somebody has signed in with. */
async function browserOf(region: Region, who: 'officer' | 'approver'): Promise<{ get(path: string): Promise<string>; post(path: string, fields: Record<string, string>, origin?: string): Promise<{ status: number; text: string }> }> {
  const url = hub.announcerUrl(region)
  const send = (path: string, fields: Record<string, string>, headers: Record<string, string>): Promise<Response> =>
    fetch(url + path, { method: 'POST', redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: new URLSearchParams(fields) })
  const cookie = (await send('/login', { key: hub.keys[who] }, { origin: url })).headers.get('set-cookie')!.split(';')[0]!
  return {
    get: async (path) => (await fetch(url + path, { headers: { cookie } })).text(),
    async post(path, fields, origin = url) {
      const answer = await send(path, fields, { origin, cookie })
      return { status: answer.status, text: await answer.text() }
    },
  }
}

function edition(file: string | undefined): Edition {
  return JSON.parse(file!) as Edition
}

function received({ statement }: Edition): number {
  return statement.figures!.counts[0]!.counts.total
}

async function publicKeys(): Promise<Partial<Record<Region, PublicKeys>>> {
  return Object.fromEntries(await Promise.all(REGIONS.map(async (region) => [region, await readPublicKeys(join(hub.publicKeysDir, region, 'keys.yaml'))])))
}

describe('four regions publish one set of figures', () => {
  it('cut, recomputed and signed by each, by itself', async () => {
    await desks.run()
    const state = await desks.until('all have signed', 'sh', signedBy, 60_000)
    expect(state.draft).toMatchObject({ edition: 1, by: 'sh', statement: { campaign: '315-week', kind: 'full', demo: false } })
    expect(state.scrub).toMatchObject({ clean: true, partitions: 36, records: [] })
    const received = state.draft!.statement.figures!.counts[0]!
    const { rows: [counted] } = await hub.db('zj').query<{ n: bigint }>(`SELECT count(*) AS n FROM complaint WHERE registered_on BETWEEN '2026-03-09' AND '2026-03-15'`)
    expect(received.counts.total).toBe(Number(counted!.n))
    expect(await desks.file('sh')).toBeUndefined()
    expect(await desks.call('js', 'officer', 'GET', '/v1/desk/announcements/315-week/2026/rises')).toEqual({ status: 200, body: { rises: [] } })
    expect(await desks.call('sh', 'officer', 'PUT', '/v1/desk/announcements/315-week/2026/tips', { tips: [{ zh: `投诉增至9件。${UNEDITED}` }] })).toMatchObject({ status: 422, body: { code: 'TIP_UNEDITED' } })
  })

  it('shown to officers in a browser, who write tips and reject there, and from no other site', async () => {
    const officer = await browserOf('sh', 'officer')
    expect(await officer.get('/desk')).toMatch(/正在办理：[\s\S]*href="\/desk\/315-week\/2026"[\s\S]*<details><summary>2025年<\/summary>[\s\S]*已过时间，未办/)
    const before = await officer.get('/desk/315-week/2026')
    expect(before).toMatch(/缺什么、找谁[\s\S]*四地数字[\s\S]*保存提示/)
    expect(before).not.toContain('审核通过</button>')
    expect(await officer.post('/desk/315-week/2026/tips', { zh: `投诉增至9件。${UNEDITED}` })).toMatchObject({ status: 422, text: expect.stringContaining('请先补充消费提示') })
    expect(await officer.post('/desk/315-week/2026/approve', {})).toMatchObject({ status: 403 })
    const approver = await browserOf('sh', 'approver')
    expect(await approver.post('/desk/315-week/2026/reject', { reason: 'x' }, 'https://evil.example')).toMatchObject({ status: 403, text: expect.stringContaining('CROSS_ORIGIN') })
    expect(await approver.get('/v1/desk/announcements/315-week/2026/draft?format=html')).toMatch(/（草案）<\/title>/)
    expect((await fetch(`${hub.announcerUrl('sh')}/desk`, { redirect: 'manual' })).headers.get('location')).toBe('/login?next=%2Fdesk')
    expect((await fetch(`${hub.announcerUrl('sh')}/v1/desk/announcements/315-week/2026/draft`)).status).toBe(401)
  })

  it('approved by two people of each, and published as the same bytes everywhere', async () => {
    const again = await desks.call('js', 'approver', 'POST', '/v1/desk/announcements/315-week/2026/approvals', {})
    expect(again.status).toBe(200)
    expect(await desks.call('js', 'approver', 'POST', '/v1/desk/announcements/315-week/2026/approvals', {})).toMatchObject({ status: 409, body: { code: 'NEEDS_ANOTHER' } })
    await desks.call('js', 'approver2', 'POST', '/v1/desk/announcements/315-week/2026/approvals', {})
    for (const region of ['sh', 'zj', 'ah'] as const) {
      await desks.until('signed', region, (state) => signedBy(state, [region]))
      await desks.approve(region)
    }
    const files = await Promise.all(REGIONS.map((region) => eventually(`${region} publishes`, () => desks.file(region), 30_000)))
    expect(new Set(files).size).toBe(1)
    expect(verifyEdition(Buffer.from(files[0]!), await publicKeys())).toMatchObject({ valid: true, problems: [] })
    expect(await desks.call('ah', 'reader', 'GET', '/v1/announcements/315-week/series')).toMatchObject({ status: 200, body: { points: [{ year: 2026, edition: 1, row: { definition: 'received@1' } }] } })
    const state = await desks.state('ah')
    expect(state).toMatchObject({ status: 'published', editions: [{ edition: 1, kind: 'full' }], draft: null })
    expect(await desks.call('ah', 'officer', 'POST', '/v1/desk/announcements/315-week/2026/recomputations', { edition: 1 })).toEqual({ status: 200, body: { recomputable: true, same: true, changes: [] } })
    expect(await desks.call('ah', 'officer', 'POST', '/v1/desk/announcements/315-week/2026/recomputations', { edition: 2 })).toMatchObject({ status: 404 })
  })

  it('read by anybody as a file, a page and a workbook, and checked from paper', async () => {
    const path = `${hub.announcerUrl('js')}/v1/announcements/315-week/2026`
    const page = await fetch(path, { headers: { accept: 'text/html,*/*' } })
    const { digests } = edition(await desks.file('js'))
    const words = await page.text()
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(words).toContain(digests.aggregates)
    expect((await fetch(path, { headers: { accept: 'text/html', 'if-none-match': page.headers.get('etag')! } })).status).toBe(304)
    const behind = await fetch(path, { headers: { accept: 'text/html', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'gs.example.gov.cn' } })
    expect(await behind.text()).toContain('href="https://gs.example.gov.cn/announcements/315-week/2026/')
    const workbook = await fetch(`${path}?format=xlsx`)
    expect([workbook.headers.get('content-disposition'), Buffer.from(await workbook.arrayBuffer()).subarray(0, 2).toString()]).toEqual(['attachment; filename="315-week-2026-1.xlsx"', 'PK'])
    const verify = /href="(http:[^"]+verify[^"]+)"/.exec(words)![1]!.replaceAll('&amp;', '&')
    expect(await (await fetch(verify)).text()).toMatch(/签名有效：4个地区[\s\S]*与二维码所带的数字摘要一致[\s\S]*这是最新一版/)
    expect(await (await fetch(verify.replace(digests.aggregates, 'f'.repeat(64)))).text()).toContain('手中的文本不是这一版')
    expect(await (await fetch(`${hub.announcerUrl('js')}/announcements`)).text()).toContain('/v1/announcements/315-week/2026?edition=1&amp;format=xlsx')
  })

  it('a voided record and a wrong trader: an erratum edition each, and the second keeps the first', async () => {
    const [gone, mistaken] = [newestOf('zj')[0]!, newestOf('sh').find(({ respondent, state }) => respondent !== null && state !== 'received' && state !== 'transferred')!]
    const first = edition(await desks.file('zj'))
    expect(await corrects('zj', { reason: 'voided', recordId: gone.recordId, event: gone })).toMatchObject({ status: 422, body: { code: 'CORRECTION_REFUSED' } })
    expect(await corrects('sh', { reason: 'wrong-trader', recordId: mistaken.recordId })).toMatchObject({ status: 422, body: { code: 'CORRECTION_REFUSED' } })

    await hub.publish('zj', 'complaint', [{ recordId: gone.recordId, version: gone.version + 1, kind: 'void', occurredOn: '2026-03-20', recordedAt: '2026-03-20T09:00:00+08:00' }])
    await hub.publish('sh', 'complaint', [{ ...mistaken, version: mistaken.version + 1, kind: 'correction', verified: { name: '上海改正商贸有限公司', uscc: '91310106MAX97QKCXB', entityType: 'enterprise' } }])
    await hub.settled()
    expect(await corrects('zj', { reason: 'voided', recordId: gone.recordId })).toMatchObject({ status: 422, body: { detail: expect.stringContaining('give the record') } })
    expect(await corrects('zj', { reason: 'voided', recordId: gone.recordId, event: gone })).toMatchObject({ status: 200 })
    const second = await erratum(2)
    expect(second.statement).toMatchObject({ kind: 'erratum', erratum: { corrects: { edition: 1, aggregates: first.digests.aggregates }, corrections: [{ region: 'zj', reason: 'voided', records: 1 }] } })
    expect(received(second)).toBe(received(first) - 1)
    expect(await corrects('zj', { reason: 'voided', recordId: gone.recordId, event: gone })).toMatchObject({ status: 422 })

    expect(await hubOf('sh', 'correct', '--wrong-trader', mistaken.recordId)).toMatchObject({ exit: 0, json: { status: expect.stringMatching(/drafting|signing|published/) } })
    const third = await erratum(3)
    expect(third.statement.erratum!.corrections.map(({ region, reason }) => [region, reason])).toEqual([['sh', 'wrong-trader'], ['zj', 'voided']])
    expect(third.statement.figures).toEqual(second.statement.figures)
    expect(JSON.stringify(third)).not.toMatch(new RegExp(`${gone.recordId}|${mistaken.recordId}`))
  }, 180_000)

  it('by `hub` as by HTTP: every form to a file, and what cannot be done is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'yrd-hub-announcement-'))
    const file = join(folder, 'edition.json')
    expect(await hubOf('zj', 'export', '--out', file)).toMatchObject({ exit: 0, json: { file } })
    expect(await runHub(settingsOf(hub, REGIONS), ['announcement', 'verify', file, '--region', 'ah'])).toMatchObject({ exit: 0, json: { valid: true, figures: { same: true } } })
    writeFileSync(file, readFileSync(file, 'utf8').replace('"received@1"', '"received@2"'))
    expect(await runHub(settingsOf(hub, REGIONS), ['announcement', 'verify', file])).toMatchObject({ exit: 1, json: { valid: false } })
    for (const [format, begins] of [['xlsx', 'PK'], ['html', '<!']] as const) {
      const made = join(folder, format)
      expect(await hubOf('zj', 'export', '--edition', '1', '--format', format, '--out', made)).toMatchObject({ exit: 0 })
      expect(readFileSync(made).subarray(0, 2).toString()).toBe(begins)
    }
    expect(await hubOf('zj', 'export', '--format', 'pdf')).toMatchObject({ exit: 2 })
    expect(await hubOf('zj', 'export', '--draft', '--out', file)).toMatchObject({ exit: 1, json: { error: { en: expect.stringContaining('NO_DRAFT') } } })
    expect(await hubOf('zj', 'correct', '--voided', 'ZJ1')).toMatchObject({ exit: 2 })
    expect(await hubOf('zj', 'correct', '--wrong-trader', 'ZJ/none')).toMatchObject({ exit: 1, json: { error: { en: expect.stringContaining('CORRECTION_REFUSED') } } })
    expect(await hubOf('zj', 'rises')).toMatchObject({ exit: 0, json: [] })
    expect(await hubOf('zj', 'tips', '--tip', '节后退换请保留凭证。')).toMatchObject({ exit: 1, json: { error: { en: expect.stringContaining('NO_DRAFT') } } })
  })

  it('who may not: an officer approves nothing, an approver of another region has no key here, nobody reads the desk', async () => {
    expect(await desks.call('sh', 'officer', 'POST', '/v1/desk/announcements/315-week/2026/approvals', {})).toMatchObject({ status: 403, body: { code: 'ROLE_MISSING' } })
    expect(await desks.call('sh', 'reader', 'GET', '/v1/desk/announcements')).toMatchObject({ status: 403 })
  })
})
