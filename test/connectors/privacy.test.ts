import { describe, expect, test } from 'vitest'
import { recognise } from '@hub/connectors/recognise'
import { SHAPES } from '@hub/connectors/shapes/index'
import type { Region } from '@hub/schemas/streams'
import { importFile, rowsOf, sourceFile } from './import-file.ts'
import { COMPLAINANT } from './markers.ts'

const FILES: readonly (readonly [file: string, shape: string])[] = [
  ['sh/complaints.ndjson', 'complaint-cases'], ['js/complaints.csv', 'complaint-table'], ['zj/complaints-changes.ndjson', 'complaint-changes'], ['ah/complaints.csv', 'complaint-table'],
  ['zj/credit-abnormal-feed.csv', 'credit-feed'], ['zj/credit-serious-feed.csv', 'credit-feed'], ['zj/credit-soletrader-mark-feed.csv', 'credit-feed'], ['sh/credit-gsxt-pages.json', 'credit-pages'],
  ['js/credit-namelist.xlsx', 'credit-namelist'], ['ah/credit-list-log.csv', 'credit-log'], ['ah/credit-penalty-table.csv', 'credit-penalties'],
  ['sh/inspection-food-table.csv', 'inspection-food'], ['sh/inspection-product.csv', 'inspection-product'], ['js/inspection-food.csv', 'inspection-food'], ['zj/inspection-food-notice.xlsx', 'inspection-food'],
  ['ah/inspection-food-a.csv', 'inspection-food'], ['ah/inspection-food-b.csv', 'inspection-food'],
  ['sh/inspection-notice.txt', 'inspection-notice'], ['js/inspection-notice.txt', 'inspection-notice'], ['zj/inspection-notice.txt', 'inspection-notice'], ['ah/inspection-notice.txt', 'inspection-notice'],
  ['bad/broken-line.ndjson', 'complaint-changes'], ['bad/formula-injection.csv', 'credit-namelist'], ['bad/idnumbers-in-uscc.csv', 'credit-namelist'], ['bad/unknown-header.csv', 'credit-namelist'],
]
/** Columns and keys whose values stay in the reader: who handles a case, who represents a firm, orders, texts, facts. */
const KEPT_BACK = new Set([
  '承办人', '经办人', 'operator', '法定代表人或负责人姓名', '订单号', 'ordernumber', '问题描述', '内容', 'contentrs', '主要违法事实', '行政处罚的履行方式和期限',
  '投诉人姓名', '消费者', 'rqstperson', '证件号码', '身份证号', 'idnumber', '联系电话', '手机号', 'rqstnumber', '电子邮箱', '联系地址', '住址', 'rqstaddress',
])
const MARKET_PERSONS = /方秀英|凤秀英|范永强|袁文水|柏国平|窦桂兰|华春梅|华志刚|何水根|柳水根|金阿宝|施发生|鲁国平|金桂兰|周来娣|严德顺|蒋春梅|吴建国食/

describe.each(FILES)('%s', (file, id) => {
  test('nothing personal is in an event, a verdict, a tally or a listing', async () => {
    const { verdicts, published, ledger } = await importFile(file, SHAPES.find((shape) => shape.id === id)!, regionOf(file))
    const output = textsOf([verdicts, published, ledger.tallies(), [...ledger.listings().values()]])
    expect(COMPLAINANT.exec(output)?.[0]).toBeUndefined()
    expect(MARKET_PERSONS.exec(output)?.[0]).toBeUndefined()
    const held = await keptBack(file)
    expect([...held].filter((value) => output.includes(value))).toEqual([])
  })

  test('recognition shows no value', async () => {
    const { columns: _, ...found } = { columns: [], ...await recognise(sourceFile(file)) }
    const shown = JSON.stringify({ reason: found.reason, unmapped: 'unmapped' in found ? found.unmapped : [] })
    expect(COMPLAINANT.exec(shown)?.[0]).toBeUndefined()
  })
})

test('the values that stay behind are really in the files', async () => {
  expect((await keptBack('js/complaints.csv')).size).toBeGreaterThan(1000)
  expect((await keptBack('sh/complaints.ndjson')).size).toBeGreaterThan(1000)
  expect((await keptBack('ah/credit-penalty-table.csv')).size).toBeGreaterThan(50)
})

/** Every text in a value once, names of fields included, a line each. */
function textsOf(value: unknown): string {
  const texts = new Set<string>()
  JSON.stringify(value, (name, inner: unknown) => {
    texts.add(name)
    if (typeof inner !== 'object') texts.add(String(inner))
    return inner
  })
  return [...texts].join('\n')
}

function regionOf(file: string): Region {
  return file.startsWith('bad/') ? (file.endsWith('.ndjson') ? 'zj' : 'ah') : file.slice(0, 2) as Region
}

/** Values of three characters and more: shorter ones stand in names of shops by chance. */
async function keptBack(file: string): Promise<Set<string>> {
  const { readCsv } = await import('@hub/connectors/readers/csv')
  const { readLines } = await import('@hub/connectors/readers/lines')
  const values = new Set<string>()
  const keep = (name: string, value: unknown): void => {
    if (KEPT_BACK.has(name) && typeof value === 'string' && value.trim().length >= 3) values.add(value.trim())
  }
  if (file.endsWith('.ndjson')) {
    for await (const { value } of readLines(sourceFile(file))) JSON.stringify(value ?? {}, (name, inner: unknown) => { keep(name, inner); return inner })
  } else if (file.endsWith('.csv')) {
    let header: readonly string[] | undefined
    for await (const { cells } of rowsOf(readCsv(sourceFile(file)))) {
      if (header === undefined) header = cells
      else cells.forEach((cell, at) => keep(header![at] ?? '', cell))
    }
  }
  return values
}

test('an identity number in a name is dropped from a complaint and refuses anything else, before a ledger remembers it', async () => {
  const number = '000000196903174464'
  const complaint = `登记编号,版本号,工单类型,登记时间,办理状态,问题类别,被投诉方名称,统一社会信用代码,更新时间\n1,1,投诉,2026/1/1 8:40:14,已受理,Q0001,张三${number},,2026/1/1 8:40:14\n`
  const listing = `企业名称,统一社会信用代码,列入日期,列入事由,作出决定机关\n张三${number},91340522MAYA9F5K30,2025-07-01,通过登记的住所或者经营场所无法联系的,含山县市场监督管理局\n`
  const results = await Promise.all(([['complaint-table', 'js', complaint], ['credit-namelist', 'ah', listing]] as const).map(async ([id, region, text]) => {
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(text)
    }
    return importFile('', SHAPES.find((shape) => shape.id === id)!, region, { bytes: bytes() })
  }))
  expect(results.map(({ verdicts: [verdict] }) => [verdict!.verdict, verdict!.flags, verdict!.problems?.[0]?.rule])).toEqual([['accepted', ['identity-dropped'], undefined], ['refused', [], 'identity']])
  expect(JSON.stringify(results.map(({ verdicts, published, ledger }) => [verdicts, published, [...ledger.memory.listings]]))).not.toContain(number)
})
