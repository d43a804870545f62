import { type DbClient } from '@hub/runtime/db'
import { PARTITIONS, REGIONS, type Region } from '@hub/schemas/streams'
import type { CutPartition } from '../edition/model.ts'
import type { RegionAtCut, SourceAtCut } from '../completeness.ts'
import type { Beginnings } from '../figures/beginnings.ts'
import type { Cells } from '../figures/cells.ts'
import type { Period } from '../figures/periods.ts'

/** A marker that this replica has applied. */
export interface CutRow {
  readonly number: bigint
  /** How often a repair put other counts into its copies. */
  readonly recopied: number
  readonly region: Region
  readonly stream: 'complaint' | 'tally'
  readonly topic: string
  readonly partition: number
  readonly generation: string
  readonly offset: bigint
  readonly cutAt: Date
  readonly demo: boolean
  readonly sources: readonly SourceAtCut[]
  readonly parked: bigint
  readonly parkedDigest: string
  readonly whole: boolean
  readonly begins: string | null
  readonly appliedAt: Date
}

/** Partitions of a region that an announcement cuts. */
export const CUT_PARTITIONS = PARTITIONS.complaint + PARTITIONS.tally

export async function readCuts(db: DbClient, campaign: string, year: number): Promise<CutRow[]> {
  const { rows } = await db.query<CutRow>(
    `SELECT number, recopied, region, stream, topic, partition, generation, log_offset AS "offset", cut_at AS "cutAt", demo, sources, parked, encode(parked_digest, 'hex') AS "parkedDigest", whole,
            begins::text AS begins, applied_at AS "appliedAt"
       FROM cut WHERE campaign = $1 AND year = $2 ORDER BY topic, partition`, [campaign, year])
  return rows
}

/** What the markers say of each region; a region that lacks one, or whose copies are not whole here, is not cut. */
export function regionsAtCut(cuts: readonly CutRow[]): Record<Region, RegionAtCut> {
  return Object.fromEntries(REGIONS.map((region) => {
    const own = cuts.filter((cut) => cut.region === region)
    const newest = own.toSorted((a, b) => b.cutAt.getTime() - a.cutAt.getTime())[0]
    return [region, { cut: own.length === CUT_PARTITIONS && own.every(({ whole }) => whole), sources: newest?.sources ?? [] }]
  })) as Record<Region, RegionAtCut>
}

export function basisOf(cuts: readonly CutRow[], topicPrefix: string): CutPartition[] {
  return cuts.map(({ region, topic, partition, generation, offset, parked, parkedDigest }) => ({
    region, topic: topic.slice(topicPrefix.length), partition, generation, offset: Number(offset), parked: Number(parked), parkedDigest,
  }))
}

export function beginningsAt(cuts: readonly CutRow[]): Beginnings {
  const first = (region: Region, stream: CutRow['stream']): string | null => cuts.filter((cut) => cut.region === region && cut.stream === stream).flatMap(({ begins }) => begins ?? []).sort()[0] ?? null
  return Object.fromEntries(REGIONS.map((region) => [region, { complaints: first(region, 'complaint'), tallies: first(region, 'tally') }])) as Beginnings
}

/** The copied counts, added up by region and period; a period's cells have its first day. Traders are read by themselves (`traders.ts`). */
export async function readCounts(db: DbClient, campaign: string, year: number, periods: readonly Pick<Period, 'days'>[]): Promise<Cells> {
  const days = periods.flatMap((period) => period.days.map((day) => [day, period.days[0]!] as const))
  const values = [campaign, year, days.map(([day]) => day), days.map(([, first]) => first)]
  const inside = (table: string): string => `cut c JOIN ${table} d ON d.cut = c.number JOIN unnest($3::date[], $4::date[]) AS w (day, first) ON w.day = d.day WHERE c.campaign = $1 AND c.year = $2`
  const [dayRows, classRows, tallyRows] = await Promise.all([
    db.query<{ region: Region; day: string; state: string; outcome: string; online: string; n: string; fen: string }>(
      `SELECT c.region, w.first::text AS day, d.state, d.outcome, d.online, sum(d.n)::text AS n, sum(d.recovered_fen)::text AS fen FROM ${inside('cut_complaint_day')} GROUP BY c.region, w.first, d.state, d.outcome, d.online`, values),
    db.query<{ region: Region; day: string; dimension: 'object' | 'issue' | 'channel'; kind: string; code: string; received: string; counted: string }>(
      `SELECT c.region, w.first::text AS day, d.dimension, d.kind, d.code, sum(d.received)::text AS received, sum(d.counted)::text AS counted FROM ${inside('cut_complaint_class_day')} GROUP BY c.region, w.first, d.dimension, d.kind, d.code`, values),
    db.query<{ region: Region; day: string; tally_type: string; n: string }>(`SELECT c.region, w.first::text AS day, d.tally_type, sum(d.n)::text AS n FROM ${inside('cut_tally_day')} GROUP BY c.region, w.first, d.tally_type`, values),
  ])
  return {
    days: dayRows.rows.map(({ region, day, state, outcome, online, n, fen }) => ({
      region, day, state: said(state), outcome: said(outcome), online: online === '' ? null : online === 'yes', n: Number(n), recoveredFen: BigInt(fen),
    })),
    classes: classRows.rows.map(({ kind, code, received, counted, ...row }) => ({ ...row, kind: said(kind), code: said(code), received: Number(received), counted: Number(counted) })),
    tallies: tallyRows.rows.map(({ region, day, tally_type: tallyType, n }) => ({ region, day, tallyType, n: Number(n) })),
    traders: [],
  }
}

function said(text: string): string | null {
  return text === '' ? null : text
}
