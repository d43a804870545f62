import { loadCalendar } from '@hub/announcer/calendar/load'
import { planOf, type CampaignId } from '@hub/announcer/campaigns'
import type { RegionAtCut } from '@hub/announcer/completeness'
import { annexOf, LEAST_ACCEPTED, saltsFrom, traderList } from '@hub/announcer/edition/annex'
import { approvedBytes, assembleEdition, digestsOf, recomputedBytes, type Content } from '@hub/announcer/edition/assemble'
import type { Edition, Statement, Tip } from '@hub/announcer/edition/model'
import { regionsIn, statementOf, type CutState } from '@hub/announcer/edition/statement'
import type { Cells } from '@hub/announcer/figures/cells'
import { traderRows } from '@hub/announcer/figures/traders'
import { twelveMonthsBefore } from '@hub/announcer/figures/windows'
import { generateSigningKey, sign, type SigningKey } from '@hub/runtime/sign'
import { REGIONS, type Region } from '@hub/schemas/streams'

const calendar = loadCalendar()
const keys = Object.fromEntries(REGIONS.map((region) => [region, generateSigningKey()])) as Record<Region, SigningKey>

export interface SampleEdition {
  readonly campaign?: CampaignId
  readonly missing?: Region
  readonly demo?: boolean
  readonly tips?: readonly Tip[]
  readonly minimum?: number
  /** What follows the first edition. */
  then?(first: Statement, cut: CutState): Statement
}

/** An edition of cells, signed by the regions in it with keys of the moment. */
export function sampleEdition(cells: Cells, { campaign = 'spring-festival', missing, demo = false, tips = [], minimum = LEAST_ACCEPTED, then = (first) => first }: SampleEdition = {}): Edition {
  const plan = planOf(calendar, campaign, 2026)
  const at = plan.cut.replace('00:00:00', '00:00:05')
  const cut: CutState = {
    plan, demo, cells,
    regions: Object.fromEntries(REGIONS.map((region): [Region, RegionAtCut] => [region, {
      cut: region !== missing,
      sources: [{ source: '12315', owner: '消费投诉举报处', baselineComplete: true, lastHandOver: Date.parse(region === 'ah' ? `${plan.window.from}T09:00:00+08:00` : plan.cut) - 3_600_000 }],
    }])) as CutState['regions'],
    basis: REGIONS.flatMap((region) => [0, 1].map((partition) => ({ region, topic: `${region}.complaint`, partition, generation: 'g1', offset: 1_234 + partition, parked: partition, parkedDigest: '0f'.repeat(32) }))),
  }
  const first = statementOf(cut, calendar)
  const statement = then(first, cut)
  const content: Content = { statement, annex: annexOf(traderList(traderRows(cells, twelveMonthsBefore(plan.publishOn), minimum, regionsIn(statement)), plan, minimum), saltsFrom('7'.repeat(64))), tips: statement.figures === null ? [] : tips }
  const digests = digestsOf(content)
  const signed = (region: Region, bytes: Buffer) => ({ region, at, kid: keys[region].kid, signature: sign(keys[region], bytes).toString('base64') })
  return assembleEdition(content,
    regionsIn(statement).map((region) => signed(region, recomputedBytes(statement, digests, { region, at }))),
    regionsIn(statement).map((region) => ({ ...signed(region, approvedBytes(statement, digests, { region, at, approval: `${region}-1` })), approval: `${region}-1` }))).edition
}
