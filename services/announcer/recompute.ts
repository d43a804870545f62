import type { DbClient } from '@hub/runtime/db'
import { REGIONS, type Region } from '@hub/schemas/streams'
import type { WrittenCorrection } from './acts.ts'
import type { Calendar } from './calendar/calendar.ts'
import { asPublished, type Plan } from './campaigns.ts'
import { LEAST_ACCEPTED, traderList, type TraderList } from './edition/annex.ts'
import { correctedCells, type Correction } from './edition/corrections.ts'
import type { Edition, Statement } from './edition/model.ts'
import { erratumOf, regionsIn, retractionOf, statementOf } from './edition/statement.ts'
import { spansOf } from './figures/periods.ts'
import { risesOf, type Rise } from './figures/rises.ts'
import type { Cells } from './figures/cells.ts'
import { basisOf, beginningsAt, type CutRow, readCells, regionsAtCut } from './store/cuts.ts'

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
  readonly db: DbClient
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
  const present = REGIONS.filter((region) => regions[region].cut)
  const inside = cuts.filter(({ region }) => present.includes(region))
  if (retracts) {
    if (before === undefined) throw new RangeError('尚未发布，不能撤回 · what is not published cannot be taken back')
    return { statement: retractionOf(before.statement), list: { ...traderList(NO_CELLS, plan, regionsIn(before.statement)), traders: [] } }
  }
  const read = corrections.map(readCorrection)
  const cells = await readCells(db, plan.campaign, plan.year, spans.periods, spans.traders, LEAST_ACCEPTED, read.flatMap(({ before, after }) => [...before?.traders ?? [], ...after?.traders ?? []].map(({ uscc }) => uscc)))
  const state = { plan, demo: cuts.some(({ demo }) => demo), regions, basis: basisOf(inside, topicPrefix), cells, begin: beginningsAt(inside) }
  if (edition === 1 || before === undefined) return { statement: statementOf(state, calendar), list: traderList(cells, plan, present) }
  return { statement: erratumOf(state, calendar, before.statement, read), list: traderList(correctedCells(cells, read, spans), plan, present) }
}

/** What rose by more than chance in the copies of the regions that were cut; from it officers write tips. */
export async function risesAtCut({ db, plan: { campaign, year }, calendar: today, cuts }: Omit<Recomputing, 'topicPrefix'>): Promise<Rise[]> {
  const { plan, calendar } = asPublished(today, campaign, year)
  const { earlier, traders, periods } = spansOf(plan, calendar)
  if (earlier === null) return []
  const regions = regionsAtCut(cuts)
  const present = REGIONS.filter((region) => regions[region].cut)
  const cells = await readCells(db, plan.campaign, plan.year, periods, traders, LEAST_ACCEPTED)
  return risesOf(cells, plan, calendar, present, beginningsAt(cuts))
}

const NO_CELLS: Cells = { days: [], classes: [], tallies: [], traders: [] }

/** Amounts are decimal digits on the log. */
function readCorrection({ before, after, ...correction }: WrittenCorrection): Correction {
  const cells = (written: unknown): Cells | null => {
    if (written === null) return null
    const { days, ...others } = written as Cells
    return { ...others, days: days.map((day) => ({ ...day, recoveredFen: BigInt(day.recoveredFen) })) }
  }
  return { ...correction, before: cells(before), after: cells(after) }
}
