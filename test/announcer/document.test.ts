import { documentPage } from '@hub/announcer/document/page'
import { growth, inWan, inYuan, percent } from '@hub/announcer/document/shown'
import { STYLE } from '@hub/announcer/document/style'
import { tablesOf } from '@hub/announcer/document/tables'
import { documentWorkbook } from '@hub/announcer/document/workbook'
import { struck } from '@hub/announcer/edition/annex'
import type { Edition } from '@hub/announcer/edition/model'
import { erratumOf, retractionOf } from '@hub/announcer/edition/statement'
import { loadCalendar } from '@hub/announcer/calendar/load'
import { BlobReader, TextWriter, ZipReader } from '@zip.js/zip.js'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { beforeAll, describe, expect, test } from 'vitest'
import { sampleCells } from './sample-cells.ts'
import { sampleEdition } from './sample-edition.ts'

const VERIFY = 'https://gs.example.cn/announcements/spring-festival/2026/verify?edition=1'
const HOSTILE = '<script>alert("1")</script>&\u0000\'=cmd|calc'
const editions = new Map<string, Edition>()
const pages = new Map<string, string>()

beforeAll(async () => {
  const cells = await sampleCells()
  editions.set('full', sampleEdition(cells, { demo: true, tips: [{ zh: HOSTILE, en: '=1+1' }] }))
  editions.set('withheld', sampleEdition(cells, { campaign: '315-week', minimum: 4 }))
  editions.set('partial', sampleEdition(cells, { campaign: '315', missing: 'zj', minimum: 3 }))
  editions.set('erratum', sampleEdition(cells, { missing: 'zj', then: (first, cut) => erratumOf({ ...cut, regions: { ...cut.regions, zj: cut.regions.sh } }, loadCalendar(), first, [{ region: 'zj', reason: 'region-returned', recordId: null, before: null, after: null }]) }))
  editions.set('retracted', sampleEdition(cells, { then: (first) => retractionOf(first) }))
  const hostile = structuredClone(editions.get('withheld')!) as { annex: { rows: { trader: { name: string } | null }[] } } & Edition
  hostile.annex.rows[0]!.trader!.name = `=${HOSTILE}`
  editions.set('hostile', { ...hostile, annex: { ...hostile.annex, rows: [hostile.annex.rows[0]!, ...struck(hostile.annex, () => true).rows.slice(1)] } })
  for (const [name, edition] of editions) pages.set(name, await documentPage(edition, { verifyAt: VERIFY, draft: false }))
})

const NAMES = ['full', 'withheld', 'partial', 'erratum', 'retracted', 'hostile']

describe.each(NAMES)('the page of an edition that is %s', (name) => {
  test('has every number and every text of the edition', () => {
    const words = textOf(pages.get(name)!)
    const { statement, annex, digests, recomputed, approved, tips } = editions.get(name)!
    const absent: string[] = []
    const walk = (value: unknown, path: string): void => {
      if (value === null || typeof value === 'boolean') return
      if (Array.isArray(value)) return value.forEach((one, at) => walk(one, `${path}.${at}`))
      if (typeof value === 'object') return Object.entries(value).forEach(([key, one]) => walk(one, path === '' ? key : `${path}.${key}`))
      if (typeof value === 'number' && !words.includes(value.toLocaleString('en-US')) && !words.includes(String(value))) absent.push(`${path} ${value}`)
      if (/recoveredFen$/.test(path) && !words.includes(inYuan(value as string))) absent.push(`${path} ${value}`)
      if (/(digest|Digest|signature|kid|commitment|approval|uscc|text\.0|name\.0|title\.0|aggregates)$/.test(path) && !words.includes(String(value))) absent.push(`${path} ${value}`)
    }
    const { figures, ...rest } = statement
    walk({ rest, digests, recomputed, approved, annexRows: annex.rows.map(({ commitment, trader }) => ({ commitment, trader: trader === null ? null : { ...trader, name: null } })) }, '')
    walk(figures, 'figures')
    for (const { zh } of tips) expect(words).toContain(zh.replace('\u0000', ''))
    expect(absent).toEqual([])
  })

  test('has no cell that is empty, and tells why where there is no number', () => {
    expect(pages.get(name)).not.toMatch(/<(td|th)[^>]*><\/(td|th)>/)
    for (const { columns, rows, notes, caption } of tablesOf(editions.get(name)!)) {
      for (const row of rows) {
        expect(row, caption).toHaveLength(columns.length)
        for (const { text, absent } of row) {
          expect(text.trim(), caption).not.toBe('')
          if (absent) expect(notes.some((note) => note.startsWith(text)), `${caption}: ${text}`).toBe(true)
        }
      }
    }
  })

  test('is well formed, stands alone, and can be read by those who do not see it', () => {
    const page = pages.get(name)!
    const xml = page.replace('<!doctype html>', '').replace(/<(meta|br)([^>]*)>/g, '<$1$2/>')
    expect(XMLValidator.validate(xml)).toBe(true)
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|\sstyle=|url\(|@import/)
    expect(page).toContain(`<style>${STYLE}</style>`)
    expect(page).toMatch(/^<!doctype html>\n<html lang="zh-CN">/)
    const headings = [...page.matchAll(/<h(\d)/g)].map(([, level]) => Number(level))
    expect(headings[0]).toBe(1)
    expect(headings.every((level, at) => at === 0 || (level > 1 && level - headings[at - 1]! <= 1))).toBe(true)
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, labels] of page.matchAll(/aria-labelledby="([^"]+)"/g)) for (const id of labels!.split(' ')) expect(ids).toContain(id)
    for (const [, anchor] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(anchor)
    for (const [table] of page.matchAll(/<table[\s\S]*?<\/table>/g)) {
      expect(table).toMatch(/<caption/)
      expect(table.match(/<th(?! ?scope|ead)[ >]/)).toBeNull()
    }
  })
})

