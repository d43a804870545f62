import type { Db } from '@hub/runtime/db'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { WrittenCorrection } from './acts.ts'
import type { Calendar } from './calendar/calendar.ts'
import { asPublished, type Plan } from './campaigns.ts'
import { LEAST_ACCEPTED, traderList, type TraderList } from './edition/annex.ts'
import { correctedCells, type Correction } from './edition/corrections.ts'
import type { Edition, Statement } from './edition/model.ts'
import { erratumOf, presentOf, retractionOf, statementOf } from './edition/statement.ts'
import { spansOf } from './figures/periods.ts'
import { risesOf, type Rise } from './figures/rises.ts'
import { traderRows } from './figures/traders.ts'
import type { Cells } from './figures/cells.ts'
import { basisOf, beginningsAt, type CutRow, readCounts, regionsAtCut } from './store/cuts.ts'
import { readTraderCells, readTraderRows } from './store/traders.ts'

/** What an edition is to be of. */
export interface Subject {
  readonly edition: number
  /** Regions that it is without. */
  readonly missing: readonly Region[]
  readonly corrections: readonly WrittenCorrection[]
  readonly retracts: boolean
  /** The edition before; undefined for the first. */
  readonly before: Edition | undefined
}

/** The figures and traders of an edition as this replica's own copies give them. */
export interface Own {
  readonly statement: Statement
  readonly list: TraderList
}

export interface Recomputing {
  readonly db: Db
  readonly plan: Pick<Plan, 'campaign' | 'year'>
  /** All that is known today. */
  readonly calendar: Calendar
  readonly cuts: readonly CutRow[]
  readonly topicPrefix: string
}

/**
 * Computes an edition from the copies behind the markers. Anybody with a replica comes to the same.
 * @throws RangeError when it cannot be made: fewer than three regions were cut, or a correction is of something else
 */
export async function recompute({ db, plan: { campaign, year }, calendar: today, cuts, topicPrefix }: Recomputing, { edition, missing, corrections, retracts, before }: Subject): Promise<Own> {
  const { plan, calendar } = asPublished(today, campaign, year)
  const spans = spansOf(plan, calendar)
  const all = regionsAtCut(cuts)
  const regions = Object.fromEntries(REGIONS.map((region) => [region, missing.includes(region) ? { cut: false, sources: [] } : all[region]])) as typeof all
  if (retracts) {
    if (before === undefined) throw new RangeError('尚未发布，不能撤回 · what is not published cannot be taken back')
    return { statement: retractionOf(before.statement), list: traderList([], plan) }
  }
  const present = presentOf({ regions })
  const inside = cuts.filter(({ region }) => present.includes(region))
  const read = corrections.map(readCorrection)
  const corrected = read.flatMap(({ before, after }) => [...before?.traders ?? [], ...after?.traders ?? []].map(({ uscc }) => uscc))
  const copies = { campaign, year, cuts: inside, window: spans.traders, minimum: LEAST_ACCEPTED }
  const counts = await readCounts(db, campaign, year, spans.periods)
  const cells = corrected.length === 0 ? counts : { ...counts, traders: await readTraderCells(db, copies, corrected) }
  const traders = corrected.length === 0 ? await readTraderRows(db, copies) : traderRows(correctedCells(cells, read, spans), spans.traders, LEAST_ACCEPTED, present)
  const state = { plan, demo: cuts.some(({ demo }) => demo), regions, basis: basisOf(inside, topicPrefix), cells, begin: beginningsAt(inside) }
  const first = edition === 1 || before === undefined
  return { statement: first ? statementOf(state, calendar) : erratumOf(state, calendar, before.statement, read), list: traderList(traders, plan) }
}

/** What rose by more than chance in the copies of the regions that were cut; from it officers write tips. */
export async function risesAtCut({ db, plan: { campaign, year }, calendar: today, cuts }: Omit<Recomputing, 'topicPrefix'>): Promise<Rise[]> {
  const { plan, calendar } = asPublished(today, campaign, year)
  const { earlier, periods } = spansOf(plan, calendar)
  if (earlier === null) return []
  const regions = regionsAtCut(cuts)
  const present = REGIONS.filter((region) => regions[region].cut)
  return risesOf(await readCounts(db, campaign, year, periods), plan, calendar, present, beginningsAt(cuts))
}

/** Amounts are decimal digits on the log. */
function readCorrection({ before, after, ...correction }: WrittenCorrection): Correction {
  const cells = (written: unknown): Cells | null => {
    if (written === null) return null
    const { days, ...others } = written as Cells
    return { ...others, days: days.map((day) => ({ ...day, recoveredFen: BigInt(day.recoveredFen) })) }
  }
  return { ...correction, before: cells(before), after: cells(after) }
}
