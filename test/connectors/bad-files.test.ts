import { Uint8ArrayWriter, TextReader, ZipWriter } from '@zip.js/zip.js'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BOUNDS } from '@hub/connectors/readers/bounds'
import type { Declared, Shape } from '@hub/connectors/shape'
import { complaintCases } from '@hub/connectors/shapes/complaint-cases/index'
import { complaintChanges } from '@hub/connectors/shapes/complaint-changes/index'
import { complaintTable } from '@hub/connectors/shapes/complaint-table/index'
import { creditNamelist } from '@hub/connectors/shapes/credit-namelist/index'
import { creditPages } from '@hub/connectors/shapes/credit-pages/index'
import { inspectionFood } from '@hub/connectors/shapes/inspection-food/index'
import { ROW_RULES } from '@hub/connectors/verdict'
import type { Region } from '@hub/schemas/streams'
import { countsOf, importFile, SOURCES, type Verdict } from './import-file.ts'

const expected = JSON.parse(readFileSync(join(SOURCES, 'expected.json'), 'utf8')) as { files: Record<string, { rows: Record<string, number> }> }

async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? Buffer.from(part) : part
}

/** One line of 2 MiB, as `bad/huge-line.ndjson` of the source files. */
function hugeLine(): AsyncGenerator<Uint8Array> {
  const [start, end] = ['{"registration":{"regId":"SHBIG1","formtype":"投诉","contentrs":"', '"}}\n']
  return chunks(start, Buffer.alloc(2 * 1024 ** 2 - Buffer.byteLength(start + end), 'x'), end)
}

const HEADER = '序号,企业名称,统一社会信用代码,列入日期,列入事由,作出决定机关\n'
const GOOD = '1,含山柘圃汽车销售服务有限公司,91340522MAYA9F5K30,2025-07-01,未依照《企业信息公示暂行条例》第八条规定的期限公示年度报告的,含山县市场监督管理局\n'

describe('every broken file is refused with the place and the rule', () => {
  test.each<[file: string, shape: Shape, region: Region, rule: string, row: number, declared?: Declared, bytes?: AsyncIterable<Uint8Array>]>([
    ['truncated.xlsx', inspectionFood, 'zj', 'broken-workbook', 0],
    ['wrong-delimiter.csv', creditNamelist, 'ah', 'other-delimiter', 0],
    ['unknown-header.csv', creditNamelist, 'ah', 'unknown-header', 0],
    ['gb18030-declared-utf8.csv', creditNamelist, 'ah', 'invalid-encoding', 1, { encoding: 'utf-8' }],
    ['broken-line.ndjson', complaintChanges, 'zj', 'malformed-json', 11],
    ['huge-line.ndjson', complaintCases, 'sh', 'line-too-long', 1, {}, hugeLine()],
    ['formula-injection.csv', creditNamelist, 'ah', 'formula', 1],
    ['out-of-region.csv', creditNamelist, 'ah', 'out-of-region', 1],
    ['idnumbers-in-uscc.csv', creditNamelist, 'ah', 'identity', 1],
    ['empty.csv', creditNamelist, 'ah', 'empty-file', 0],
  ])('%s', async (file, shape, region, rule, row, declared = {}, bytes) => {
    const { verdicts } = await importFile(`bad/${file}`, shape, region, { declared, ...(bytes !== undefined && { bytes }) })
    expect(countsOf(verdicts)).toEqual(expected.files[`bad/${file}`]!.rows)
    const refused = verdicts.find(({ verdict }) => verdict === 'refused')!
    expect({ row: refused.place.row, rule: refused.problems![0]!.rule }).toEqual({ row, rule })
    expect(JSON.stringify(verdicts)).not.toMatch(/0{6}\d{11}|cmd\||HYPERLINK|商洛/)
  })

  test('declared as what they are, the two that were only mislabelled are good', async () => {
    const semicolons = await importFile('bad/wrong-delimiter.csv', creditNamelist, 'ah', { declared: { delimiter: ';' } })
    const gb18030 = await importFile('bad/gb18030-declared-utf8.csv', creditNamelist, 'ah', { declared: { encoding: 'gb18030' } })
    for (const { verdicts } of [semicolons, gb18030]) expect(countsOf(verdicts)).toMatchObject({ total: 12, good: 12 })
  })
})

describe('what was good before a file breaks off is in', () => {
  test('bytes of another encoding in the middle', async () => {
    const { verdicts } = await importFile('', creditNamelist, 'ah', { bytes: chunks(HEADER, GOOD, Buffer.from([0x32, 0x2c, 0xba, 0xac, 0xc9, 0xbd, 0x0a]), '3,x,y\n') , declared: { encoding: 'utf-8' } })
    expect(verdicts.map(({ verdict, place, rows }) => [verdict, place.row, rows])).toEqual([['accepted', 1, 1], ['refused', 3, 2]])
  })

  test('a quote that never ends', async () => {
    const { verdicts } = await importFile('', creditNamelist, 'ah', { bytes: chunks(HEADER, GOOD, '2,"含山\n3,x\n') })
    expect(verdicts.map(({ verdict, problems }) => [verdict, problems?.[0]?.rule])).toEqual([['accepted', undefined], ['refused', 'broken-quotes']])
  })

  test('a line that is no JSON stops nothing', async () => {
    const { verdicts } = await importFile('bad/broken-line.ndjson', complaintChanges, 'zj')
    expect(verdicts.filter(({ verdict }) => verdict === 'accepted').length).toBe(20)
  })

  test('an array of pages that is cut off', async () => {
    const page = { subject: { entName: 'x', uniscid: '91310107MAYE1T33XQ', regno: '', pripid: '' }, list: 'abnormal', response: { data: [{ speCause_CN: '通过登记的住所或者经营场所无法联系的', abntime: 1661753233000, decOrg_CN: '上海市普陀区市场监督管理局' }] } }
    const { verdicts } = await importFile('', creditPages, 'sh', { bytes: chunks(`[${JSON.stringify(page)},\n{"subject":`) })
    expect(verdicts.map(({ verdict, problems }) => [verdict, problems?.[0]?.rule])).toEqual([['accepted', undefined], ['refused', 'malformed-json']])
  })
})