test('a missing region is named in the title and in every table, and is no zero', () => {
  const { statement } = editions.get('partial')!
  expect(pages.get('partial')).toMatch(/<title>[^<]*未含浙江/)
  expect(pages.get('partial')).toContain('浙江未能参加本次截数')
  for (const { id, columns, rows } of tablesOf(editions.get('partial')!).filter((one) => ['counts', 'goods', 'services', 'issues'].includes(one.id))) {
    const at = columns.findIndex(({ name }) => name === '浙江')
    expect(rows.map((row) => row[at]), id).toEqual(rows.map(() => ({ text: '地区缺失', absent: true })))
  }
  expect(statement.figures!.counts[0]!.counts.zj).toBeNull()
})

test('a demonstration and a draft say so', async () => {
  expect(pages.get('full')).toMatch(/<title>[^<]*（演示数据）/)
  expect(pages.get('full')).toContain('<p class="mark" aria-hidden="true">演示数据</p>')
  expect(pages.get('withheld')).not.toContain('演示数据')
  expect(await documentPage(editions.get('full')!, { verifyAt: VERIFY, draft: true })).toMatch(/<title>[^<]*（草案）（演示数据）/)
  expect(pages.get('retracted')).toContain('本公示已撤回')
})

test('what others wrote stays text', () => {
  expect(pages.get('full')).toContain('&lt;script&gt;')
  expect(pages.get('hostile')).toContain('=&lt;script&gt;alert(&quot;1&quot;)')
})

test('a rate that is withheld is in no words of the page', () => {
  expect(editions.get('withheld')!.statement.figures!.mediation.values.total.withheld).toBe(true)
  expect(textOf(pages.get('withheld')!)).toContain('调解成功率和挽回金额暂不公布')
})

test.each([[() => inWan('18945185'), '18.95'], [() => inYuan('18945185'), '189,451.85'], [() => inWan('4999'), '0.00'], [() => inWan('5000'), '0.01'], [() => percent({ numerator: 47, denominator: 67 }), '70.1%'], [() => percent({ numerator: 1, denominator: 1 }), '100.0%'],
  [() => growth(9, 10), '−10.0%'], [() => growth(10, 10), '0.0%'], [() => growth(12_345, 1), '+1,234,400.0%']])('%s is %s', (shown, text) => {
  expect(shown()).toBe(text)
})

describe.each(NAMES)('the workbook of an edition that is %s', (name) => {
  test('has a sheet for every table with the same cells, counts as numbers, and no formula', async () => {
    const sheets = await unpacked(await documentWorkbook(editions.get(name)!, false))
    const tables = tablesOf(editions.get(name)!)
    expect(sheets.size).toBe(tables.length + 1)
    for (const [at, { rows }] of tables.entries()) {
      const cells = sheets.get(at + 2)!
      expect(cells.slice(1, rows.length + 1)).toEqual(rows.map((row) => row.map(({ text, value }) => value ?? (/^[=+\-@]/.test(text) ? `'${text}` : text))))
      expect(cells.flat().some((cell) => typeof cell === 'string' && /^[=+\-@]/.test(cell))).toBe(false)
    }
  })

  test('is the same bytes each time', async () => {
    expect(await documentWorkbook(editions.get(name)!, false)).toEqual(await documentWorkbook(editions.get(name)!, false))
  })
})

/** The cells of every sheet, by its number. */
async function unpacked(bytes: Uint8Array): Promise<Map<number, (string | number)[][]>> {
  const parser = new XMLParser({ ignoreAttributes: false, trimValues: false, isArray: (tag: string) => tag === 'row' || tag === 'c', parseTagValue: false })
  const sheets = new Map<number, (string | number)[][]>()
  for (const entry of await new ZipReader(new BlobReader(new Blob([bytes as Uint8Array<ArrayBuffer>]))).getEntries()) {
    if (entry.directory) continue
    const xml = await entry.getData(new TextWriter())
    expect(XMLValidator.validate(xml), entry.filename).toBe(true)
    expect(xml).not.toMatch(/<f>/)
    const number = /sheet(\d+)\.xml$/.exec(entry.filename)?.[1]
    if (number === undefined) continue
    const { worksheet } = parser.parse(xml) as { worksheet: { sheetData: { row: { c?: { v?: string, is?: { t: { '#text': string } } }[] }[] } } }
    sheets.set(Number(number), worksheet.sheetData.row.map(({ c = [] }) => c.map(({ v, is }) => (v === undefined ? is!.t['#text'] : Number(v)))))
  }
  return sheets
}

/** What somebody reads on the page. */
function textOf(page: string): string {
  return page.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<[^>]+>/g, ' ').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&')
}
