import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ImportReport } from '@hub/client'
import { SOURCES } from '../connectors/import-file.ts'
import { openHub, type Hub } from '../hub.ts'

let hub: Hub

beforeAll(async () => { hub = await openHub({ regions: ['ah', 'sh'] }) })
afterAll(() => hub?.[Symbol.asyncDispose]())

/** A file of its own for each act, as offices hand them over: on different days and in any order. */
async function hand(source: string, shape: string, header: string, ...rows: readonly string[]): Promise<ImportReport> {
  const body = [header, ...rows, ''].join('\n')
  return await (await fetch(`${hub.url('ah')}/v1/imports/${source}?shape=${shape}&wait=true`, { method: 'POST', headers: { authorization: `Bearer ${hub.keys.publisher}` }, body })).json() as ImportReport
}

/** What a record is in the other region; undefined while it has none. */
async function inShanghai(stream: 'credit-blacklist' | 'inspection-failure', recordId: string): Promise<{ kind: string, ended: boolean, body?: Record<string, unknown> } | undefined> {
  await hub.settled(45_000)
  const table = stream === 'credit-blacklist' ? 'credit_blacklist' : 'inspection_failure'
  const { rows: [row] } = await hub.db('sh').query<{ kind: string, ended: boolean }>(`SELECT kind, ended FROM ${table} WHERE region = 'ah' AND record_id = $1`, [recordId])
  if (row === undefined || row.ended) return row
  const { records } = await hub.client('sh', 'reader').records(stream, recordId) as unknown as { records: { body: Record<string, unknown> }[] }
  return { ...row, body: records[0]!.body }
}

const LOG = '公告日期,业务类型,名单类别,企业名称,统一社会信用代码/注册号,事由,决定文号,作出决定机关,决定日期,对应列入文号'
const FIRM = '某某公司,91330100799655058B'
const LISTED = `2025年1月10日,列入,经营异常名录,${FIRM},通过登记的住所或者经营场所无法联系,蜀市监异列〔2025〕1号,合肥市蜀山区市场监督管理局,2025年1月8日,`
const REMOVED = `2025年8月22日,移出,经营异常名录,${FIRM},通过登记的住所（经营场所）可以重新取得联系,禹市监异移〔2025〕7号,蚌埠市禹会区市场监督管理局,2025年8月20日,蜀市监异列〔2025〕1号`
const RESTORED = `2025年9月3日,恢复列入,经营异常名录,${FIRM},,蜀市监恢〔2025〕1号,合肥市蜀山区市场监督管理局,2025年9月1日,蜀市监异列〔2025〕1号`

test('a removal waits for its listing, is effective and flagged where another authority made it, and the one that listed may answer', async () => {
  const id = 'ah-credit/蜀市监异列〔2025〕1号'
  expect((await hand('ah-credit', 'credit-log', LOG, REMOVED)).verdicts).toEqual({ waiting: 1 })
  expect(await inShanghai('credit-blacklist', id)).toBeUndefined()

  expect(await hand('ah-credit', 'credit-log', LOG, LISTED)).toMatchObject({ verdicts: { accepted: 1 }, flags: { 'other-authority': 1 }, events: 1 })
  expect(await inShanghai('credit-blacklist', id)).toEqual({ kind: 'removal', ended: true })

  expect(await hand('ah-credit', 'credit-log', LOG, RESTORED)).toMatchObject({ verdicts: { 'new-version': 1 }, flags: {}, events: 1 })
  expect(await inShanghai('credit-blacklist', id)).toMatchObject({ kind: 'restored', ended: false, body: { listedOn: '2025-01-08', authority: { name: '合肥市蜀山区市场监督管理局' } } })

  // Both again, in one file with a line more: nothing turns back.
  expect(await hand('ah-credit', 'credit-log', LOG, REMOVED, LISTED)).toMatchObject({ verdicts: { duplicate: 2 }, events: 0 })
  expect(await inShanghai('credit-blacklist', id)).toMatchObject({ kind: 'restored' })
})

const [HEADER, ...SAMPLES] = readFileSync(join(SOURCES, 'ah/inspection-food-a.csv'), 'utf8').replace('\ufeff', '').split(/\r?\n/)

/** A real line by what its remark says, and the same sample's first conclusion, without one. */
function sampleWith(remark: RegExp): { no: string, final: string, first: string } {
  const final = SAMPLES.find((line) => remark.test(line))!
  const cells = final.split(',')
  return { no: cells.at(-1)!, final, first: cells.with(-2, '').join(',') }
}

const food = (line: string): Promise<ImportReport> => hand('ah-inspection', 'inspection-food', HEADER!, line)

test.each([['upheld', /维持初检结论/], ['denied', /系假冒/]] as const)('a conclusion that was %s stands, be the first one told before or after', async (outcome, remark) => {
  const { no, final, first } = sampleWith(remark)
  const record = async (): Promise<Record<string, unknown>> => (await inShanghai('inspection-failure', `ah-inspection/${no}`))!.body!
  expect((await food(final)).events).toBe(1)
  expect(await record()).toMatchObject({ outcome })
  await food(first)
  expect(await record()).toMatchObject({ outcome })
  const attributions = ((await record())['parties'] as { role: string, attribution: string }[]).filter(({ role }) => role === 'nominal-producer').map(({ attribution }) => attribution)
  expect(attributions.every((attribution) => attribution === 'denied')).toBe(outcome === 'denied')
})

test('an overturned failure is void in every region, and its first conclusion told late does not bring it back', async () => {
  const { no, final, first } = sampleWith(/变更为合格/)
  expect((await food(first)).events).toBe(1)
  expect(await inShanghai('inspection-failure', `ah-inspection/${no}`)).toMatchObject({ kind: 'original', ended: false })
  expect((await food(final)).events).toBe(1)
  expect(await inShanghai('inspection-failure', `ah-inspection/${no}`)).toEqual({ kind: 'void', ended: true })
  expect((await food(`${first} `)).events).toBe(0)
  expect(await inShanghai('inspection-failure', `ah-inspection/${no}`)).toEqual({ kind: 'void', ended: true })
})
