import { stateClass } from '@hub/schemas/rollups'
import type { Region } from '@hub/schemas/streams'
import type { Cells, DayCell } from './cells.ts'
import { refOf, type DefinitionId } from './definitions.ts'
import type { CountRow, Mediation, OnlineShare } from './model.ts'
import { perRegion } from './per-region.ts'

type Regions = ReadonlySet<Region>
type Count = (cells: Cells, regions: Regions) => number

const received: Count = overDays(() => true)
const reports: Count = overTallies('report')

/** Every count of records that is published, from its one definition; over the cells it is given. */
const COUNTS = {
  received,
  counted: overDays(isCounted),
  accepted: overDays(({ state }) => stateClass(state) === 'accepted'),
  refused: overDays(({ state }) => stateClass(state) === 'refused'),
  pending: overDays(({ state }) => stateClass(state) === 'pending'),
  transferred: overDays(({ state }) => stateClass(state) === 'transferred'),
  reports,
  consultations: overTallies('consultation'),
  'complaints-and-reports': (cells, regions) => received(cells, regions) + reports(cells, regions),
} satisfies Partial<Record<DefinitionId, Count>>

export type CountId = keyof typeof COUNTS

export function count(id: CountId, cells: Cells, regions: Regions): number {
  return COUNTS[id](cells, regions)
}

export function countRow(id: CountId, cells: Cells, present: readonly Region[]): CountRow {
  return { definition: refOf(id), counts: perRegion(present, (regions) => count(id, cells, regions)) }
}

export function onlineShare(cells: Cells, regions: Regions): OnlineShare {
  const of = (online: boolean | null) => overDays((cell) => cell.online === online && isCounted(cell))(cells, regions)
  const online = of(true)
  return { online, stated: online + of(false), unstated: of(null) }
}

/** What became of the accepted complaints. */
export function mediation(cells: Cells, regions: Regions): Mediation {
  const accepted = COUNTS.accepted(cells, regions)
  const open = overDays(isOpen)(cells, regions)
  const withheld = open * 2 > accepted
  const settled = outcome('settled', cells, regions)
  const ended = settled + outcome('terminated', cells, regions)
  return {
    accepted,
    open,
    withheld,
    success: withheld || ended === 0 ? null : { numerator: settled, denominator: ended },
    recoveredFen: withheld ? null : recoveredFen(cells, regions).toString(),
  }
}

/** Counted complaints with this outcome, also when they have been closed since. */
export function outcome(code: string, cells: Cells, regions: Regions): number {
  return overDays((cell) => cell.outcome === code && isCounted(cell))(cells, regions)
}

/** Of the counted complaints. */
export function recoveredFen(cells: Cells, regions: Regions): bigint {
  let sum = 0n
  for (const cell of cells.days) if (regions.has(cell.region) && isCounted(cell)) sum += cell.recoveredFen
  return sum
}

function isCounted({ state }: DayCell): boolean {
  const standing = stateClass(state)
  return standing === 'accepted' || standing === 'refused'
}

function isOpen({ state, outcome }: DayCell): boolean {
  return outcome === null && (state === 'accepted' || state === 'mediating')
}

function overDays(counts: (cell: DayCell) => boolean): Count {
  return (cells, regions) => {
    let sum = 0
    for (const cell of cells.days) if (regions.has(cell.region) && counts(cell)) sum += cell.n
    return sum
  }
}

function overTallies(type: string): Count {
  return (cells, regions) => {
    let sum = 0
    for (const cell of cells.tallies) if (cell.tallyType === type && regions.has(cell.region)) sum += cell.n
    return sum
  }
}
