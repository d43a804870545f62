import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planOf } from '@hub/announcer/campaigns'
import { daysFrom } from '@hub/announcer/calendar/day'
import { loadCalendar } from '@hub/announcer/calendar/load'
import { NO_CELLS, onDays, together, type Cells } from '@hub/announcer/figures/cells'
import { countRow } from '@hub/announcer/figures/counts'
import { figuresOf } from '@hub/announcer/figures/compute'
import { quoted } from '@hub/announcer/figures/quoted'
import { BULLETINS } from '@hub/announcer/figures/bulletins'
import { MixedDefinitions, seriesOf } from '@hub/announcer/figures/series'
import type { Statement } from '@hub/announcer/edition/model'
import { statementOf } from '@hub/announcer/edition/statement'
import { isIn } from '@hub/announcer/figures/windows'
import { CODES } from '@hub/schemas/codes'
import { GB_CODES, REGIONS, type Region } from '@hub/schemas/streams'
import { SOURCES } from '../connectors/import-file.ts'
import { cellsOfEvents } from './sample-cells.ts'

interface Bulletin {
  readonly id: string
  readonly year: number
  readonly source: string
  readonly figures: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly totals: Readonly<Record<string, number>>
}
const { bulletins } = JSON.parse(readFileSync(join(SOURCES, 'joint/bulletins.json'), 'utf8')) as { bulletins: readonly Bulletin[] }
const calendar = loadCalendar()
const STATES = Object.keys(CODES['complaint-state']!.codes)

describe.each(bulletins.map((bulletin) => [bulletin.id, bulletin] as const))('%s, rebuilt', (_id, bulletin) => {
  const { window } = planOf(calendar, 'spring-festival', bulletin.year)
  const undivided = bulletin.figures['投诉举报']!
  const cells = rebuilt(bulletin)
  const inside = onDays(cells, (day) => isIn(window, day))

  test('gives the printed 投诉举报 of every region and the total, under its own definition', () => {
    expect(countRow('complaints-and-reports', inside, REGIONS)).toEqual({
      definition: 'complaints-and-reports@1',
      counts: { ...Object.fromEntries(REGIONS.map((region) => [region, undivided[GB_CODES[region]]])), total: bulletin.totals['投诉举报'] },
    })
  })

  test('gives the printed 咨询, or quotes a total without regions as 未分地区', () => {
    const printed = bulletin.figures['咨询']
    const row = printed === undefined
      ? quoted('consultations', bulletin.source, null, bulletin.totals['咨询']!)
      : countRow('consultations', inside, REGIONS)
    expect(row.counts.total).toBe(bulletin.totals['咨询'])
    for (const region of REGIONS) expect(row.counts[region]).toBe(printed?.[GB_CODES[region]] ?? null)
    if ('undivided' in row) expect(row.undivided).toEqual(['未分地区', 'not by region'])
  })
})

test('a sub-total is quoted beside its total and never added', () => {
  const [bulletin] = bulletins
  const row = quoted('epidemic-related', bulletin!.source, byRegion(bulletin!.figures['疫情相关']!), bulletin!.totals['疫情相关']!)
  expect(row).toMatchObject({ definition: 'epidemic-related@1', undivided: null, counts: { sh: 4939, total: 40586 } })
})

test('a quoted total that its regions do not add up to is refused', () => {
  expect(() => quoted('consultations', 'x', { sh: 1, js: 2, zj: 3, ah: 4 }, 11)).toThrow(/10.*11/)
})

describe('a series', () => {
  const today = statement(2026)

  test('of bulletins is what was printed, by year', () => {
    expect(seriesOf('spring-festival', [], BULLETINS).map(({ year, row }) => [year, row.counts.total])).toEqual(bulletins.map(({ year, totals }) => [year, totals['投诉举报']]))
    for (const { year, rows } of BULLETINS) {
      const { figures, totals } = bulletins.find((one) => one.year === year)!
      expect(rows.map(({ counts }) => counts)).toEqual(Object.keys(totals).map((metric) => ({
        ...Object.fromEntries(REGIONS.map((region) => [region, figures[metric]?.[GB_CODES[region]] ?? null])), total: totals[metric],
      })))
    }
  })

  test('of old and new headlines is refused, and names the definitions', () => {
    expect(() => seriesOf('spring-festival', [today], BULLETINS)).toThrow(MixedDefinitions)
    expect(() => seriesOf('spring-festival', [today], BULLETINS)).toThrow('complaints-and-reports@1, received@1')
  })

  test('of one definition takes the years that have it, another version is another definition', () => {
    const reports = seriesOf('spring-festival', [today], BULLETINS, 'consultations@1')
    expect(reports.map(({ year, edition, row }) => [year, edition, row.counts.total])).toEqual([[2020, null, 46325], [2021, null, 18161], [2023, null, 42548], [2026, 1, 0]])
    expect(seriesOf('spring-festival', [today], BULLETINS, 'received@1').map(({ year }) => year)).toEqual([2026])
    const later = { ...today, year: 2027, figures: { ...today.figures!, counts: today.figures!.counts.map((row) => (row.definition === 'received@1' ? { ...row, definition: 'received@2' as const } : row)) } }
    expect(() => seriesOf('may-day', [{ ...today, campaign: 'may-day' }, { ...later, campaign: 'may-day' }], BULLETINS)).toThrow('received@1, received@2')
  })
})

