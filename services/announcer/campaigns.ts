import type { Text } from '@hub/schemas/codes'
import { readFileSync } from 'node:fs'
import { knownOn, offRun, requireCovered, versionsTouched, YearUncovered, type Calendar } from './calendar/calendar.ts'
import { addDays, dayNumber, type Day } from './calendar/day.ts'
import { anchorsOf } from './calendar/statutory.ts'
import type { Window } from './figures/model.ts'

/** Occasions on which the four bureaus publish together. */
export const CAMPAIGNS = ['315', '315-week', 'spring-festival', 'may-day', 'national-day'] as const
export type CampaignId = (typeof CAMPAIGNS)[number]

/** When an announcement is cut and published, and which complaints it is about. */
export interface Plan {
  readonly campaign: CampaignId
  readonly year: number
  readonly window: Window
  /** Midnight in Asia/Shanghai at which the day of publication begins: `2026-02-25T00:00:00+08:00`. */
  readonly cut: string
  readonly publishOn: Day
  /** Versions of the year files that fixed it. */
  readonly calendar: readonly string[]
  /** Why it is not what the template gives; `null` = it is. */
  readonly override: Text | null
}

/** Another window or day of publication that the four bureaus agreed on for one year. */
export interface Override {
  readonly campaign: CampaignId
  readonly year: number
  readonly window?: Window
  readonly publishOn?: Day
  readonly reason: Text
}

interface Template {
  readonly name: Text
  /** How a day finds its counterpart of the year before. */
  readonly alignment: 'lunar' | 'date'
  plan(calendar: Calendar, year: number): { readonly window: Window, readonly publishOn: Day }
}

/** A holiday is cut and published two days after it ends. */
function holiday(name: Text, alignment: Template['alignment'], anchor: (year: number) => Day): Template {
  return {
    name,
    alignment,
    plan(calendar, year) {
      const run = offRun(calendar, anchor(year))
      if (run === undefined) throw new PlanRefused([`${anchor(year)}为工作日，不能确定假期`, `${anchor(year)} is a working day: there is no holiday around it`])
      return { window: { from: run.from, to: run.to }, publishOn: addDays(run.to, 2) }
    },
  }
}

const TEMPLATES: Readonly<Record<CampaignId, Template>> = {
  '315': {
    name: ['3·15国际消费者权益日', 'World Consumer Rights Day'],
    alignment: 'date',
    plan: (_calendar, year) => ({ window: { from: `${year - 1}-01-01`, to: `${year - 1}-12-31` }, publishOn: `${year}-03-15` }),
  },
  '315-week': {
    name: ['3·15消费维权周', 'the week of World Consumer Rights Day'],
    alignment: 'date',
    plan: (_calendar, year) => ({ window: { from: `${year}-03-09`, to: `${year}-03-15` }, publishOn: `${year}-03-17` }),
  },
  'spring-festival': holiday(['春节', 'Spring Festival'], 'lunar', (year) => anchorsOf(year)!.springFestival),
  'may-day': holiday(['劳动节', 'May Day'], 'date', (year) => `${year}-05-01`),
  'national-day': holiday(['国庆节', 'National Day'], 'date', (year) => `${year}-10-01`),
}

/** A plan that cannot be made; the message says what to do. */
export class PlanRefused extends Error {
  readonly text: Text
  constructor(text: Text) {
    super(`${text[0]} / ${text[1]}`)
    this.name = 'PlanRefused'
    this.text = text
  }
}

const OVERRIDES: readonly Override[] = JSON.parse(readFileSync(new URL('overrides.json', import.meta.url), 'utf8'))

export function campaignName(campaign: CampaignId): Text {
  return TEMPLATES[campaign].name
}

export function alignmentOf(campaign: CampaignId): 'lunar' | 'date' {
  return TEMPLATES[campaign].alignment
}

