import { describe, expect, test } from 'vitest'
import { batchDay } from './batch.ts'
import { given, headerKey, isFormula } from './cell.ts'
import { readCode } from './code.ts'
import { dayOf, instantOf, isSentinelDate } from './date.ts'
import { isUnitDoubtful, listedItems, packedItems } from './items.ts'
import { fenOf } from './money.ts'
import { outcomeOf } from './outcome.ts'
import { withoutPerson } from './person.ts'
import { producerOf } from './producer.ts'
import { removalGround } from './removal.ts'

describe('dates', () => {
  test.each([
    ['2026-03-05', '2026-03-05T00:00:00+08:00'], ['2026/3/5', '2026-03-05T00:00:00+08:00'], ['2026.3.5', '2026-03-05T00:00:00+08:00'], ['2026年3月5日', '2026-03-05T00:00:00+08:00'],
    ['2026年03月05日 09:58', '2026-03-05T09:58:00+08:00'], ['2026/3/5 8:40:14', '2026-03-05T08:40:14+08:00'], ['20260305', '2026-03-05T00:00:00+08:00'], ['20260305日', '2026-03-05T00:00:00+08:00'],
    ['２０２６－０３－０５', '2026-03-05T00:00:00+08:00'], ['46086', '2026-03-05T00:00:00+08:00'], ['46086.5', '2026-03-05T12:00:00+08:00'], ['1772640000000', '2026-03-05T00:00:00+08:00'],
    ['2026-03-05T08:00:00+08:00', '2026-03-05T08:00:00+08:00'], ['2026/3/5 8:05', '2026-03-05T08:05:00+08:00'], ['2026-3-05 08:5:9', '2026-03-05T08:05:09+08:00'], ['2026.12.31 23:59:59', '2026-12-31T23:59:59+08:00'],
    ['2026/3-5', '2026-03-05T00:00:00+08:00'], ['2026 - 3 - 5', '2026-03-05T00:00:00+08:00'], ['2026/3/5  8:05', '2026-03-05T08:05:00+08:00'], ['2026-03-05T08:00:00', '2026-03-05T08:00:00+08:00'],
  ])('%s', (text, instant) => {
    expect(instantOf(text)).toBe(instant)
  })

  test('a UTC instant belongs to the day it has in Shanghai', () => {
    expect(dayOf('2026-03-04T16:00:00Z')).toBe('2026-03-05')
    expect(dayOf('2026-03-04T15:59:59Z')).toBe('2026-03-04')
  })

  test.each(['2026-02-30', '2026/13/1', '2025-13-09', '20260230', '2026年2月30日', '暂无', '12345', '99999', '2026-3', '2026-01-01 24:00:00', '2026/1/1 8:60', '2026/1/1 8:00:60', '2026/1/1 8', '2026/1/1 8:00:00:00', '2026/1/123', '2026//1', '2099/12/31', '1900/1/1', '9999-09-09', '2099-12-31', '1900-01-01 00:00:00', '253392422400000'])('%s is none', (text) => {
    expect(instantOf(text)).toBeUndefined()
  })

  test('sentinels are told from dates that do not exist', () => {
    expect(['9999-09-09', '2099-12-31', '1900-01-01 00:00:00', '253392422400000'].map(isSentinelDate)).toEqual([true, true, true, true])
    expect(['2026-02-30', '2026-03-05', '1772640000000', 'x'].map(isSentinelDate)).toEqual([false, false, false, false])
  })
})

test('sentinels of cells are no values, and what only looks like one is', () => {
  for (const cell of ['', ' ', '\\N', '暂无', '/', '-', '—', '9999-09-09', '\t', '\ufeff']) expect(given(cell), JSON.stringify(cell)).toBeUndefined()
  expect(given(' GZJ25320281\t')).toBe('GZJ25320281')
  expect(given('双控/1500mm')).toBe('双控/1500mm')
  expect(given('甲\r\n乙')).toBe('甲 乙')
})

