import { describe, expect, test } from 'vitest'
import { recognise } from '@hub/connectors/recognise'
import { sourceFile } from './import-file.ts'

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

describe('the shape of a file is told by its content', () => {
  test.each([
    ['js/complaints.csv', 'complaint-table', 'utf-8'], ['ah/complaints.csv', 'complaint-table', 'gb18030'], ['sh/complaints.ndjson', 'complaint-cases', 'utf-8'], ['zj/complaints-changes.ndjson', 'complaint-changes', 'utf-8'],
    ['zj/credit-abnormal-feed.csv', 'credit-feed', 'utf-8'], ['zj/credit-serious-feed.csv', 'credit-feed', 'utf-8'], ['zj/credit-soletrader-mark-feed.csv', 'credit-feed', 'utf-8'],
    ['sh/credit-gsxt-pages.json', 'credit-pages', 'utf-8'], ['js/credit-namelist.xlsx', 'credit-namelist', undefined], ['ah/credit-list-log.csv', 'credit-log', 'gb18030'], ['ah/credit-penalty-table.csv', 'credit-penalties', 'gb18030'],
    ['sh/inspection-food-table.csv', 'inspection-food', 'utf-8'], ['sh/inspection-product.csv', 'inspection-product', 'utf-8'], ['js/inspection-food.csv', 'inspection-food', 'gb18030'], ['zj/inspection-food-notice.xlsx', 'inspection-food', undefined],
    ['ah/inspection-food-a.csv', 'inspection-food', 'utf-8'], ['ah/inspection-food-b.csv', 'inspection-food', 'utf-8'],
    ['sh/inspection-notice.txt', 'inspection-notice', 'utf-8'], ['js/inspection-notice.txt', 'inspection-notice', 'utf-8'], ['zj/inspection-notice.txt', 'inspection-notice', 'utf-8'], ['ah/inspection-notice.txt', 'inspection-notice', 'utf-8'],
    ['bad/formula-injection.csv', 'credit-namelist', 'utf-8'], ['bad/wrong-delimiter.csv', 'credit-namelist', 'utf-8'],
  ])('%s', async (file, shape, encoding) => {
    const found = await recognise(sourceFile(file))
    expect({ shape: found.shape?.id, encoding: found.encoding, unmapped: found.shape === undefined ? undefined : found.unmapped }).toEqual({ shape, encoding, unmapped: [] })
  })

  test('another separator than a comma is told, so that it can be confirmed', async () => {
    expect((await recognise(sourceFile('bad/wrong-delimiter.csv'))).delimiter).toBe(';')
  })

  test('no shape: the nearest one, what it misses, what the file has instead, and where an alias goes', async () => {
    const found = await recognise(bytes('登记编号,工单类型,登记时间,办理状态,反映的问题,热线\n1,投诉,2026-01-01,已受理,Q0001,x\n'))
    expect(found.shape).toBeUndefined()
    expect(found).toMatchObject({ nearest: { shape: { id: 'complaint-table' }, missing: [['issue', ['问题类别', '诉求问题']]], unmapped: ['反映的问题', '热线'] } })
    expect(found.reason[0]).toContain('services/connectors/shapes/complaint-table/index.ts')
  })

  test('a file outside every shape', async () => {
    expect((await recognise(sourceFile('shangluo/315-2020.csv'))).shape).toBeUndefined()
    expect((await recognise(sourceFile('bad/unknown-header.csv'))).shape).toBeUndefined()
    expect((await recognise(bytes('{"a":1}\n'))).reason[1]).toContain('no structure')
  })

  test('a table of codes is no source', async () => {
    expect((await recognise(bytes('domain,local_code,local_name,national_code\nissue,Q1,x,01\n'))).reason[1]).toContain('table of codes')
  })

  test('what looks like data is not shown as a column name', async () => {
    const found = await recognise(bytes('登记编号,15400063558,00000019590702657X\n1,2,3\n'))
    expect(JSON.stringify(found)).not.toMatch(/15400063558|00000019590702657X/)
  })

  test('an empty file and a damaged workbook say what to do', async () => {
    await expect(recognise(sourceFile('bad/empty.csv'))).rejects.toMatchObject({ rule: 'empty-file' })
    await expect(recognise(sourceFile('bad/truncated.xlsx'))).rejects.toMatchObject({ rule: 'broken-workbook' })
  })
})
