import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { convert } from '@hub/connectors/convert'
import { Ledger } from '@hub/connectors/ledger'
import { FileProblem } from '@hub/connectors/readers/file-problem'
import { recognise } from '@hub/connectors/recognise'
import { SHAPES } from '@hub/connectors/shapes/index'
import type { Region } from '@hub/schemas/streams'
import { contextOf, rowsOf, SOURCES } from './import-file.ts'
import { COMPLAINANT } from './markers.ts'

const FILES = [
  ['js/complaints.csv', 'complaint-table'], ['sh/complaints.ndjson', 'complaint-cases'], ['zj/credit-abnormal-feed.csv', 'credit-feed'], ['sh/credit-gsxt-pages.json', 'credit-pages'],
  ['js/credit-namelist.xlsx', 'credit-namelist'], ['ah/credit-list-log.csv', 'credit-log'], ['ah/credit-penalty-table.csv', 'credit-penalties'], ['js/inspection-food.csv', 'inspection-food'],
  ['zj/inspection-food-notice.xlsx', 'inspection-food'], ['ah/inspection-notice.txt', 'inspection-notice'],
] as const
const INSERTED = [',', '"', '\n', '\0', '{', ']', '║', '；', '委托', '公司', '=1+1']
const RUNS = 25

/** The same damage every time: bytes changed, cut off, repeated, put in and left out. */
function damaged(original: Buffer, seed: number): Buffer {
  let state = seed
  const below = (limit: number): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff) % Math.max(1, limit)
  let bytes = Buffer.from(original)
  for (let left = 1 + below(6); left > 0; left--) {
    const at = below(bytes.length)
    const rest = bytes.subarray(at)
    switch (below(5)) {
      case 0: bytes[at] = below(256); break
      case 1: bytes = bytes.subarray(0, at + 1); break
      case 2: bytes = Buffer.concat([bytes.subarray(0, at), rest.subarray(0, below(2000)), rest]); break
      case 3: bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(INSERTED[below(INSERTED.length)]!), rest]); break
      case 4: bytes = Buffer.concat([bytes.subarray(0, at), rest.subarray(1 + below(20))])
    }
  }
  return bytes
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

describe('damage of any kind ends in verdicts, never in an error, a wait without end or a value told', () => {
  test.each(FILES)('%s', async (file, id) => {
    const region = file.slice(0, 2) as Region
    const shape = SHAPES.find((one) => one.id === id)!
    const original = readFileSync(join(SOURCES, file))
    const start = file.endsWith('.xlsx') ? original : original.subarray(0, 60_000)
    for (let seed = 1; seed <= RUNS; seed++) {
      const bytes = damaged(start, seed)
      const ledger = new Ledger(shape, contextOf(region, file))
      const told: unknown[] = []
      for await (const result of rowsOf(convert(once(bytes), shape, contextOf(region, file)))) {
        const { verdict, problems, place } = ledger.take(result)
        told.push({ verdict, problems, place })
      }
      told.push(await recognise(once(bytes)).then(({ reason }) => reason, (error: unknown) => {
        if (!(error instanceof FileProblem)) throw error
        return error.message
      }))
      expect(COMPLAINANT.exec(JSON.stringify(told))?.[0], `seed ${seed}`).toBeUndefined()
    }
  })
})

test('a quote inside a cell is a quote', async () => {
  const text = '序号,企业名称,统一社会信用代码,列入日期,列入事由,作出决定机关\n1,含山"柘圃"公司,91340522MAYA9F5K30,2025-07-01,通过登记的住所或者经营场所无法联系的,含山县市场监督管理局\n'
  const results = await Array.fromAsync(rowsOf(convert(once(Buffer.from(text)), SHAPES.find(({ id }) => id === 'credit-namelist')!, contextOf('ah', 'x'))))
  expect(results).toMatchObject([{ kind: 'read', outcome: { act: { listing: { subject: { name: '含山"柘圃"公司' } } } } }])
})
