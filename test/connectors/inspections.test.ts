import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { withoutPerson } from '@hub/connectors/normalise/person'
import { inspectionFood } from '@hub/connectors/shapes/inspection-food/index'
import { inspectionNotice } from '@hub/connectors/shapes/inspection-notice/index'
import { inspectionProduct } from '@hub/connectors/shapes/inspection-product/index'
import type { Shape } from '@hub/connectors/shape'
import type { Region } from '@hub/schemas/streams'
import { contextOf, countsOf, importFile, Publishing, rowsOf, SOURCES, sourceFile } from './import-file.ts'
import { convert, type RowResult } from '@hub/connectors/convert'
import type { InspectionAct } from '@hub/connectors/compose/act'

/** What a correct importer reads from a row (`expected-inspections.jsonl`). */
interface Sample {
  file: string
  row: number
  cls: string
  sampleNo?: string
  seller?: string
  sellerDivision: string
  producer?: string
  consignor?: string
  platform?: string
  product: string
  spec?: string
  batch?: string
  batchDate?: string
  items: { item: string, value: string, limit: string }[]
  lab?: string
  outcome: string
  notice: string
  noticeDate?: string
}

const expected = JSON.parse(readFileSync(join(SOURCES, 'expected.json'), 'utf8')) as { files: Record<string, { rows: Record<string, number>, outcomes: Record<string, number> }> }
const samples = readFileSync(join(SOURCES, 'expected-inspections.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Sample)

const FILES: readonly (readonly [file: string, shape: Shape, told: readonly (keyof Sample)[]])[] = [
  ['sh/inspection-food-table.csv', inspectionFood, ['sampleNo', 'notice', 'noticeDate', 'sellerDivision']],
  ['sh/inspection-product.csv', inspectionProduct, []],
  ['js/inspection-food.csv', inspectionFood, ['sampleNo', 'notice', 'noticeDate', 'sellerDivision']],
  ['zj/inspection-food-notice.xlsx', inspectionFood, ['sampleNo', 'notice', 'noticeDate', 'sellerDivision']],
  ['ah/inspection-food-a.csv', inspectionFood, ['sampleNo', 'notice', 'noticeDate', 'sellerDivision']],
  ['ah/inspection-food-b.csv', inspectionFood, ['sampleNo', 'notice', 'sellerDivision']],
  ['sh/inspection-notice.txt', inspectionNotice, []],
  ['js/inspection-notice.txt', inspectionNotice, []],
  ['zj/inspection-notice.txt', inspectionNotice, []],
  ['ah/inspection-notice.txt', inspectionNotice, []],
]

describe.each(FILES)('%s', (file, shape, told) => {
  const region = file.slice(0, 2) as Region

  test('each row is in its class', async () => {
    const { verdicts } = await importFile(file, shape, region)
    expect(countsOf(verdicts)).toEqual(expected.files[file]!.rows)
  })

  test('each row says what the file says', async () => {
    const results: RowResult[] = []
    for await (const result of rowsOf(convert(sourceFile(file), shape, contextOf(region, file)))) if (result.kind === 'read') results.push(result)
    const read = results.map((result) => toSample(result, told))
    const stated = samples.filter((sample) => sample.file === file)
    const byRow = Map.groupBy(read, ({ row }) => row)
    const differences = stated.flatMap((sample) => {
      const own = byRow.get(sample.row) ?? []
      const { cls, ...want } = normalised(sample, told)
      return own.some((one) => JSON.stringify(one) === JSON.stringify(want)) ? [] : [{ cls, want, got: own }]
    })
    expect(differences).toEqual([])
    expect(read.length).toBe(stated.length)
  })

  test('overturned failures are void, and a denied producer is never shown as the one who failed', async () => {
    const { published } = await importFile(file, shape, region)
    const { outcomes } = expected.files[file]!
    expect(published.filter(({ event }) => event.kind === 'void').length).toBe(outcomes['overturned'] ?? 0)
    const parties = published.flatMap(({ event }) => (event['outcome'] === 'denied' ? event['parties'] as { role: string, attribution?: string }[] : []))
    expect(parties.filter(({ role, attribution }) => role === 'nominal-producer' && attribution !== 'denied')).toEqual([])
    expect(parties.filter(({ attribution }) => attribution === 'denied').length).toBe(outcomes['denied'] ?? 0)
  })

  test('a second import publishes nothing', async () => {
    const publishing = new Publishing(region)
    const first = await importFile(file, shape, region, { publishing })
    const again = await importFile(file, shape, region, { publishing, ledger: first.ledger })
    // A file that corrects itself tells the earlier state again: composed anew it ends where it ended before.
    expect(new Set(again.published.map(({ event }) => event.recordId)).size).toBeLessThanOrEqual(expected.files[file]!.rows['correction']!)
  })
})

function toSample({ place, ...result }: RowResult, told: readonly (keyof Sample)[]): Record<string, unknown> & { row: number } {
  const { record, outcome } = (result as unknown as { outcome: { act: InspectionAct } }).outcome.act
  const { sampleNo, parties, product, failingItems, lab, noticeNo, noticeDate } = record as unknown as {
    sampleNo?: string, parties: { role: string, name: string, division?: string }[], product: { name: string, spec?: string, batch?: string, batchDate?: string }
    failingItems: { item: string, result?: string, limit?: string }[], lab?: { name: string }, noticeNo?: string, noticeDate?: string
  }
  const role = (name: string): { name: string, division?: string } | undefined => parties.find((party) => party.role === name)
  const whole: Sample = {
    file: '', cls: '', row: place.row, sampleNo: sampleNo!, seller: role('sampled-unit')?.name!,
    // Without a seller the sample was taken where it is made.
    sellerDivision: (role('sampled-unit') ?? role('nominal-producer'))?.division!, producer: role('nominal-producer')?.name!,
    consignor: role('consignor')?.name!, platform: role('platform')?.name!, product: product.name, spec: product.spec!, batch: product.batch!, batchDate: product.batchDate!,
    items: failingItems.map(({ item, result: value = '', limit = '' }) => ({ item, value, limit })), lab: lab?.name!, outcome, notice: noticeNo!, noticeDate: noticeDate!,
  }
  const { cls: _, ...sample } = normalised(whole, told)
  return { row: place.row, ...sample }
}

/** The comparable part of a sample: without the person, and of what only some files tell, what this one does. */
function normalised({ cls, row, seller, producer, consignor, platform, product, spec, batch, batchDate, items, lab, outcome, ...some }: Sample, told: readonly (keyof Sample)[]): Record<string, unknown> {
  return {
    row, cls, ...defined({ seller: seller === undefined ? undefined : withoutPerson(seller).name, producer, consignor, platform }), product, ...defined({ spec, batch, batchDate }), items,
    ...defined({ lab }), outcome, ...defined(Object.fromEntries(told.map((field) => [field, some[field as keyof typeof some]]).filter(([, value]) => !PROVINCE.test(String(value))))),
  }
}

/** A province alone is what the sampling office knows, and no file says. */
const PROVINCE = /^3[1-4]0000$/

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
