import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { createWakeup, type Wakeup } from '@hub/runtime/wakeup'
import { schedule as cron } from 'node-cron'
import { advance, type Advancing } from './advance.ts'
import type { Calendar } from './calendar/calendar.ts'
import { allPlans, isPast, type Plan, plansMoved } from './campaigns.ts'
import { countHeard } from './store/acts.ts'
import { openRun, readPlans, readRuns, type Run, writePlan } from './store/announcements.ts'
import { strikeNames } from './store/names.ts'

/** Between two looks while something is under way: half a second is small beside what a person takes, and large beside what a look costs. */
const SOON_MS = 500
const IDLE_MS = 60_000
/** How soon what another region says is looked at, when nothing is under way here. */
const HEAR_MS = 2_000

export interface Schedule {
  /** There is something to look at. */
  look(): void
  run(signal: AbortSignal): Promise<void>
}

/** Plans whose cut has come and that nobody has taken up. */
export function duePlans(plans: readonly Plan[], runs: readonly Pick<Run, 'campaign' | 'year'>[], now: number): Plan[] {
  return plans.filter((plan) => Date.parse(plan.cut) <= now && !isPast(plan, now) && !runs.some(({ campaign, year }) => campaign === plan.campaign && year === plan.year))
}

/**
 * Keeps what is planned, taken up and under way moving: at midnight in Shanghai, every minute, when another region says something, and at once when asked. What it finds is decided by the clock and
 * the database alone, so a process that was down, or one of two, does what is left to do.
 */
export function createSchedule(options: Advancing): Schedule {
  const { db, calendar, log } = options
  const bell: Wakeup = createWakeup()

  return {
    look: bell.signal,
    async run(signal) {
      const jobs = ['0 0 * * *', '* * * * *'].map((expression) => cron(expression, () => bell.signal(), { timezone: 'Asia/Shanghai' }))
      const hearing = hear(signal)
      let failing = false
      try {
        while (!signal.aborted) {
          let moving = false
          try {
            moving = await look()
            failing = false
          } catch (error) {
            if (!failing) log.warn({ err: error }, 'announcements do not go on now')
            failing = true
          }
          await bell.wait(moving || failing ? SOON_MS : IDLE_MS, signal)
        }
      } finally {
        await Promise.all([hearing, ...jobs.map((job) => job.destroy())])
      }
    },
  }

  async function hear(signal: AbortSignal): Promise<void> {
    for (let heard = 0n; !signal.aborted; await pause(HEAR_MS, signal)) {
      // A database that does not answer is told of by the look itself.
      const now = await countHeard(db).catch(() => heard)
      if (now !== heard) bell.signal()
      heard = now
    }
  }

  async function look(): Promise<boolean> {
    const plans = allPlans(calendar)
    await keepPlans(options, plans, calendar, log)
    await strikeNames(db)
    for (const plan of duePlans(plans, await readRuns(db), Date.now())) {
      if (await openRun(db, plan.campaign, plan.year, false, null)) log.info({ campaign: plan.campaign, year: plan.year, cut: plan.cut }, 'an announcement falls due')
    }
    let moving = false
    for (const run of await readRuns(db)) {
      try {
        if (await advance(options, run)) moving = true
      } catch (error) {
        log.warn({ err: error, campaign: run.campaign, year: run.year }, 'an announcement does not go on now')
        moving = true
      }
    }
    return moving
  }
}

/** Notes the plans as they are, and says which have moved since this region last looked. */
async function keepPlans({ db }: Pick<Advancing, 'db'>, plans: readonly Plan[], _calendar: Calendar, log: Log): Promise<void> {
  const known = await readPlans(db)
  for (const { before, after } of plansMoved(known.map(({ plan }) => plan), plans)) {
    await writePlan(db, after, before)
    if (before !== null) log.warn({ campaign: after.campaign, year: after.year, before: { window: before.window, publishOn: before.publishOn }, after: { window: after.window, publishOn: after.publishOn } }, 'a plan has moved')
  }
}
