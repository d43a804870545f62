import { describe, expect, test } from 'vitest'
import { allPlans, CAMPAIGNS, isPast, PlanRefused, planOf, plansMoved, windowBefore, type CampaignId, type Override } from './campaigns.ts'
import { calendarOf, YearUncovered } from './calendar/calendar.ts'
import { loadCalendar, readYearFiles } from './calendar/load.ts'
import { duePlans } from './schedule.ts'

const calendar = loadCalendar()

describe('plans', () => {
  test.each<[CampaignId, number, string, string, string]>([
    ['spring-festival', 2026, '2026-02-15', '2026-02-23', '2026-02-25'],
    ['may-day', 2026, '2026-05-01', '2026-05-05', '2026-05-07'],
    ['national-day', 2026, '2026-10-01', '2026-10-07', '2026-10-09'],
    ['315', 2026, '2025-01-01', '2025-12-31', '2026-03-15'],
    ['315-week', 2026, '2026-03-09', '2026-03-15', '2026-03-17'],
    // As the bulletins of these years were published.
    ['spring-festival', 2020, '2020-01-24', '2020-02-02', '2020-02-04'],
    ['spring-festival', 2021, '2021-02-11', '2021-02-17', '2021-02-19'],
    ['national-day', 2025, '2025-10-01', '2025-10-08', '2025-10-10'],
  ])('%s %i', (campaign, year, from, to, publishOn) => {
    expect(planOf(calendar, campaign, year)).toMatchObject({ window: { from, to }, publishOn, cut: `${publishOn}T00:00:00+08:00`, override: null })
  })

  test('nothing is planned in a year without a notice', () => {
    for (const campaign of CAMPAIGNS) for (const year of [2018, 2027]) expect(() => planOf(calendar, campaign, year)).toThrow(YearUncovered)
  })

  test('all plans, by day of publication', () => {
    const plans = allPlans(calendar)
    expect(plans).toHaveLength(8 * 5)
    expect(plans.filter(({ year }) => year === 2026).map(({ campaign }) => campaign)).toEqual(['spring-festival', '315', '315-week', 'may-day', 'national-day'])
    expect(plans.map(({ publishOn }) => publishOn)).toEqual(plans.map(({ publishOn }) => publishOn).toSorted())
  })

  test('the window of the year before, where a calendar covers it', () => {
    expect(windowBefore(calendar, { campaign: 'spring-festival', year: 2026 })).toEqual({ from: '2025-01-28', to: '2025-02-04' })
    expect(windowBefore(calendar, { campaign: 'spring-festival', year: 2019 })).toBeNull()
  })
})

describe('what the bureaus agree on otherwise', () => {
  const override: Override = { campaign: 'may-day', year: 2026, publishOn: '2026-05-08', reason: ['四地商定', 'agreed by the four'] }

  test('moves one campaign of one year, and says why', () => {
    expect(planOf(calendar, 'may-day', 2026, [override])).toMatchObject({ window: { from: '2026-05-01', to: '2026-05-05' }, publishOn: '2026-05-08', cut: '2026-05-08T00:00:00+08:00', override: override.reason })
    expect(planOf(calendar, 'may-day', 2025, [override]).override).toBeNull()
  })

  test.each<[string, Partial<Override>]>([
    ['publication before the window has ended', { publishOn: '2026-05-05' }],
    ['a window that ends before it begins', { window: { from: '2026-05-05', to: '2026-05-01' } }],
    ['no reason', { reason: [] as unknown as Override['reason'] }],
  ])('%s is refused', (_what, change) => {
    expect(() => planOf(calendar, 'may-day', 2026, [{ ...override, ...change }])).toThrow(PlanRefused)
  })
})

describe('what moves a plan', () => {
  const files = readYearFiles()

  test('an amendment: the Spring Festival of 2020 was extended while it ran', () => {
    const moved = plansMoved(allPlans(calendarOf(files, '2020-01-25')), allPlans(calendarOf(files, '2020-01-26')))
    expect(moved.map(({ before, after }) => [after.campaign, after.year, before?.publishOn, after.publishOn])).toEqual([['spring-festival', 2020, '2020-02-01', '2020-02-04']])
  })

  test('a new notice: a year can be planned', () => {
    const moved = plansMoved(allPlans(calendarOf(files, '2025-11-03')), allPlans(calendarOf(files, '2025-11-04')))
    expect(moved.map(({ before, after }) => [before, after.year])).toEqual(Array(5).fill([null, 2026]))
  })

  test('an override', () => {
    const moved = plansMoved(allPlans(calendar), allPlans(calendar, [{ campaign: '315', year: 2026, publishOn: '2026-03-16', reason: ['一', 'a'] }]))
    expect(moved).toMatchObject([{ before: { publishOn: '2026-03-15' }, after: { publishOn: '2026-03-16' } }])
  })
})

describe('what falls due', () => {
  const plan = planOf(calendar, '315-week', 2026)
  const cut = Date.parse(plan.cut)
  const days = (n: number): number => cut + n * 86_400_000

  test.each([[-1, 0], [0, 1], [6, 1], [7, 0], [300, 0]])('%i days after its cut: taken up by itself %i times', (after, times) => {
    expect(duePlans([plan], [], days(after))).toHaveLength(times)
    expect(isPast(plan, days(after))).toBe(after >= 7)
  })

  test('what was taken up before is not again', () => {
    expect(duePlans([plan], [{ campaign: '315-week', year: 2026 }], days(1))).toEqual([])
    expect(duePlans([plan], [{ campaign: '315-week', year: 2025 }], days(1))).toEqual([plan])
  })
})
