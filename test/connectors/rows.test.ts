import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SHAPES } from '@hub/connectors/shapes/index'
import { classOf, type RowClass, type RowFlag } from '@hub/connectors/verdict'
import type { Region } from '@hub/schemas/streams'
import { importFile, SOURCES, type Verdict } from './import-file.ts'

/** Which rows carry which trap, as the description of the source files lists them (rows of a sheet with its name). */
const ROWS: readonly (readonly [file: string, shape: string, classes: Partial<Record<RowClass, readonly (number | string)[]>>])[] = [
  ['sh/complaints.ndjson', 'complaint-cases', { duplicate: [82, 224, 424, 585, 760, 905], stale: [96, 293, 364, 841, 937], conflict: [87, 114], bad: [263, 287, 327, 355] }],
  ['js/complaints.csv', 'complaint-table', { duplicate: [177, 259, 347, 403, 548, 771], stale: [377, 453, 529, 922, 1096], conflict: [254, 366], bad: [233, 265, 289, 320, 341] }],
  ['zj/complaints-changes.ndjson', 'complaint-changes', { duplicate: [64, 122, 268, 399, 709, 943], stale: [176, 327, 558, 726, 910], conflict: [171, 423], bad: [267, 301, 322, 354] }],
  ['ah/complaints.csv', 'complaint-table', { duplicate: [439, 716, 745, 1004, 1027, 1253], stale: [611, 865, 1029, 1033, 1157], conflict: [24, 313], bad: [244, 264, 299, 343, 361] }],
  ['zj/credit-abnormal-feed.csv', 'credit-feed', { duplicate: [74, 98, 109, 138], stale: [107], bad: [123, 128], doubtful: [149] }],
  ['zj/credit-serious-feed.csv', 'credit-feed', { duplicate: [34, 37, 65, 74], bad: [53, 54] }],
  ['zj/credit-soletrader-mark-feed.csv', 'credit-feed', { duplicate: [37, 68, 75, 78], bad: [51, 57] }],
  ['sh/credit-gsxt-pages.json', 'credit-pages', { duplicate: [211], stale: [210], bad: [212, 213, 214], doubtful: [30] }],
  ['js/credit-namelist.xlsx', 'credit-namelist', { duplicate: ['经营异常名录!162'], bad: ['经营异常名录!165', '经营异常名录!166'], doubtful: ['移出公告!89', '移出公告!91', '经营异常名录!163', '经营异常名录!164'] }],
  ['ah/credit-list-log.csv', 'credit-log', { duplicate: [51], bad: [195, 196], doubtful: [170] }],
  ['ah/credit-penalty-table.csv', 'credit-penalties', { duplicate: [61], bad: [62], doubtful: [6, 9, 20, 31, 34, 48] }],
]

test.each(ROWS)('%s: the rows of each class', async (file, id, classes) => {
  const { verdicts } = await importFile(file, SHAPES.find((shape) => shape.id === id)!, file.slice(0, 2) as Region)
  for (const [kind, rows] of Object.entries(classes)) expect(rowsOf(verdicts, (verdict) => classOfVerdict(verdict) === kind), kind).toEqual(rows)
})

/** First rows of a record; its later versions carry the trap as well. */
const FLAGS: readonly (readonly [file: string, shape: string, flag: RowFlag, rows: readonly number[]])[] = [
  ['js/complaints.csv', 'complaint-table', 'uscc-check-failed', [63, 350, 507, 564, 803, 1094]],
  ['js/complaints.csv', 'complaint-table', 'identity-dropped', [806, 1035, 1072]],
  ['js/complaints.csv', 'complaint-table', 'unmapped-code', [63, 993, 155, 584, 951]],
  ['zj/complaints-changes.ndjson', 'complaint-changes', 'uscc-check-failed', [355, 452, 681, 879]],
  ['zj/complaints-changes.ndjson', 'complaint-changes', 'identity-dropped', [880, 891, 917]],
  ['sh/complaints.ndjson', 'complaint-cases', 'unmapped-code', [335, 407, 467, 654, 722]],
  ['ah/complaints.csv', 'complaint-table', 'identity-dropped', [585, 973, 1212]],
  ['zj/credit-abnormal-feed.csv', 'credit-feed', 'uscc-check-failed', [15, 135, 139]],
  ['ah/credit-list-log.csv', 'credit-log', 'uscc-check-failed', [67, 140, 187]],
  ['ah/credit-list-log.csv', 'credit-log', 'other-authority', [153]],
  ['sh/credit-gsxt-pages.json', 'credit-pages', 'other-authority', [49]],
  ['zj/credit-abnormal-feed.csv', 'credit-feed', 'other-authority', [140]],
]

test.each(FLAGS)('%s, %s: %s', async (file, id, flag, rows) => {
  const { verdicts } = await importFile(file, SHAPES.find((shape) => shape.id === id)!, file.slice(0, 2) as Region)
  expect(rowsOf(verdicts, ({ flags }) => flags.includes(flag))).toEqual(expect.arrayContaining([...rows]))
})

test('every row of an inspection file is in the class that is stated for it', async () => {
  const stated = readFileSync(join(SOURCES, 'expected-inspections.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as { file: string, row: number, cls: string })
  for (const [file, samples] of Map.groupBy(stated, ({ file: name }) => name)) {
    const id = file.endsWith('.txt') ? 'inspection-notice' : file.includes('product') ? 'inspection-product' : 'inspection-food'
    const { verdicts } = await importFile(file, SHAPES.find((shape) => shape.id === id)!, file.slice(0, 2) as Region)
    const told = verdicts.filter((verdict) => classOfVerdict(verdict) !== undefined && classOfVerdict(verdict) !== 'bad').map((verdict) => `${verdict.place.row} ${classOfVerdict(verdict)}`)
    expect(told.sort(), file).toEqual(samples.map(({ row, cls }) => `${row} ${cls}`).sort())
  }
})

function classOfVerdict({ verdict, flags, stream, skip }: Verdict): RowClass | undefined {
  return classOf(verdict, flags, stream, skip)
}

function rowsOf(verdicts: readonly Verdict[], of: (verdict: Verdict) => boolean): (number | string)[] {
  return verdicts.filter(of).map(({ place: { sheet, row } }) => (sheet === undefined ? row : `${sheet}!${row}`))
}