test('2021 against 2020, over the days that both have: ten days and seven, seven compared', () => {
  const [first, second] = bulletins as [Bulletin, Bulletin]
  const { yearOnYear } = figuresOf(together([rebuilt(first), rebuilt(second)]), planOf(calendar, 'spring-festival', 2021), calendar, REGIONS)
  expect(yearOnYear).toMatchObject({ alignment: 'lunar', current: { from: '2021-02-11', to: '2021-02-17', days: 7 }, earlier: { from: '2020-01-24', to: '2020-02-02', days: 10 }, comparedDays: 7 })
  const received = yearOnYear.rows.find(({ definition }) => definition === 'received@1')!
  expect(received.values.total).toEqual({ current: complaintsOn(second, 7), earlier: complaintsOn(first, 7) })
  // Without a split by region the year before has no consultations to compare with.
  expect(yearOnYear.rows.find(({ definition }) => definition === 'consultations@1')!.values.total).toEqual({ current: 18161, earlier: null })
})

function statement(year: number): Statement {
  const cut = { cut: true, sources: [] }
  return statementOf({ plan: planOf(calendar, 'spring-festival', year), demo: false, regions: { sh: cut, js: cut, zj: cut, ah: cut }, basis: [], cells: NO_CELLS }, calendar)
}

/** Complaints among the undivided: an arbitrary two of three. */
function complaintsIn(n: number): number {
  return Math.floor((n * 2) / 3)
}

/** A day's part of a number that is spread over some days, the rest on the last. */
function partOf(n: number, day: number, days: number): number {
  const each = Math.floor(n / days)
  return day === days - 1 ? n - each * (days - 1) : each
}

/** The bulletin's numbers as records: complaints of every state, day by day, and the daily counts of reports and consultations. */
function rebuilt(bulletin: Bulletin): Cells {
  const { window } = planOf(calendar, 'spring-festival', bulletin.year)
  const days = daysFrom(window.from, window.to)
  return together(REGIONS.map((region) => {
    const contacts = bulletin.figures['投诉举报']![GB_CODES[region]]!
    const complaints = complaintsIn(contacts)
    const consultations = bulletin.figures['咨询']?.[GB_CODES[region]] ?? 0
    return cellsOfEvents(region, days.flatMap((day, at) => [
      ...STATES.map((state, n) => ['complaint', complaint(region, day, state), partOf(partOf(complaints, at, days.length), n, STATES.length)] as const),
      tally(region, day, 'report', partOf(contacts - complaints, at, days.length)),
      ...(consultations === 0 ? [] : [tally(region, day, 'consultation', partOf(consultations, at, days.length))]),
    ]))
  }))
}

function complaintsOn(bulletin: Bulletin, days: number): number {
  const of = Object.values(bulletin.figures['投诉举报']!).map(complaintsIn)
  const all = bulletin.year === 2020 ? 10 : 7
  return of.reduce((sum, n) => sum + Array.from({ length: days }, (_, at) => partOf(n, at, all)).reduce((a, b) => a + b, 0), 0)
}

function complaint(region: Region, day: string, state: string) {
  return { recordId: `bulletin-${region}/${day}`, kind: 'original', occurredOn: day, recordedAt: `${day}T09:00:00+08:00`, state, registeredOn: day }
}

function tally(region: Region, day: string, tallyType: string, count: number) {
  return ['tally', { recordId: `bulletin-${region}/${day}/${tallyType}`, kind: 'original', occurredOn: day, recordedAt: `${day}T09:00:00+08:00`, day, tallyType, count }] as const
}

function byRegion(figures: Readonly<Record<string, number>>): Record<Region, number> {
  return Object.fromEntries(REGIONS.map((region) => [region, figures[GB_CODES[region]]!])) as Record<Region, number>
}
