import { beforeAll, describe, expect, test } from 'vitest'
import { planOf, type CampaignId } from '@hub/announcer/campaigns'
import { loadCalendar } from '@hub/announcer/calendar/load'
import { onDays, type Cells } from '@hub/announcer/figures/cells'
import { figuresOf } from '@hub/announcer/figures/compute'
import { outcome, recoveredFen } from '@hub/announcer/figures/counts'
import type { Figures } from '@hub/announcer/figures/model'
import { traderRows } from '@hub/announcer/figures/traders'
import { isIn } from '@hub/announcer/figures/windows'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { sampleCells, STATED } from './sample-cells.ts'

const calendar = loadCalendar()
const EVERYTHING = { from: '1900-01-01', to: '2100-12-31' }
let cells: Cells

beforeAll(async () => {
  cells = await sampleCells()
})

describe.each<[string, CampaignId]>([['spring-festival-2026', 'spring-festival'], ['315-2026', '315-week']])('%s is what expected.json states', (name, campaign) => {
  const plan = planOf(calendar, campaign, 2026)
  let figures: Figures

  beforeAll(() => {
    figures = figuresOf(cells, plan, calendar, REGIONS)
  })

  test('its window', () => {
    expect([plan.window.from, plan.window.to]).toEqual(STATED.windows[name])
  })

  test.each([...REGIONS, 'total'] as const)('%s', (place) => {
    const stated = STATED.complaints[place].windows[name]!
    const counts = Object.fromEntries(figures.counts.map(({ definition, counts }) => [definition, counts[place]]))
    expect(counts).toMatchObject({
      'received@1': stated.received, 'counted@1': stated.counted, 'accepted@1': stated.accepted, 'refused@1': stated.refused,
      'reports@1': stated.reports, 'consultations@1': stated.consultations,
    })
    expect(counts['pending@1']! + counts['transferred@1']!).toBe(stated.received - stated.counted)
    const issues = Object.fromEntries(figures.issues.rows.map(({ code, counts }) => [code ?? 'unmapped', counts[place]]))
    expect(issues).toEqual(Object.fromEntries(Object.entries(stated.byIssue).filter(([code]) => issues[code] !== undefined)))
    expect(Object.values(stated.byIssue).reduce((sum, n) => sum + n, 0)).toBe(figures.issues.of[place])

    const inside = onDays(cells, (day) => isIn(plan.window, day))
    const regions = new Set<Region>(place === 'total' ? REGIONS : [place])
    for (const [code, n] of Object.entries(stated.mediation)) expect(outcome(code, inside, regions), code).toBe(n)
    expect(recoveredFen(inside, regions)).toBe(BigInt(stated.recoveredFen))
    const ended = Object.values(stated.mediation).reduce((sum, n) => sum + n, 0)
    const { accepted, open, withheld, success, recoveredFen: shown } = figures.mediation.values[place]!
    expect({ accepted, open }).toEqual({ accepted: stated.accepted, open: stated.accepted - ended })
    expect(withheld).toBe(open > ended)
    expect({ success, shown }).toEqual(withheld ? { success: null, shown: null }
      : { success: { numerator: stated.mediation['settled'], denominator: stated.mediation['settled']! + stated.mediation['terminated']! }, shown: String(stated.recoveredFen) })
  })

  test('nothing is known of the year before', () => {
    expect(figures.yearOnYear.rows.flatMap(({ values }) => [...REGIONS, 'total' as const].map((place) => values[place]!.earlier))).toEqual(Array(15).fill(null))
  })
})

test('the rate is shown for Spring Festival and withheld for the week that ended two days ago', () => {
  const total = (campaign: CampaignId) => figuresOf(cells, planOf(calendar, campaign, 2026), calendar, REGIONS).mediation.values.total
  expect(total('spring-festival')).toMatchObject({ open: 15, accepted: 91, withheld: false, success: { numerator: 47, denominator: 67 }, recoveredFen: '18945185' })
  expect(total('315-week')).toMatchObject({ open: 158, accepted: 228, withheld: true, success: null, recoveredFen: null })
})

test.each([...REGIONS, 'total'] as const)('over all days, %s', (place) => {
  const stated = STATED.complaints[place]
  const plan = { ...planOf(calendar, '315', 2026), window: { from: '2019-01-01', to: '2026-12-31' } }
  const figures = figuresOf(cells, plan, calendar, REGIONS)
  expect({ goods: figures.goods.of[place], services: figures.services.of[place] }).toEqual({ goods: stated.byObjectKind['goods'], services: stated.byObjectKind['services'] })
  for (const { code, counts } of figures.issues.rows) expect(counts[place], String(code)).toBe(stated.byIssue[code ?? 'unmapped'])
  expect(figures.counts.find(({ definition }) => definition === 'accepted@1')!.counts[place]).toBe(stated.accepted)
})

test.each([...REGIONS, 'total'] as const)('traders of %s, counted by code as top10 states; sole traders are in totals alone', (place) => {
  const ranked = traderRows(cells, EVERYTHING, 0, place === 'total' ? REGIONS : [place])
    .sort((a, b) => b.counted - a.counted || (a.uscc < b.uscc ? -1 : 1)).map(({ uscc, name, counted }) => ({ uscc, name, count: counted }))
  const stated = STATED.complaints[place].top10.filter(({ uscc }) => !uscc.startsWith('92'))
  expect(ranked.slice(0, stated.length)).toEqual(stated)
  expect(ranked.filter(({ uscc }) => uscc.startsWith('92'))).toEqual([])
})

test('the list names firms with ten accepted complaints of the four regions together', () => {
  const rows = traderRows(cells, { from: '2025-03-17', to: '2026-03-16' }, 10, REGIONS)
  expect(rows.map(({ accepted }) => accepted)).toEqual(rows.map(({ accepted }) => accepted).toSorted((a, b) => b - a))
  expect(rows.every(({ accepted, counted }) => accepted >= 10 && counted >= accepted)).toBe(true)
  expect(rows.find(({ uscc }) => uscc === '91320505MAY0ERAC05')).toMatchObject({ name: '苏州荇苒记健身管理有限公司', regions: ['sh', 'js'] })
})
