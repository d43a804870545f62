import { describe, expect, test } from 'vitest'
import { authorityOf } from '@hub/connectors/reference/authorities'
import { codesOf } from '@hub/connectors/reference/codes'
import { divisionName, liesIn, placeAtStart, placeOfFirm } from '@hub/connectors/reference/divisions'
import { readCsv } from '@hub/connectors/readers/csv'
import { cellAt, readLines } from '@hub/connectors/readers/lines'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { rowsOf, sourceFile } from './import-file.ts'

describe('divisions', () => {
  test.each([
    ['江苏省常州市天宁区望稷路', '320402'], ['常州市天宁区', '320402'], ['新沂市市场', '320381'], ['秦淮砚浔记食品有限公司', '320104'], ['上海市崇明区', '310151'], ['景宁岚塬农业', '331127'],
    ['上海市崇明县', '310151'], ['铜陵市铜官山区', '340705'], ['南京市下关区', '320106'], ['宁波鄞县大道', '330212'], ['苏州工业园区苒禾百货', '320594'], ['徐州经济技术开发区', '320300'],
    ['镇江市句容市崇明街道', '321183'], ['安徽省', '340000'], ['宁波', '330200'],
  ])('%s → %s', (text, code) => {
    expect(placeAtStart(text)?.code).toBe(code)
  })

  test('a name that two places share is told by what stands before it, else by the region, else not at all', () => {
    expect(placeAtStart('上海市普陀区某路')?.code).toBe('310107')
    expect(placeAtStart('舟山市普陀区某路')?.code).toBe('330903')
    expect(placeAtStart('普陀区某路', 'zj')?.code).toBe('330903')
    expect(placeAtStart('普陀区某路')).toBeUndefined()
  })

  test('a firm is where its branch is, else where its name says, else where its address says', () => {
    expect(placeOfFirm('南京椿栎号餐饮管理有限公司宁波鄞州店', '温州市永嘉县石矶大道', 'zj')).toBe('330212')
    expect(placeOfFirm('舟山市普陀区岫岑农贸市场', '绍兴市嵊州市槐序大道', 'zj')).toBe('330903')
    expect(placeOfFirm('上海栎渡连锁超市有限公司', '上海市虹口区槐序街56号', 'sh')).toBe('310109')
    expect(placeOfFirm('山东楸野食品有限公司', undefined, 'sh')).toBeUndefined()
  })

  test('codes of the four regions', () => {
    expect([liesIn('320594', 'js'), liesIn('611002', 'ah')]).toEqual([true, false])
    expect(divisionName('340705')).toBe('铜官区')
  })
})

describe('authorities', () => {
  test('known by their place; renamed, merged and short ones by alias', () => {
    expect(authorityOf('常州市天宁区市场监督管理局')).toEqual({ code: '320402', name: '常州市天宁区市场监督管理局', rawName: '常州市天宁区市场监督管理局' })
    expect(authorityOf('安徽省市场监管局')).toMatchObject({ code: '340000', name: '安徽省市场监督管理局' })
    expect(authorityOf('中国（上海）自由贸易试验区市场监督管理局').code).toBe('310115')
    expect(authorityOf('江东区局').code).toBe('330212')
  })

  test('an unknown one keeps its own text and gets no code', () => {
    expect(authorityOf('商洛市市场监督管理局')).toEqual({ rawName: '商洛市市场监督管理局' })
    expect(authorityOf('常州市天宁区消费者协会')).toEqual({ rawName: '常州市天宁区消费者协会' })
  })
})

/** Address, division and handling bureau of every complaint. */
async function* places(region: Region): AsyncGenerator<readonly [address: string, division: string, bureau: string]> {
  if (region === 'js' || region === 'ah') {
    const names = region === 'js' ? ['被投诉方地址', '所在区划', '承办单位'] : ['经营地址', '行政区划', '处理单位']
    let at: number[] | undefined
    for await (const { cells } of rowsOf(readCsv(sourceFile(`${region}/complaints.csv`)))) {
      if (at === undefined) at = names.map((name) => cells.indexOf(name))
      else yield at.map((column) => cells[column] ?? '') as unknown as [string, string, string]
    }
    return
  }
  const [file, paths] = region === 'zj' ? ['zj/complaints-changes.ndjson', ['data.subjectaddress', 'data.jyareacode', 'data.handledepart']] : ['sh/complaints.ndjson', ['registration.subjectaddress', 'registration.jyareacode', 'complainFinishingFeedback.handleDepart']]
  for await (const { value } of readLines(sourceFile(file as string))) yield (paths as string[]).map((path) => cellAt(value!, path.split('.'))) as unknown as [string, string, string]
}

test.each(REGIONS)('all addresses and bureaus of the complaints of %s are found', async (region) => {
  const wrong: unknown[] = []
  for await (const [address, division, bureau] of places(region)) {
    if (placeAtStart(address, region)?.code !== division) wrong.push([address, division])
    if (bureau !== '' && authorityOf(bureau).name !== bureau) wrong.push(bureau)
  }
  expect(wrong).toEqual([])
})

test.each(REGIONS)('the code table of %s: what has no national code is known to have none', (region) => {
  const { issue, object, channel, state, type } = codesOf(region)
  expect([...issue.values()].filter((code) => code === null).length).toBe(1)
  expect([object.size, channel.size, type.size]).toEqual([19, 13, 3])
  expect([...state.values()]).not.toContain(null)
})