export function isCampaign(value: string): value is CampaignId {
  return (CAMPAIGNS as readonly string[]).includes(value)
}

/**
 * The plan of a campaign: what the template gives, or what `overrides.json` says for the year.
 * @throws YearUncovered when no notice covers the year
 * @throws PlanRefused when an override is no plan
 */
export function planOf(calendar: Calendar, campaign: CampaignId, year: number, overrides: readonly Override[] = OVERRIDES): Plan {
  requireCovered(calendar, year)
  const template = TEMPLATES[campaign].plan(calendar, year)
  const override = overrides.find((one) => one.campaign === campaign && one.year === year)
  const window = override?.window ?? template.window
  const publishOn = override?.publishOn ?? template.publishOn
  dayNumber(window.from)
  if (window.from > window.to) throw new PlanRefused([`统计窗口首日${window.from}晚于末日${window.to}`, `the window begins on ${window.from}, after its end on ${window.to}`])
  if (publishOn <= window.to) throw new PlanRefused([`发布日${publishOn}须晚于窗口末日${window.to}`, `publication on ${publishOn} is not after the end of the window on ${window.to}`])
  if (override !== undefined && !(override.reason?.length === 2)) throw new PlanRefused(['调整发布安排须写明中英文理由', 'an override says why, in Chinese and English'])
  return { campaign, year, window, cut: `${publishOn}T00:00:00+08:00`, publishOn, calendar: versionsTouched(calendar, window.from, publishOn), override: override?.reason ?? null }
}

/**
 * A plan, and the calendar that its figures are computed with: as both were known on the day of publication. A notice that comes later (that of the next year
 * settles a December) changes nothing of what was signed, and no erratum mixes the two. Needed from the cut on; before it a plan may move.
 * @throws YearUncovered, PlanRefused
 */
export function asPublished(calendar: Calendar, campaign: CampaignId, year: number): { readonly plan: Plan, readonly calendar: Calendar } {
  const known = knownOn(calendar, planOf(calendar, campaign, year).publishOn)
  return { plan: planOf(known, campaign, year), calendar: known }
}

/** Every announcement of the years that have a notice, by day of publication. */
export function allPlans(calendar: Calendar, overrides?: readonly Override[]): Plan[] {
  return [...calendar.years.keys()].flatMap((year) => CAMPAIGNS.map((campaign) => planOf(calendar, campaign, year, overrides)))
    .sort((a, b) => (a.publishOn < b.publishOn ? -1 : a.publishOn > b.publishOn ? 1 : 0))
}

/** The window of the year before; `null` when no notice covers that year. */
export function windowBefore(calendar: Calendar, { campaign, year }: Pick<Plan, 'campaign' | 'year'>, overrides?: readonly Override[]): Window | null {
  try {
    return planOf(calendar, campaign, year - 1, overrides).window
  } catch (error) {
    if (error instanceof YearUncovered) return null
    throw error
  }
}

/** A plan that another version of the calendar makes differently; `before: null` = a year that was not covered. */
export interface PlanMoved {
  readonly before: Plan | null
  readonly after: Plan
}

/** Plans that an amendment, a new year's notice or an override moved. */
export function plansMoved(before: readonly Plan[], after: readonly Plan[]): PlanMoved[] {
  return after.flatMap((plan) => {
    const was = before.find((one) => one.campaign === plan.campaign && one.year === plan.year) ?? null
    const same = was !== null && was.window.from === plan.window.from && was.window.to === plan.window.to && was.publishOn === plan.publishOn
    return same ? [] : [{ before: was, after: plan }]
  })
}

/** A process that was down takes up what fell due in this time. */
const CATCH_UP_MS = 7 * 86_400_000

/** Whether its cut has passed so long ago that it is taken up on request alone. @param now ms UTC */
export function isPast({ cut }: Pick<Plan, 'cut'>, now: number): boolean {
  return Date.parse(cut) <= now - CATCH_UP_MS
}
