import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

const DIGITS = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const HEADER = '名单,企业名称,统一社会信用代码,列入日期,列入事由,列入决定机关'

interface Report { id: string; state: string; rows: number; events: number; absent: number | null; verdicts: Record<string, number>; problem: { code: string } | null }

let fixture: Fixture
let gateway: TestGateway
beforeAll(async () => {
  fixture = await openFixture()
  const sourcesFile = join(await fixture.stateDir(), 'sources.yaml')
  const source = { owner: '杭州市市场监督管理局信息中心', contact: '0571-12345678', streams: ['credit-blacklist'], caller: 'publisher', cadence: 'P1D', versionRule: 'counter' }
  await writeFile(sourcesFile, JSON.stringify({ sources: [{ ...source, id: 'whole', mode: 'full' }, { ...source, id: 'part', mode: 'changes' }] }))
  gateway = await startGateway(fixture, { config: { sourcesFile } })
})
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

/** A credit code that passes its check. */
function codeOf(no: number): string {
  const body = `9133010${DIGITS[no % 31]}MA${String(no).padStart(7, '2')}`
  const sum = [...body].reduce((total, digit, at) => total + DIGITS.indexOf(digit) * (3 ** at % 31), 0)
  return body + DIGITS[(31 - (sum % 31)) % 31]
}

const row = (no: number): string => `经营异常名录,杭州某某${no}有限公司,${codeOf(no)},2024-03-${String(no % 28 + 1).padStart(2, '0')},通过登记的住所或者经营场所无法联系,杭州市市场监督管理局`
const rows = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => row(from + i))

async function importList(source: string, lines: readonly string[], query = ''): Promise<Report> {
  const response = await fetch(`${gateway.url}/v1/imports/${source}?wait=true&shape=credit-namelist&file=list.csv${query}`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` }, body: [HEADER, ...lines, ''].join('\n') })
  expect(response.status).toBeLessThan(300)
  return await response.json() as Report
}

async function act(id: string, action: 'confirm' | 'cancel'): Promise<Report> {
  return await (await fetch(`${gateway.url}/v1/imports/${id}/${action}?wait=true`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` } })).json() as Report
}

/** Records of a source by the kind of their newest version. */
async function kinds(source: string): Promise<Record<string, number>> {
  const { rows: found } = await gateway.db.query<{ kind: string; count: number }>(
    `SELECT kind, count(*)::int AS count FROM (SELECT DISTINCT ON (record_id) kind FROM published WHERE record_id LIKE $1 ORDER BY record_id, version DESC) newest GROUP BY kind`, [`${source}/%`])
  return Object.fromEntries(found.map(({ kind, count }) => [kind, count]))
}

const page = async (path: string): Promise<string> => (await fetch(gateway.url + path, { headers: { authorization: `Bearer ${KEYS.publisher}` } })).text()

/** An import has ended before its hand-over is written. */
const handedOver = (source: string, times: number) => eventually(`${times} hand-overs of ${source}`, async () => (await handOvers(source)) === times)
const handOvers = async (source: string): Promise<number> => (await gateway.db.query('SELECT FROM hand_over WHERE source = $1', [source])).rowCount

test('what a complete list does not name any more has ended; named again it is restored; each list is a hand-over', async () => {
  expect(await importList('whole', rows(0, 100))).toMatchObject({ state: 'done', events: 100, absent: 0 })
  expect(await importList('whole', rows(2, 101))).toMatchObject({ state: 'done', events: 3, absent: 2 })
  expect(await kinds('whole')).toEqual({ original: 99, removal: 2 })
  expect(await importList('whole', rows(2, 101))).toMatchObject({ state: 'done', events: 0, absent: 0 })
  expect(await importList('whole', rows(1, 101))).toMatchObject({ state: 'done', events: 1, absent: 0 })
  expect(await kinds('whole')).toEqual({ original: 99, removal: 1, restored: 1 })
  await handedOver('whole', 4)
  const { rows: [source] } = await gateway.db.query<{ complete: boolean }>(`SELECT baseline_complete_at IS NOT NULL AS complete FROM declared_source WHERE id = 'whole'`)
  expect(source!.complete).toBe(true)
})

