import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ListingState } from '@hub/connectors/compose/listing'
import { regimeOf } from '@hub/connectors/compose/listing'
import type { Shape } from '@hub/connectors/shape'
import { creditFeed } from '@hub/connectors/shapes/credit-feed/index'
import { creditLog } from '@hub/connectors/shapes/credit-log/index'
import { creditNamelist } from '@hub/connectors/shapes/credit-namelist/index'
import { creditPages } from '@hub/connectors/shapes/credit-pages/index'
import { creditPenalties } from '@hub/connectors/shapes/credit-penalties/index'
import type { Region } from '@hub/schemas/streams'
import { contextOf, countsOf, importFile, Publishing, SOURCES, type Imported } from './import-file.ts'

interface Expected {
  files: string[]
  listings: Record<string, number>
  active: Record<string, number>
  activeOldRegime: number
  removed: Record<string, number>
  undecided: { removalDatedBeforeListing: number }
  oldRegimeListings: number
  restored: number
  removalByOtherAuthority: number
  subjects: number
  subjectsWithSeveralActive: number
  activeSubjects: number
  deleted?: number
}
const all = JSON.parse(readFileSync(join(SOURCES, 'expected.json'), 'utf8')) as { credit: Record<Region, Expected>, files: Record<string, { rows: Record<string, number> }> }

const SHAPES: Readonly<Record<Region, Shape>> = { zj: creditFeed, sh: creditPages, js: creditNamelist, ah: creditLog }
/** As expected.json calls the lists. */
const LISTS: Readonly<Record<string, string>> = { abnormal: 'abnormal', serious: 'serious', 'sole-trader-mark': 'mark' }

describe.each(['zj', 'sh', 'js', 'ah'] as const)('credit lists of %s', (region) => {
  const expected = all.credit[region]
  const shape = SHAPES[region]
  const publishing = new Publishing(region)
  const imports = new Map<string, Imported>()
  let states: ListingState[]
  let published: Imported['published']

  beforeAll(async () => {
    for (const file of expected.files) imports.set(file, await importFile(file, shape, region, { publishing, context: contextOf(region, file) }))
    states = [...imports.values()].flatMap(({ ledger }) => [...ledger.listings().values()])
    published = [...imports.values()].flatMap((one) => one.published)
  })

  test('each row is in its class', () => {
    for (const [file, { verdicts }] of imports) expect(countsOf(verdicts.filter(({ place }) => place.sheet !== 'penalty')), file).toEqual(all.files[file]!.rows)
  })

  test('listings, and what became of them', () => {
    const told = states.filter(({ standing }) => standing !== 'voided')
    const active = told.filter(({ standing }) => standing === 'active')
    const ended = told.filter(({ standing }) => standing === 'ended')
    expect(byList(told)).toEqual(expected.listings)
    expect(byList(active)).toEqual(expected.active)
    expect(countBy(ended, ({ removal }) => removal!.ground)).toEqual(expected.removed)
    expect(told.filter(({ standing }) => standing === 'undecided').length).toBe(expected.undecided.removalDatedBeforeListing)
    expect(states.filter(({ standing }) => standing === 'voided').length).toBe(expected.deleted ?? 0)
    expect(told.filter(({ restored }) => restored).length).toBe(expected.restored)
  })

  test('lists before and after 2021-09-01 stay apart, and so do several listings of one subject', () => {
    const told = states.filter(({ standing }) => standing !== 'voided')
    const old = told.filter(({ facts }) => regimeOf(facts!) === 'before-2021-09')
    expect(old.length).toBe(expected.oldRegimeListings)
    expect(old.filter(({ standing }) => standing === 'active').length).toBe(expected.activeOldRegime)
    const active = countBy(told.filter(({ standing }) => standing === 'active'), subject)
    expect(new Set(told.map(subject)).size).toBe(expected.subjects)
    expect(new Set(told.filter(({ standing }) => standing === 'active').map(subject)).size).toBe(expected.activeSubjects)
    expect(Object.entries(active).filter(([key, count]) => key !== 'total' && count > 1).length).toBe(expected.subjectsWithSeveralActive)
  })

  test('a removal by another authority counts and is flagged; a renamed one is the same body', () => {
    const flagged = [...imports.values()].flatMap(({ verdicts }) => verdicts.filter(({ flags }) => flags.includes('other-authority')))
    expect(flagged.length).toBe(expected.removalByOtherAuthority)
  })

  test('the newest event of each listing says what became of it', () => {
    const newest = new Map(published.map(({ event }) => [event.recordId, event]))
    const ids = [...imports.values()].flatMap(({ ledger }) => [...ledger.listings()])
    for (const [id, { standing, removal, restored }] of ids) {
      const kind = newest.get(id)!.kind
      expect(kind, id).toBe(standing === 'voided' ? 'void' : standing === 'undecided' ? 'follow-up' : standing === 'active' ? restored ? 'restored' : 'original' : removal!.path === 'repair' ? 'repair' : 'removal')
    }
  })

  test('a second import publishes nothing', async () => {
    for (const [file, { ledger }] of imports) expect((await importFile(file, shape, region, { publishing, ledger, context: contextOf(region, file) })).published, file).toEqual([])
  })

  test('no identity number and no representative is in any output', () => {
    const output = JSON.stringify([published, [...imports.values()].map(({ verdicts }) => verdicts), states])
    expect(/0{6}\d{11}[\dXx]/.exec(output)).toBeNull()
    expect(/秦景行|任景|曹思远/.exec(output)).toBeNull()
  })
})

test('penalties: a natural person leaves neither name nor number, a repaired decision ends', async () => {
  const file = 'ah/credit-penalty-table.csv'
  const { verdicts, published } = await importFile(file, creditPenalties, 'ah')
  expect(countsOf(verdicts)).toEqual(all.files[file]!.rows)
  expect(published.length).toBe(60)
  expect(published.filter(({ event }) => event.kind === 'repair').length).toBe(7)
  expect(/马云帆|蒋景行|马景行|任书砚|0{6}\d{11}/.exec(JSON.stringify([verdicts, published]))).toBeNull()
})

test('the day of publication stands above the table', async () => {
  const { published } = await importFile('js/credit-namelist.xlsx', creditNamelist, 'js')
  expect(new Set(published.filter(({ event }) => event.kind === 'original').map(({ event }) => event['publishedOn']))).toEqual(new Set(['2026-03-31']))
})

test('Shanghai has 18 penalties beside its lists', async () => {
  const { verdicts, published } = await importFile('sh/credit-gsxt-pages.json', creditPages, 'sh')
  expect(verdicts.filter(({ place, verdict }) => place.sheet === 'penalty' && verdict === 'accepted').length).toBe(18)
  expect(published.filter(({ event }) => event['recordType'] === 'penalty').every(({ event }) => Number((event['penalty'] as { fineFen: number }).fineFen) > 0)).toBe(true)
})

function byList(states: readonly ListingState[]): Record<string, number> {
  return countBy(states, ({ facts }) => LISTS[facts!.listType]!)
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[key(item)] = (counts[key(item)] ?? 0) + 1
  return { ...counts, total: items.length }
}

function subject({ facts }: ListingState): string {
  const { uscc, regNo } = facts!.subject
  return String(uscc ?? regNo)
}
