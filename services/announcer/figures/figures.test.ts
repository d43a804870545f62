import { REGIONS, type Region } from '@hub/schemas/streams'
import { describe, expect, test } from 'vitest'
import { calendarOf } from '../calendar/calendar.ts'
import { loadCalendar, readYearFiles } from '../calendar/load.ts'
import { asPublished, planOf } from '../campaigns.ts'
import { beginningsOf } from './beginnings.ts'
import { NO_CELLS, type Cells, type DayCell } from './cells.ts'
import { figuresOf } from './compute.ts'
import { definitionOf, DEFINITIONS } from './definitions.ts'
import { addedUp, periodsOf, runsOf, spansOf } from './periods.ts'
import { risesOf } from './rises.ts'
import { traderRows } from './traders.ts'
import { pairDays, sameDayOf, twelveMonthsBefore } from './windows.ts'

const calendar = loadCalendar()
const spring = planOf(calendar, 'spring-festival', 2026)

const onDay = (region: Region, day: string, n: number, change: Partial<DayCell> = {}): DayCell => ({ region, day, state: 'mediating', outcome: null, online: null, n, recoveredFen: 0n, ...change })
const inRegions = (cells: (region: Region) => DayCell[], regions: readonly Region[] = REGIONS): Cells => ({ ...NO_CELLS, days: regions.flatMap(cells) })

describe('year on year', () => {
  test('Spring Festival: days as far from lunar day 1 as these', () => {
    const { current, earlier } = pairDays({ from: '2026-02-15', to: '2026-02-23' }, { from: '2025-01-28', to: '2025-02-04' }, 'lunar')
    // 2026 begins two days before lunar day 1, 2025 one: the first day has no counterpart.
    expect([...current][0]).toBe('2026-02-16')
    expect([[...current].length, [...earlier][0], [...earlier].at(-1)]).toEqual([8, '2025-01-28', '2025-02-04'])
  })

  test('elsewhere: the same day of the same month, and 29 February has none', () => {
    expect(pairDays({ from: '2024-02-28', to: '2024-03-01' }, { from: '2023-02-28', to: '2023-03-01' }, 'date')).toEqual({ current: new Set(['2024-02-28', '2024-03-01']), earlier: new Set(['2023-02-28', '2023-03-01']) })
    expect(pairDays({ from: '2026-10-01', to: '2026-10-07' }, { from: '2025-10-01', to: '2025-10-08' }, 'date').current.size).toBe(7)
  })

  test('prints both lengths, and compares the common days alone', () => {
    const cells = inRegions((region) => [onDay(region, '2026-02-15', 100), onDay(region, '2026-02-16', 3), onDay(region, '2025-01-28', 2), onDay(region, '2025-02-05', 50)])
    const { yearOnYear } = figuresOf(cells, spring, calendar, REGIONS)
    expect(yearOnYear).toMatchObject({ current: { days: 9 }, earlier: { from: '2025-01-28', to: '2025-02-04', days: 8 }, comparedDays: 8 })
    expect(yearOnYear.rows[0]!.values).toEqual({ ...Object.fromEntries(REGIONS.map((region) => [region, { current: 3, earlier: 2 }])), total: { current: 12, earlier: 8 } })
  })

  test('a region whose data begin later has nothing to compare, nor has the total with it', () => {
    const cells = inRegions((region) => [onDay(region, '2026-02-16', 3), onDay(region, region === 'js' ? '2025-01-29' : '2025-01-28', 2)])
    const [received] = figuresOf(cells, spring, calendar, REGIONS).yearOnYear.rows
    expect(received!.values).toMatchObject({ sh: { current: 3, earlier: 2 }, js: { current: 3, earlier: null }, total: { current: 12, earlier: null } })
    const begin = { ...beginningsOf(cells), js: { complaints: '2025-01-02', tallies: null } }
    expect(figuresOf(cells, spring, calendar, REGIONS, begin).yearOnYear.rows[0]!.values.total).toEqual({ current: 12, earlier: 8 })
    const earlier = { ...cells, days: [...cells.days, onDay('js', '2025-01-02', 1)] }
    expect(figuresOf(earlier, spring, calendar, REGIONS).yearOnYear.rows[0]!.values.total).toEqual({ current: 12, earlier: 8 })
  })

  test('a region without a complaint on those days has nothing to divide by', () => {
    const cells = inRegions((region) => [onDay(region, '2026-02-16', 3), onDay(region, region === 'js' ? '2024-01-28' : '2025-01-28', 2)])
    expect(figuresOf(cells, spring, calendar, REGIONS).yearOnYear.rows[0]!.values.js).toEqual({ current: 3, earlier: null })
  })

  test('a year that no calendar covers', () => {
    const { yearOnYear } = figuresOf(NO_CELLS, planOf(calendar, 'spring-festival', 2019), calendar, REGIONS)
    expect(yearOnYear).toMatchObject({ earlier: null, comparedDays: 0, rows: [] })
  })
})