test('what an office program would run', () => {
  for (const cell of ["=cmd|'/C calc'!A0", '+SUM(1+1)', '-2+3', '@SUM(A1)', '\t=1+1', '＝1+1', ' =1']) expect(isFormula(cell), cell).toBe(true)
  for (const cell of ['含山公司', '3+2', 'a@b', '']) expect(isFormula(cell), cell).toBe(false)
})

test('headers are compared without spaces, width, case and kinds of brackets', () => {
  expect(headerKey('\ufeff备 注')).toBe(headerKey('备注'))
  expect(headerKey('涉及金额（元）')).toBe(headerKey('涉及金额(元)'))
  expect(headerKey('BUSEXCLIST')).toBe(headerKey('busexclist'))
  expect(headerKey('不合格项目‖检验结果‖标准值')).toBe(headerKey('不合格项目║检验结果║标准值'))
})

test.each([
  ['1,420.77', 142_077], ['233.65元', 23_365], ['0.00元', 0], ['1.2万元', 1_200_000], ['113.7万元', 113_700_000], ['１２３', 12_300], ['¥5', 500], ['0.1', 10], ['0.29', 29], ['1.005', 100],
  ['1,42.7', undefined], ['-5', undefined], ['360多', undefined], ['', undefined],
])('%s is %s fen', (text, fen) => {
  expect(fenOf(text)).toBe(fen)
})

describe('credit codes', () => {
  const read = (text: string): string => {
    const { kind, ...code } = readCode(text, '2026-04-01')
    return kind === 'uscc' && 'valid' in code ? `${code.code} ${code.valid ? 'valid' : 'invalid'}${code.repaired ? ' repaired' : ''}` : kind
  }

  test.each([
    ['91330100799655058B', '91330100799655058B valid'], ['９１３３０１００７９９６５５０５８ｂ', '91330100799655058B valid'], ['913301 00799655058B', '91330100799655058B valid'],
    ['91350100M000100Y4Z', 'unreadable'], ['91350203M0001QAY9B', '91350203M0001QAY9B invalid'], ['91330100MA00000740', '91330100MA00000740 valid'], ['9133O1OO799655058B', '91330100799655058B valid repaired'],
    ['330100000000123', 'regno'], ['91310117MAX2******', 'masked'], ['330222************', 'masked'], ['000000196905148817', 'identity'], ['00000019590702657x', 'identity'], ['暂缺', 'unreadable'],
  ])('%s', (text, reading) => {
    expect(read(text)).toBe(reading)
  })
})

test('producer cells with a consignor', () => {
  const two = { consignor: '甲食品有限公司', producer: '乙食品有限公司' }
  for (const cell of ['委托方：甲食品有限公司 受托方：乙食品有限公司', '甲食品有限公司（委托方）/乙食品有限公司（受托方）', '甲食品有限公司（委托方）；乙食品有限公司（受托方）', '甲食品有限公司委托乙食品有限公司']) expect(producerOf(cell), cell).toEqual(two)
  expect(producerOf('甲食品有限公司')).toEqual({ producer: '甲食品有限公司' })
  expect(producerOf('委托方：甲食品有限公司')).toEqual({ consignor: '甲食品有限公司' })
})

test('packed cells: by ║ or ‖, on lines, one after another, with ； between', () => {
  expect(packedItems('吡虫啉║0.492mg/kg║≤0.05mg/kg')).toEqual([{ item: '吡虫啉', result: '0.492mg/kg', limit: '≤0.05mg/kg' }])
  const two = [{ item: '甲', result: '1', limit: '2' }, { item: '乙', result: '3', limit: '4' }]
  for (const cell of ['甲║1║2\n乙║3║4', '甲‖1‖2║乙║3║4', '甲║1║2；乙║3║4']) expect(packedItems(cell), cell).toEqual(two)
  expect(packedItems('甲║/║/')).toEqual([{ item: '甲', result: undefined, limit: undefined }])
})

