import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { convert, type RowResult } from '@hub/connectors/convert'
import { SHAPES } from '@hub/connectors/shapes/index'
import type { Region } from '@hub/schemas/streams'
import { contextOf, importFile, rowsOf, SOURCES, sourceFile } from './import-file.ts'

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all(results: AsyncIterable<RowResult>): Promise<RowResult[]> {
  return Array.fromAsync(results)
}

test.each([
  ['ah/complaints.csv', 'complaint-table'], ['zj/complaints-changes.ndjson', 'complaint-changes'], ['sh/credit-gsxt-pages.json', 'credit-pages'], ['js/inspection-food.csv', 'inspection-food'],
  ['zj/inspection-food-notice.xlsx', 'inspection-food'], ['sh/inspection-notice.txt', 'inspection-notice'],
])('%s says the same in pieces of any size', async (file, id) => {
  const region = file.slice(0, 2) as Region
  const shape = SHAPES.find((one) => one.id === id)!
  const whole = await all(rowsOf(convert(sourceFile(file), shape, contextOf(region, file))))
  // 270001 is more than is taken to tell an encoding by, and ends inside a character somewhere.
  for (const size of [997, 270_001]) expect(JSON.stringify(await all(rowsOf(convert(pieces(readFileSync(join(SOURCES, file)), size), shape, contextOf(region, file))))) === JSON.stringify(whole)).toBe(true)
})

test('a reader that stops early lets the file go', async () => {
  let closed = false
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield readFileSync(join(SOURCES, 'ah/complaints.csv')).subarray(0, 100_000)
    } finally {
      closed = true
    }
  }
  for await (const _ of convert(source(), SHAPES[0]!, contextOf('ah', 'x'))) break
  expect(closed).toBe(true)
})

test('a sentence of no known form is refused by its number, and the others go on', async () => {
  const text = '某局通告（2026年第1期）\n\n1、某店销售的姜，噻虫胺不符合食品安全国家标准规定。\n2、此句与众不同。\n3、某店使用的碗，大肠菌群不符合食品安全国家标准规定。\n\n2026年3月2日\n'
  const { verdicts } = await importFile('', SHAPES.find(({ id }) => id === 'inspection-notice')!, 'js', { bytes: pieces(Buffer.from(text), 7) })
  expect(verdicts.map(({ place, verdict }) => [place.row, verdict])).toEqual([[1, 'accepted'], [2, 'refused'], [3, 'accepted']])
})