test('a list that would end too many waits for a person: its new rows are in, and it is no hand-over until then', async () => {
  const list = [row(1), ...rows(90, 110)]
  const half = await importList('whole', list)
  expect(half).toMatchObject({ state: 'waiting-confirmation', absent: 88, problem: { code: 'many-absent' } })
  expect(await kinds('whole')).toEqual({ original: 108, removal: 1, restored: 1 })
  expect(await handOvers('whole')).toBe(4)
  expect(await page('/status')).toMatch(/名单未再列出 88 条记录/)
  expect(await page(`/import/${half.id}`)).toMatch(/新的行已导入[\s\S]*确认这些记录已终结/)
  expect(await act(half.id, 'cancel')).toMatchObject({ state: 'failed', problem: { code: 'given-up' } })
  expect(await kinds('whole')).toMatchObject({ removal: 1 })

  const again = await importList('whole', list)
  expect(again).toMatchObject({ state: 'waiting-confirmation', absent: 88 })
  const done = await act(again.id, 'confirm')
  expect(done).toMatchObject({ state: 'done', rows: 21, absent: 88, events: 88, problem: null })
  expect(done.verdicts).toEqual(again.verdicts)
  expect(await kinds('whole')).toEqual({ original: 20, removal: 89, restored: 1 })
  await handedOver('whole', 5)
})

test('a header without rows ends everything, and is asked about; a rehearsal ends nothing', async () => {
  expect(await importList('whole', [], '&dryRun=true')).toMatchObject({ state: 'done', absent: null })
  const empty = await importList('whole', [])
  expect(empty).toMatchObject({ state: 'waiting-confirmation', absent: 21 })
  await act(empty.id, 'cancel')
  expect(await handOvers('whole')).toBe(5)
})

test('a refused row may name any record: the first absent one is asked about', async () => {
  const asked = await importList('whole', [row(1), ...rows(91, 110), '经营异常名录,某某公司,,,,'])
  expect(asked).toMatchObject({ state: 'waiting-confirmation', absent: 1, verdicts: { refused: 1 } })
  await act(asked.id, 'cancel')
})

test('a source of changes ends nothing by absence, and a file without rows is a hand-over', async () => {
  await importList('part', rows(0, 10))
  expect(await importList('part', [])).toMatchObject({ state: 'done', rows: 0, absent: null })
  expect(await kinds('part')).toEqual({ original: 10 })
  await handedOver('part', 2)
})

test('a source that nobody declares is imported as before, and hands over nothing', async () => {
  expect(await importList('nobodys', rows(0, 3))).toMatchObject({ state: 'done', events: 3, absent: null })
  expect(await handOvers('nobodys')).toBe(0)
})

test('a removal whose listing has not come is shown as waiting until it comes', async () => {
  const removal = ['名单,企业名称,统一社会信用代码,列入日期,移出日期,移出原因,移出决定机关', `经营异常名录,杭州某某500有限公司,${codeOf(500)},2024-03-25,2025-01-10,履行义务,杭州市市场监督管理局`, ''].join('\n')
  const response = await fetch(`${gateway.url}/v1/imports/late?wait=true&shape=credit-namelist&file=removals.csv`, { method: 'POST', headers: { authorization: `Bearer ${KEYS.publisher}` }, body: removal })
  expect(await response.json()).toMatchObject({ state: 'done', verdicts: { waiting: 1 } })
  expect(await page('/status')).toMatch(/late<\/code>：1 条记录有移出而无列入/)
  await importList('late', [row(500).replace(/2024-03-\d\d/, '2024-03-25')])
  expect(await kinds('late')).toEqual({ removal: 1 })
  expect(await page('/status')).not.toContain('有移出而无列入')
})