test('a notice that comes after publication changes nothing of what was published', () => {
  // The notice for 2026 was issued on 2025-11-04; mediation of National Day 2025 ends in the December that it settles too.
  const then = calendarOf(readYearFiles(), '2025-10-10')
  expect(figuresOf(NO_CELLS, planOf(calendar, 'national-day', 2025), calendar, REGIONS).mediation).not.toEqual(figuresOf(NO_CELLS, planOf(then, 'national-day', 2025), then, REGIONS).mediation)
  const published = (today: typeof calendar) => {
    const { plan, calendar } = asPublished(today, 'national-day', 2025)
    return figuresOf(NO_CELLS, plan, calendar, REGIONS)
  }
  expect(published(calendar)).toEqual(published(then))
})

describe('mediation', () => {
  const rate = (cells: DayCell[]) => figuresOf({ ...NO_CELLS, days: cells }, spring, calendar, REGIONS).mediation.values.total
  const settled = onDay('sh', '2026-02-16', 2, { state: 'closed', outcome: 'settled', recoveredFen: 2n ** 60n })

  test('is given while half is open, withheld when more is', () => {
    expect(rate([settled, onDay('sh', '2026-02-16', 2)])).toEqual({ accepted: 4, open: 2, withheld: false, success: { numerator: 2, denominator: 2 }, recoveredFen: String(2n ** 60n) })
    expect(rate([settled, onDay('sh', '2026-02-16', 3)])).toEqual({ accepted: 5, open: 3, withheld: true, success: null, recoveredFen: null })
  })

  test('without an end there is no rate, but no zero either', () => {
    expect(rate([onDay('sh', '2026-02-16', 1, { state: 'withdrawn', outcome: 'withdrawn' })])).toMatchObject({ withheld: false, success: null })
  })

  test('what is refused or pending is in no rate', () => {
    expect(rate([settled, onDay('sh', '2026-02-16', 9, { state: 'refused' }), onDay('sh', '2026-02-16', 9, { state: 'received' })])).toMatchObject({ accepted: 2, open: 0 })
  })
})

describe('traders', () => {
  const cell = (uscc: string, name: string | null, accepted: number, counted = accepted) => ({ region: 'sh' as const, day: '2026-02-01', uscc, name, counted, accepted, settled: 0, terminated: 0 })
  const rows = (...traders: ReturnType<typeof cell>[]) => traderRows({ ...NO_CELLS, traders }, twelveMonthsBefore('2026-02-25'), 10, REGIONS)

  test('ten accepted complaints name a firm, nine do not, whatever was refused', () => {
    expect(rows(cell('A', '甲', 10), cell('B', '乙', 9, 30)).map(({ uscc }) => uscc)).toEqual(['A'])
  })

  test('the name is the one used most, of two alike the first', () => {
    expect(rows(cell('A', '甲公司', 4), cell('A', '甲', 6))[0]!.name).toBe('甲')
    expect(rows(cell('A', '乙', 5), cell('A', '甲', 5))[0]!.name).toBe('乙' < '甲' ? '乙' : '甲')
    expect(rows(cell('A', null, 10))[0]!.name).toBe('A')
  })

  test('most accepted first, then most counted, then by code', () => {
    expect(rows(cell('D', 'd', 10), cell('C', 'c', 10), cell('B', 'b', 10, 11), cell('A', 'a', 11)).map(({ uscc }) => uscc)).toEqual(['A', 'B', 'C', 'D'])
  })

  test('the twelve months end the day before the cut', () => {
    expect(twelveMonthsBefore('2026-02-25')).toEqual({ from: '2025-02-25', to: '2026-02-24' })
    expect(twelveMonthsBefore('2024-02-29')).toEqual({ from: '2023-02-28', to: '2024-02-28' })
    expect(sameDayOf(2028, '2024-02-29')).toBe('2028-02-29')
  })
})