test('several items in columns of their own; a mark inside brackets separates nothing', () => {
  expect(listedItems('菌落总数、大肠菌群', '2CFU/g；3 CFU/g', 'n=5,c=2；n=5,c=1')).toEqual([{ item: '菌落总数', result: '2CFU/g', limit: 'n=5,c=2' }, { item: '大肠菌群', result: '3 CFU/g', limit: 'n=5,c=1' }])
  expect(listedItems('铝（干样品、以Al计）', '1', '2')).toEqual([{ item: '铝（干样品、以Al计）', result: '1', limit: '2' }])
  expect(listedItems('甲、乙', '只有一个', '')).toEqual([{ item: '甲', result: undefined, limit: undefined }, { item: '乙', result: undefined, limit: undefined }])
  expect(listedItems('/', '/', '/')).toEqual([])
})

test('a residue in whole milligrams has the wrong unit, aluminium has not', () => {
  expect(isUnitDoubtful({ item: '恩诺沙星', result: '213mg/kg', limit: '≤100mg/kg' })).toBe(true)
  expect(isUnitDoubtful({ item: '恩诺沙星', result: '213μg/kg', limit: '≤100μg/kg' })).toBe(false)
  expect(isUnitDoubtful({ item: '铝的残留量（干样品，以Al计）', result: '311mg/kg', limit: '≤100mg/kg' })).toBe(false)
})

test.each([
  ['购进日期:2025-11-22', { day: '2025-11-22' }], ['L20260205A', { day: '2026-02-05' }], ['2025.12.31', { day: '2025-12-31' }], ['46001', { day: '2025-12-10' }], ['2026-02-30', { impossible: true }], ['2025.11', {}], ['S/N 25A1107', {}], ['HB-1518', {}],
])('batch %s', (text, day) => {
  expect(batchDay(text)).toEqual(day)
})

test('outcomes of re-inspection and objection', () => {
  expect(['复检合格，检验结论由不合格变更为合格', '经复检维持初检结论', '复检不合格', '该产品系假冒甲公司产品', '对抽样过程提出异议，经审核不予认可', '更正：生产日期以本行为准', undefined].map(outcomeOf))
    .toEqual(['overturned', 'upheld', 'upheld', 'denied', 'refused', 'none', 'none'])
})

test('a person who sells leaves the name and keeps the place; shops and firms keep theirs', () => {
  expect(withoutPerson('凤秀英（孚玉镇樾野大市场菜市场大棚南角）')).toEqual({ name: '孚玉镇樾野大市场菜市场大棚南角', person: true })
  expect(withoutPerson('上海市闵行区淞陌农贸市场方秀英摊位')).toEqual({ name: '上海市闵行区淞陌农贸市场摊位', person: true })
  expect(withoutPerson('泰州市兴化市垣浔坊农贸市场袁文水产摊')).toEqual({ name: '泰州市兴化市垣浔坊农贸市场水产摊', person: true })
  expect(withoutPerson('宁海县砚陌综合市场内个体工商户鲁国平摊位')).toEqual({ name: '宁海县砚陌综合市场内摊位', person: true })
  expect(withoutPerson('汀野菜场柳水根')).toEqual({ name: '汀野菜场', person: true })
  expect(withoutPerson('何水根')).toEqual({ person: true })
  for (const name of ['上海市静安区周建国烟酒店', '某农贸市场水产摊', '甲食品有限公司', '某农贸市场有限公司']) expect(withoutPerson(name), name).toEqual({ name, person: false })
})

test('grounds of removal by their words', () => {
  const grounds = (text: string): string => removalGround(text, 'abnormal').ground
  expect(grounds('企业注销，自动移出')).toBe('deregistered')
  expect(grounds('信用修复，提前移出')).toBe('early_repair')
  expect(grounds('列入经营异常名录3年内且已补报未报年份的年度报告并公示')).toBe('annual_report')
  expect(grounds('通过登记的住所（经营场所）可以重新取得联系')).toBe('contact_regained')
  expect(removalGround(undefined, 'sole-trader-mark')).toEqual({ ground: 'recovered', path: 'recovered' })
})