describe('bounds', () => {
  test('a header alone is a file without rows', async () => {
    expect((await importFile('', creditNamelist, 'ah', { bytes: chunks(HEADER) })).verdicts).toEqual([])
  })

  test('too many columns, and a cell without end', async () => {
    const wide = await importFile('', creditNamelist, 'ah', { bytes: chunks(`${'a,'.repeat(BOUNDS.columns)}a\n`) })
    expect(wide.verdicts[0]!.problems![0]!.rule).toBe('too-many-columns')
    const long = await importFile('', creditNamelist, 'ah', { bytes: chunks(HEADER, GOOD.replace('含山柘圃', '含'.repeat(BOUNDS.cellLength))) })
    expect(long.verdicts[0]!.problems![0]).toMatchObject({ rule: 'cell-too-long', column: '企业名称' })
    const endless = await importFile('', creditNamelist, 'ah', { bytes: chunks(HEADER, `1,${'x'.repeat(BOUNDS.lineBytes + 9)}\n`) })
    expect(endless.verdicts[0]!.problems![0]!.rule).toBe('line-too-long')
  })

  test('UTF-16, an old workbook and one with a password', async () => {
    const rule = async (bytes: Uint8Array): Promise<string> => (await importFile('', creditNamelist, 'ah', { bytes: chunks(bytes) })).verdicts[0]!.problems![0]!.rule
    expect(await rule(Buffer.from(`\ufeff${HEADER}`, 'utf16le'))).toBe('unknown-encoding')
    const compound = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]
    expect(await rule(Buffer.from([...compound, ...Buffer.alloc(512)]))).toBe('unknown-encoding')
    expect(await rule(Buffer.concat([Buffer.from(compound), Buffer.alloc(512), Buffer.from('EncryptedPackage', 'utf16le')]))).toBe('protected-workbook')
  })

  test('a workbook that unpacks to suspiciously much is not opened', async () => {
    const { verdicts } = await importFile('', creditNamelist, 'ah', { bytes: chunks(await zip({ 'xl/workbook.xml': '<workbook/>', 'xl/worksheets/sheet1.xml': '0'.repeat(30 * 1024 ** 2) })) })
    expect(verdicts[0]!.problems![0]!.rule).toBe('zip-bomb')
  })

  test('a workbook with a DOCTYPE is not read', async () => {
    const { verdicts } = await importFile('', creditNamelist, 'ah', { bytes: chunks(await zip({ 'xl/workbook.xml': '<!DOCTYPE x [<!ENTITY a "b">]><workbook>&a;</workbook>', 'xl/_rels/workbook.xml.rels': '<R/>' })) })
    expect(verdicts[0]!.problems![0]!.rule).toBe('broken-workbook')
  })

  test('a zip that is no workbook', async () => {
    expect((await importFile('', creditNamelist, 'ah', { bytes: chunks(await zip({ 'a.txt': 'x' })) })).verdicts[0]!.problems![0]!.rule).toBe('broken-workbook')
  })
})

describe('a table that office software has been at', () => {
  const verdicts = async (text: string, shape: Shape = creditNamelist): Promise<Verdict[]> => (await importFile('', shape, 'ah', { bytes: chunks(text) })).verdicts

  test('titles above the header, other spellings and another order of the columns, a column nobody knows', async () => {
    const text = `经营异常名录公告,,,,,\n,,,,,\n作出列入决定机关,备用,列入时间, 统一社会信用代码 /注册号,列入原因,企业名称\n含山县市场监督管理局,x,2025年7月1日,９１３４０５２２ＭＡＹＡ９Ｆ５Ｋ３０,通过登记的住所或者经营场所无法联系的,含山柘圃汽车销售服务有限公司\n合计,1,,,,\n`
    expect((await verdicts(text)).map(({ verdict, event, skip }) => [verdict, (event?.['subject'] as { uscc: string } | undefined)?.uscc, skip])).toEqual([
      ['accepted', '91340522MAYA9F5K30', undefined], ['skipped', undefined, 'total'],
    ])
  })

  test('a missing column is named with the spellings that would do', async () => {
    const [refused] = await verdicts('登记编号,工单类型,登记时间,办理状态\n1,投诉,2026-01-01,已受理\n', complaintTable)
    expect(refused!.problems![0]!.expected).toBe('complaint-table: 问题类别/诉求问题')
  })
})

test('every rule says in both languages what is wrong', () => {
  for (const [zh, en] of Object.values(ROW_RULES)) {
    expect(zh).toMatch(/\p{Script=Han}/u)
    expect(en).toMatch(/^[ -~]+$/)
  }
})

async function zip(parts: Readonly<Record<string, string>>): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter())
  for (const [name, text] of Object.entries(parts)) await writer.add(name, new TextReader(text))
  return writer.close()
}