test('the days that an announcement reads', () => {
  expect(spansOf(spring, calendar)).toEqual({ periods: periodsOf(spring, calendar), window: spring.window, earlier: { from: '2025-01-28', to: '2025-02-04' }, traders: { from: '2025-02-25', to: '2026-02-24' } })
  expect(spansOf(planOf(calendar, 'spring-festival', 2019), calendar).earlier).toBeNull()
})

test('periods are told to a marker as runs of days', () => {
  expect(runsOf(periodsOf(spring, calendar))).toEqual([{ from: '2026-02-16', to: '2026-02-23' }, { from: '2026-02-15', to: '2026-02-15' }, { from: '2025-01-28', to: '2025-02-04' }])
})

test('days that no figure tells apart are added up, and the sum has the first of them', () => {
  const periods = periodsOf(spring, calendar)
  expect(periods.map(({ name, days }) => [name, days[0], days.at(-1), days.length])).toEqual([
    ['compared', '2026-02-16', '2026-02-23', 8], ['window', '2026-02-15', '2026-02-15', 1], ['earlier', '2025-01-28', '2025-02-04', 8],
  ])
  const cells = { ...NO_CELLS, days: [onDay('sh', '2025-02-01', 1), onDay('sh', '2025-01-30', 2), onDay('sh', '2026-02-16', 4), onDay('sh', '2026-02-15', 8), onDay('sh', '2025-06-01', 16)] }
  expect(addedUp(cells, periods).days.map(({ day, n }) => [day, n])).toEqual([['2025-01-30', 3], ['2026-02-16', 4], ['2026-02-15', 8]])
})

describe('rises', () => {
  const received = (day: string, code: string, n: number) => ({ region: 'sh' as const, day, dimension: 'issue' as const, kind: null, code, received: n, counted: 0 })
  const rises = (now: Record<string, number>, then: Record<string, number>, begins = '2025-01-28') => {
    const cells: Cells = {
      ...NO_CELLS,
      days: [onDay('sh', begins, 1)],
      classes: [...Object.entries(now).map(([code, n]) => received('2026-02-16', code, n)), ...Object.entries(then).map(([code, n]) => received('2025-01-28', code, n))],
    }
    return risesOf(cells, spring, calendar, ['sh'])
  }

  test('the largest first, with counts, as a draft that asks for an editor', () => {
    const [first, second, ...rest] = rises({ '01': 50, '02': 100, '03': 20 }, { '01': 20, '02': 40, '03': 20 })
    expect([first!.code, second!.code, rest]).toEqual(['02', '01', []])
    expect(first!.draft).toEqual(['与上年同期可比的8天相比，“合同”投诉由40件增至100件。【请补充消费提示】', expect.stringContaining('[add advice]')])
  })

  test('what may be chance is none: fewer than ten, or within two standard deviations', () => {
    expect(rises({ '01': 9, '02': 25, '03': 26 }, { '01': 0, '02': 13, '03': 13 }).map(({ code }) => code)).toEqual(['03'])
  })

  test('nothing rises against a year without data', () => {
    expect(rises({ '01': 100 }, { '01': 10 }, '2025-01-29')).toEqual([])
  })
})

test('a definition is found by id and version, and no other', () => {
  expect(definitionOf('received@1')).toBe(DEFINITIONS.received)
  expect(() => definitionOf('received@2')).toThrow(/received@2/)
  expect(() => definitionOf('toString@1')).toThrow(RangeError)
  for (const [id, definition] of Object.entries(DEFINITIONS)) expect(definition.id).toBe(id)
})
