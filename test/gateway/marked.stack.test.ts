import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readWorkbook } from '@hub/connectors/readers/xlsx'
import { rowsOf, SOURCES } from '../connectors/import-file.ts'
import { COMPLAINANT } from '../connectors/markers.ts'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

const HEADER = '登记编号,工单类型,登记时间,更新时间,办理状态,问题类别,投诉人姓名,被投诉方名称,统一社会信用代码'

let fixture: Fixture
let gateway: TestGateway

beforeAll(async () => {
  fixture = await openFixture()
  gateway = await startGateway(fixture, { region: 'js' })
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

async function mark(body: Buffer | string, query = ''): Promise<Response> {
  return fetch(`${gateway.url}/v1/imports/marked/marked?file=x.csv${query}`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` }, body: typeof body === 'string' ? body : new Uint8Array(body) })
}

async function sheetOf(response: Response): Promise<string[][]> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(await response.arrayBuffer())
  }
  return (await Array.fromAsync(rowsOf(readWorkbook(bytes())))).map(({ cells }) => [...cells])
}

async function files(): Promise<string[]> {
  return (await readdir(join(gateway.stateDir, 'imports'))).filter((name) => name !== 'gateway')
}

test('each row has its verdict, what is wrong and what to do beside; nothing is published and nothing stays', async () => {
  const rows = [
    'A1,投诉,2026-03-05 08:00:00,2026-03-05 08:00:00,已受理,Q0001,曹然骉,天宁某某物业服务有限公司,91320402993459018Q',
    'A2,投诉,2026-02-30 08:00:00,2026-03-05 08:00:00,已受理,Q0001,曹然骉,天宁某某物业服务有限公司,',
    'A3,投诉,2026-03-05 08:00:00,2026-03-05 08:00:00,已受理,Q0001,曹然骉,"=HYPERLINK(""http://x"")",',
    'A4,投诉,2026-03-05 08:00:00,2026-03-05 08:00:00,已受理,Q0001,曹然骉,天宁某某物业服务有限公司,11010119900307123X',
  ]
  const response = await mark([HEADER, ...rows, ''].join('\n'))
  expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).toEqual([200, 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'no-store'])
  const [head, ...sheet] = await sheetOf(response)
  expect(head).toEqual(expect.arrayContaining(['结果 · Verdict', '登记编号', '统一社会信用代码']))
  expect(head).not.toContain('投诉人姓名')
  const [verdict, what, number, name, code] = ['结果 · Verdict', '说明 · What', '登记编号', '被投诉方名称', '统一社会信用代码'].map((title) => head!.indexOf(title))
  expect(sheet.map((cells) => [cells[number!], cells[verdict!]!.split(' · ')[1]])).toEqual([['A1', 'accepted'], ['A2', 'refused'], ['A3', 'refused'], ['A4', 'accepted']])
  expect(sheet[1]![what!]).toMatch(/^登记时间：不是有效日期：改为存在的日期/)
  expect(sheet[2]![name!]).toBe(`'=HYPERLINK("http://x")`)
  expect(sheet[3]![what!]).toContain('疑似身份证号码')
  expect(sheet[3]![code!]).toContain('未列出')
  expect(JSON.stringify(sheet)).not.toMatch(/曹然骉|11010119900307123X/)
  expect((await gateway.db.query('SELECT 1 FROM import UNION ALL SELECT 1 FROM published')).rows).toEqual([])
  await eventually('the file is gone', async () => (await files()).length === 0 || undefined)
})

test.each([
  ['js/complaints.csv', 'complaint-table'], ['js/credit-namelist.xlsx', 'credit-namelist'], ['js/inspection-food.csv', 'inspection-food'], ['js/inspection-notice.txt', 'inspection-notice'],
])('%s: one line for each row that is counted, by the same verdicts as a dry run', async (file, shape) => {
  const bytes = readFileSync(join(SOURCES, file))
  const [head, ...sheet] = await sheetOf(await mark(bytes, `&shape=${shape}`))
  const report = await (await fetch(`${gateway.url}/v1/imports/marked?wait=true&dryRun=true&shape=${shape}`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` }, body: new Uint8Array(bytes) })).json() as { rows: number, verdicts: Record<string, number> }
  const verdicts = Object.groupBy(sheet, (cells) => cells[head!.indexOf('结果 · Verdict')]!)
  expect(sheet.length).toBe(report.rows)
  expect(Object.values(verdicts).map((rows) => rows!.length).sort()).toEqual(Object.values(report.verdicts).sort())
  expect(COMPLAINANT.exec(JSON.stringify(sheet))).toBeNull()
})

test('a file that is none is refused in words, one that breaks off is marked up to there, and a reader who leaves leaves nothing behind', async () => {
  const unknown = await mark('甲,乙\n1,2\n')
  expect([unknown.status, await unknown.json()]).toEqual([422, expect.objectContaining({ code: 'FILE_UNREADABLE', detail: expect.stringContaining('unknown-shape') })])
  const [, ...sheet] = await sheetOf(await mark(`${HEADER}\nA1,投诉,2026-03-05,2026-03-05,已受理,Q0001,,,\nA2,"投诉\n`, '&shape=complaint-table'))
  expect(sheet.map((cells) => cells[2]!.split(' · ')[1])).toEqual(['accepted', 'refused'])
  const leaving = new AbortController()
  const many = [HEADER, ...Array.from({ length: 60_000 }, (_, row) => `B${row},投诉,2026-03-05,2026-03-05,已受理,Q0001,,天宁某某${row}有限公司,`), ''].join('\n')
  const left = fetch(`${gateway.url}/v1/imports/marked/marked?shape=complaint-table`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` }, body: many, signal: leaving.signal })
  left.catch(() => {})
  await eventually('it is being read', async () => (await files()).length === 1 || undefined)
  leaving.abort()
  await eventually('the file is gone', async () => (await files()).length === 0 || undefined)
})
