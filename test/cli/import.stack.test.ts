import { TextReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js'
import { createReadStream, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Settings } from '@hub/cli/settings'
import type { ImportReport } from '@hub/client'
import { readWorkbook } from '@hub/connectors/readers/xlsx'
import { SOURCES } from '../connectors/import-file.ts'
import { openHub, type Hub } from '../hub.ts'
import { runHub } from './run-hub.ts'

let hub: Hub
let settings: Settings

beforeAll(async () => {
  const whole = { id: 'js-whole', owner: '江苏省市场监督管理局信用监督管理处', contact: '12315', streams: ['credit-blacklist'], caller: 'js-local-publisher', mode: 'full', cadence: 'P1D', versionRule: 'counter' }
  hub = await openHub({ regions: ['js'], sources: () => JSON.stringify({ sources: [whole] }) })
  settings = { topicPrefix: hub.fixture.prefix, regions: { js: { gateway: hub.url('js'), keys: hub.keys } } }
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

describe('hub import', () => {
  const file = join(SOURCES, 'js/credit-namelist.xlsx')

  test('asks before it publishes what it recognised, and says how to go on', async () => {
    const asked = await runHub(settings, ['import', file, '--source', 'js-list'], { json: false })
    expect(asked.exit).toBe(2)
    expect(asked.error).toContain('credit-namelist')
    expect(asked.error).toContain('hub import confirm')
    const id = /confirm ([0-9a-f-]{36})/.exec(asked.error)![1]!
    const confirmed = await runHub(settings, ['import', 'confirm', id])
    expect(confirmed.json).toMatchObject({ id, state: 'done' })
    const reverted = await runHub(settings, ['import', 'revert', id, '--region', 'js'])
    expect([reverted.exit, reverted.json]).toMatchObject([0, { state: 'reverted' }])
    const again = await runHub(settings, ['import', file, '--source', 'js-list', '--shape', 'credit-namelist'])
    expect(again.json).toMatchObject({ state: 'done', repeats: null, events: (confirmed.json as ImportReport).events })
  })

  test('with --yes publishes, tells rows with what is wrong, and the same again is a duplicate', async () => {
    const first = await runHub(settings, ['import', join(SOURCES, 'js/complaints.csv'), '--source', 'js-12315', '--region', 'js', '--yes'], { json: false })
    expect(first.out).toMatch(/refused/)
    expect(first.exit).toBe(2)
    const again = await runHub(settings, ['import', join(SOURCES, 'js/complaints.csv'), '--source', 'js-12315', '--shape', 'complaint-table'])
    expect(again.json).toMatchObject({ events: 0 } satisfies Partial<ImportReport>)
    expect((again.json as ImportReport).repeats).not.toBeNull()
  })

  test('--yes agrees to what a file is, and not to what it ends', async () => {
    const list = (...names: string[]): string => {
      const path = join(mkdtempSync(join(tmpdir(), 'yrd-hub-import-')), 'list.csv')
      writeFileSync(path, ['名单,企业名称,统一社会信用代码,列入日期,列入事由,列入决定机关', ...names.map((name) => `经营异常名录,${name},91330100799655058B,2024-03-${name.length},通过登记的住所或者经营场所无法联系,南京市市场监督管理局`), ''].join('\n'))
      return path
    }
    await runHub(settings, ['import', list('江苏某某甲甲甲有限公司', '江苏某某乙乙乙乙有限公司'), '--source', 'js-whole', '--yes'])
    for (const how of ['--yes', '--shape=credit-namelist']) {
      const half = await runHub(settings, ['import', list('江苏某某甲甲甲有限公司'), '--source', 'js-whole', how], { json: false })
      expect(half).toMatchObject({ exit: 2, error: expect.stringContaining('名单未再列出 1 条记录') })
      const id = /confirm ([0-9a-f-]{36})/.exec(half.error)![1]!
      expect((await runHub(settings, ['import', how === '--yes' ? 'cancel' : 'confirm', id])).json).toMatchObject(how === '--yes' ? { state: 'failed', absent: 1 } : { state: 'done', absent: 1, events: 1 })
    }
  })

  test('a dry run publishes nothing', async () => {
    const { json } = await runHub(settings, ['import', join(SOURCES, 'js/inspection-food.csv'), '--source', 'js-food', '--shape', 'inspection-food', '--dry-run'])
    expect(json).toMatchObject({ state: 'done', dryRun: true, events: 0 })
  })

  test('several files at once', async () => {
    const { json } = await runHub(settings, ['import', join(SOURCES, 'js/inspection-food.csv'), join(SOURCES, 'js/inspection-notice.txt'), '--source', 'js-food', '--yes'])
    expect((json as ImportReport[]).map(({ state, shape }) => [state, shape?.id])).toEqual([['done', 'inspection-food'], ['done', 'inspection-notice']])
  })
})

test('what is no file of ours is told with what to do about it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'yrd-hub-import-'))
  writeFileSync(join(folder, 'empty.csv'), '')
  const run = (path: string) => runHub(settings, ['import', path, '--source', 'js-list', '--yes'], { json: false })
  const asFolder = await run(folder)
  expect([asFolder.exit, asFolder.error]).toEqual([2, expect.stringContaining('是文件夹')])
  const missing = await run(join(folder, 'missing.csv'))
  expect([missing.exit, missing.error]).toEqual([2, expect.stringContaining('ENOENT')])
  const empty = await run(join(folder, 'empty.csv'))
  expect([empty.exit, empty.out]).toEqual([2, expect.stringContaining('the file is empty')])
})

/** A workbook as office software writes one: texts shared, a title above the header. */
async function spreadsheet(rows: readonly (readonly string[])[]): Promise<string> {
  const texts = [...new Set(rows.flat())]
  const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  const column = (at: number): string => String.fromCharCode(65 + at)
  const parts = {
    'xl/workbook.xml': '<workbook xmlns:r="r"><sheets><sheet name="Sheet1" sheetId="1" r:id="a"/></sheets></workbook>',
    'xl/_rels/workbook.xml.rels': '<Relationships><Relationship Id="a" Target="worksheets/sheet1.xml"/></Relationships>',
    'xl/sharedStrings.xml': `<sst>${texts.map((text) => `<si><t>${xml(text)}</t></si>`).join('')}</sst>`,
    'xl/worksheets/sheet1.xml': `<worksheet><sheetData>${rows.map((cells, row) => `<row r="${row + 1}">${cells.map((text, at) => `<c r="${column(at)}${row + 1}" t="s"><v>${texts.indexOf(text)}</v></c>`).join('')}</row>`).join('')}</sheetData></worksheet>`,
  }
  const writer = new ZipWriter(new Uint8ArrayWriter())
  for (const [name, text] of Object.entries(parts)) await writer.add(name, new TextReader(text))
  const path = join(mkdtempSync(join(tmpdir(), 'yrd-hub-import-')), '名单.xlsx')
  writeFileSync(path, await writer.close())
  return path
}

const LISTING = ['南京市市场监督管理局', '2024年3月8日', '通过登记的住所或者经营场所无法联系的', '91330100799655058B', '江苏某某丙丙有限公司']

describe('a spreadsheet that nobody has seen before', () => {
  test('with other spellings of its header, in another order, is imported right', async () => {
    const path = await spreadsheet([['2024年3月经营异常名录公告'], ['列入决定机关', '列入 时间', '列入经营异常名录原因', '社会信用代码', '主体名称', '备注'], [...LISTING, '―']])
    const { exit, json } = await runHub(settings, ['import', path, '--source', 'js-fresh', '--yes'])
    expect([exit, json]).toMatchObject([0, { state: 'done', verdicts: { accepted: 1 }, shape: { id: 'credit-namelist' } }])
    expect((json as ImportReport).recognised!.columns).toEqual(expect.arrayContaining([{ field: 'listedOn', column: '列入 时间' }, { field: 'name', column: '主体名称' }]))
    const { rows } = await hub.db('js').query<{ id: string }>(`SELECT record_id AS id FROM published WHERE record_id LIKE 'js-fresh/%'`)
    expect(rows.map(({ id }) => id)).toEqual([expect.stringMatching(/91330100799655058B-20240308$/)])
  })

  test('with a column that nobody knows it says which field has none, and where its name is added', async () => {
    const path = await spreadsheet([['列入决定机关', '上榜日子', '列入原因', '信用代码', '企业名称'], LISTING])
    const { exit, out } = await runHub(settings, ['import', path, '--source', 'js-fresh', '--yes'], { json: false })
    expect(exit).toBe(2)
    expect(out).toContain('listedOn（列入日期、列入时间）')
    expect(out).toContain('未识别的列：上榜日子')
    expect(out).toContain('services/connectors/shapes/credit-namelist/index.ts')
  })
})

test('--marked writes a workbook of the rows with their verdicts beside the file, before it is imported', async () => {
  const path = await spreadsheet([['列入决定机关', '列入时间', '列入原因', '信用代码', '企业名称'], LISTING, [LISTING[0]!, '2024-02-30', ...LISTING.slice(2)]])
  const marked = `${path}.marked.xlsx`
  const { exit, error } = await runHub(settings, ['import', path, '--source', 'js-marked', '--marked', marked, '--dry-run', '--shape', 'credit-namelist'], { json: false })
  expect([exit, error]).toEqual([2, expect.stringContaining(marked)])
  const rows = (await Array.fromAsync(readWorkbook(createReadStream(marked)))).flat().map(({ cells }) => cells[2]!.split(' · ')[1])
  expect(rows).toEqual(['Verdict', 'accepted', 'refused'])
  const none = await runHub(settings, ['import', path, '--source', 'js-marked', '--marked', '/no/such/folder/x.xlsx', '--shape', 'credit-namelist'], { json: false })
  expect([none.exit, none.error]).toEqual([2, expect.stringContaining('无法写入')])
  expect((await hub.db('js').query(`SELECT 1 FROM published WHERE record_id LIKE 'js-marked/%'`)).rows).toEqual([])
})

test('a file that may not be read is told by its path and why', async () => {
  // Rights mean nothing to root; what root cannot read either is the memory behind this file.
  const path = process.getuid?.() === 0 ? '/proc/self/mem' : join(mkdtempSync(join(tmpdir(), 'yrd-hub-import-')), 'closed.csv')
  if (path !== '/proc/self/mem') writeFileSync(path, 'x', { mode: 0 })
  const { exit, error } = await runHub(settings, ['import', path, '--source', 'js-list', '--shape', 'credit-namelist'], { json: false })
  expect([exit, error]).toEqual([2, expect.stringContaining(`无法读取 ${path}`)])
})

test('what is from outside the four regions is refused: a region by its name, totals as what they are, a listing with the region it would have to be of', async () => {
  const figures = join(SOURCES, 'shangluo/315-2020.csv')
  const region = await runHub(settings, ['import', figures, '--source', 'sn-12315', '--region', 'shangluo'], { json: false })
  expect([region.exit, region.error]).toEqual([2, expect.stringContaining('sh、js、zj、ah')])
  const totals = await runHub(settings, ['import', figures, '--source', 'js-12315', '--yes'], { json: false })
  expect([totals.exit, totals.out]).toEqual([2, expect.stringContaining('sh, js, zj, ah')])
  const listed = await runHub(settings, ['import', join(SOURCES, 'bad/out-of-region.csv'), '--source', 'js-list', '--shape', 'credit-namelist'], { json: false })
  expect([listed.exit, listed.out]).toEqual([2, expect.stringContaining('js: 江苏省 32××××')])
})
