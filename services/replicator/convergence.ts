/** How the replicas of one partition stand to each other; from the best to the worst. */
export const PARTITION_VERDICTS = ['equal', 'behind', 'unknown', 'parked sets differ', 'different'] as const
export type PartitionVerdict = (typeof PARTITION_VERDICTS)[number]

/** What a region said its replica was at an offset. */
export interface Cut {
  readonly region: string
  readonly generation: string
  /** First offset not in it. */
  readonly nextOffset: number
  /** 32 hexadecimal digits each. */
  readonly digest: string
  readonly parkedDigest: string
  /** When it held, on that region's clock; ms UTC. */
  readonly at: number
}

/** One region's part in a verdict. */
export interface RegionCut {
  readonly region: string
  /** Its newest checkpoint. */
  readonly nextOffset: number | null
  readonly at: number | null
  /** At the offset that is compared. */
  readonly digest: string | null
  readonly parkedDigest: string | null
}

export interface Convergence {
  readonly verdict: PartitionVerdict
  /** Of `behind` and `unknown`: why, in Chinese and English. */
  readonly reason: string | null
  /** The newest offset that all have a checkpoint of, and when the last of them reached it. */
  readonly nextOffset: number | null
  readonly asOf: number | null
  readonly regions: readonly RegionCut[]
}

/** Checkpoints are cut about once a minute and heard of within seconds: a replica that lacks this many of the others' is behind. */
const BEHIND_CUTS = 2

/**
 * The verdict of one partition at the newest offset that every region has a checkpoint of. Offsets and generations order it, never clocks: times are
 * told, not compared. A region that lacks cuts the others have is `behind` as long as everything that all reached was the same.
 * @param generation of the log as this replica reads it; checkpoints of another are not compared
 * @param completeFrom offset below which this replica cut none, because compaction had taken versions it needed
 */
export function judgePartition(regions: readonly string[], generation: string, completeFrom: number, cuts: readonly Cut[]): Convergence {
  const own = cuts.filter((cut) => cut.generation === generation)
  const byRegion = new Map(regions.map((region) => [region, own.filter((cut) => cut.region === region).sort((a, b) => b.nextOffset - a.nextOffset)]))
  const common = newestCommon([...byRegion.values()])
  const asOf = common === undefined ? null : Math.max(...common.map(({ at }) => at))
  const nextOffset = common?.[0]?.nextOffset ?? null
  const parts = regions.map((region): RegionCut => {
    const newest = byRegion.get(region)![0]
    const compared = common?.find((cut) => cut.region === region)
    return { region, nextOffset: newest?.nextOffset ?? null, at: newest?.at ?? null, digest: compared?.digest ?? null, parkedDigest: compared?.parkedDigest ?? null }
  })
  const told = (verdict: PartitionVerdict, reason: string | null = null): Convergence => ({ verdict, reason, nextOffset, asOf, regions: parts })
  if (common === undefined) return told('unknown', whyUnknown(regions, generation, completeFrom, cuts, byRegion))
  // What one release parked, another may have applied: where the parked sets differ, so may the records.
  if (![...Map.groupBy(common, ({ parkedDigest }) => parkedDigest).values()].every((alike) => same(alike, ({ digest }) => digest))) return told('different')
  if (!same(common, ({ parkedDigest }) => parkedDigest)) return told('parked sets differ')
  const offsets = [...new Set(own.map((cut) => cut.nextOffset))]
  const late = regions.filter((region) => offsets.filter((offset) => offset > byRegion.get(region)![0]!.nextOffset).length >= BEHIND_CUTS)
  if (late.length === 0) return told('equal')
  const since = late.map((region) => `${region}（${clock(byRegion.get(region)![0]!.at)}）`).join('、')
  const sinceEn = late.map((region) => `${region} (${clock(byRegion.get(region)![0]!.at)})`).join(', ')
  return told('behind', `以下地区的最新校验点较旧：${since} · the newest checkpoint of these is an old one: ${sinceEn}`)
}

function newestCommon(lists: readonly (readonly Cut[])[]): readonly Cut[] | undefined {
  const [first = [], ...others] = lists
  for (const cut of first) {
    const found = others.map((list) => list.find(({ nextOffset }) => nextOffset === cut.nextOffset))
    if (found.every((one) => one !== undefined)) return [cut, ...found]
  }
  return undefined
}

function whyUnknown(regions: readonly string[], generation: string, completeFrom: number, cuts: readonly Cut[], byRegion: ReadonlyMap<string, readonly Cut[]>): string {
  const silent = regions.filter((region) => byRegion.get(region)!.length === 0)
  const elsewhere = silent.filter((region) => cuts.some((cut) => cut.region === region && cut.generation !== generation))
  if (elsewhere.length > 0) return `${elsewhere.join('、')} 的校验点属于主题的另一世代 · the checkpoints of ${elsewhere.join(', ')} are of another generation of the topic`
  if (silent.length > 0) return `${silent.join('、')} 尚无校验点 · no checkpoint of ${silent.join(', ')} yet`
  if (completeFrom > 0) return `本副本自位移 ${completeFrom} 起完整，尚无共同校验点 · this replica is complete from offset ${completeFrom}; no common checkpoint since`
  return '尚无共同校验点 · no checkpoint at the same offset yet'
}

function same(cuts: readonly Cut[], pick: (cut: Cut) => string): boolean {
  return new Set(cuts.map(pick)).size === 1
}

/** Time of day and date in Asia/Shanghai, to the minute. */
function clock(ms: number): string {
  return new Date(ms + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ')
}
