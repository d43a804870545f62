import { REGIONS, type Region } from '@hub/schemas/streams'
import type { Plan } from '../campaigns.ts'
import type { Calendar } from '../calendar/calendar.ts'
import { standingOf, type RegionAtCut } from '../completeness.ts'
import { beginningsOf, type Beginnings } from '../figures/beginnings.ts'
import type { Cells } from '../figures/cells.ts'
import { figuresOf } from '../figures/compute.ts'
import { definitionOf, refOf } from '../figures/definitions.ts'
import type { DefinitionRef, Figures } from '../figures/model.ts'
import { spansOf } from '../figures/periods.ts'
import { digestOf } from '../canonical.ts'
import { FIGURE_CAVEATS } from './caveats.ts'
import { changesBetween } from './changes.ts'
import { correctedCells, stated, type Correction } from './corrections.ts'
import type { CutPartition, Statement } from './model.ts'
import { titleOf } from './titles.ts'

/** A partial edition needs the signatures of three regions. */
export const LEAST_REGIONS = 3

export interface CutState {
  readonly plan: Plan
  readonly demo: boolean
  readonly regions: Readonly<Record<Region, RegionAtCut>>
  /** Of the partitions that were cut. */
  readonly basis: readonly CutPartition[]
  /** What the first marker of each partition copied of the days of `spansOf`; and where the data of each region begin, unless the cells themselves say so. */
  readonly cells: Cells
  readonly begin?: Beginnings
}

/**
 * The first edition: full, or partial when one region was not cut.
 * @throws RangeError when fewer than three regions were cut
 */
export function statementOf(cut: CutState, calendar: Calendar): Statement {
  const present = presentOf(cut)
  return build(cut, 1, present.length === REGIONS.length ? 'full' : 'partial', figuresOf(cut.cells, cut.plan, calendar, present, cut.begin), null)
}

/**
 * An edition that corrects an earlier one: the first copies, of the regions that are cut by now, with what was wrong in them put right.
 * @throws RangeError when nothing is corrected, or a correction takes away what is not there
 */
export function erratumOf(cut: CutState, calendar: Calendar, corrects: Statement, corrections: readonly Correction[]): Statement {
  if (corrections.length === 0) throw new RangeError('更正须说明更正内容；正常办理进展不作更正 / an erratum states what it corrects: ordinary progress is no reason')
  if (corrects.figures === null) throw new RangeError('已撤回的公示不能更正 / what was retracted is not corrected')
  const present = presentOf(cut)
  const figures = figuresOf(correctedCells(cut.cells, corrections, spansOf(cut.plan, calendar)), cut.plan, calendar, present, cut.begin ?? beginningsOf(cut.cells))
  return build(cut, corrects.edition + 1, 'erratum', figures, {
    corrects: { edition: corrects.edition, aggregates: digestOf(corrects) },
    corrections: stated(corrections),
    changes: changesBetween(corrects.figures, figures),
  })
}

/** An edition that takes back the one before: no figures are left in it. */
export function retractionOf(retracts: Statement): Statement {
  const edition = retracts.edition + 1
  const missing = REGIONS.filter((region) => retracts.regions[region].standing === 'missing')
  return {
    ...retracts,
    edition,
    kind: 'retracted',
    title: titleOf({ ...retracts, edition, kind: 'retracted', missing }),
    figures: null,
    definitions: [],
    erratum: { corrects: { edition: retracts.edition, aggregates: digestOf(retracts) }, corrections: [], changes: [] },
  }
}

/** Regions that are in an edition: every partition of theirs was cut. */
export function regionsIn(statement: Statement): Region[] {
  return REGIONS.filter((region) => statement.regions[region].standing !== 'missing')
}

/** Regions that an edition is of. @throws RangeError when there are too few */
export function presentOf({ regions }: Pick<CutState, 'regions'>): Region[] {
  const present = REGIONS.filter((region) => regions[region].cut)
  if (present.length < LEAST_REGIONS) throw new RangeError(`至少须有三个地区完成截数，现有${present.length}个 / an edition needs ${LEAST_REGIONS} regions that were cut, there are ${present.length}`)
  return present
}

function build({ plan, demo, regions, basis }: CutState, edition: number, kind: Statement['kind'], figures: Figures, erratum: Statement['erratum']): Statement {
  const { campaign, year, window, cut, publishOn, calendar, override } = plan
  const missing = REGIONS.filter((region) => !regions[region].cut)
  return {
    campaign,
    year,
    edition,
    kind,
    demo,
    title: titleOf({ campaign, year, edition, kind, missing }),
    plan: { window, cut, publishOn, calendar, override },
    regions: Object.fromEntries(REGIONS.map((region) => [region, standingOf(regions[region], window)])) as Record<Region, Statement['regions'][Region]>,
    basis: basis.filter(({ region }) => regions[region].cut).toSorted((a, b) => REGIONS.indexOf(a.region) - REGIONS.indexOf(b.region) || (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition)),
    definitions: [...refsIn(figures)].sort().map(definitionOf),
    caveats: FIGURE_CAVEATS,
    figures,
    erratum,
  }
}

/** Every definition that an edition needs: those of its figures, and of its list of traders. */
function refsIn({ counts, online, goods, services, issues, mediation, yearOnYear }: Figures): Set<DefinitionRef> {
  return new Set([
    ...counts.map(({ definition }) => definition), online.definition, goods.definition, services.definition, issues.definition,
    mediation.success, mediation.recovered, mediation.open, yearOnYear.definition, ...yearOnYear.rows.map(({ definition }) => definition), refOf('traders'),
  ])
}
