import { DATA_STREAMS, type DataStream, REGIONS, type Region } from '@hub/schemas/streams'
import type { NotedPartition } from './convergence-store.ts'

/** From the best to the worst. */
export const SAMENESS = ['equal', 'behind', 'unknown', 'parked sets differ', 'different'] as const
export type Sameness = (typeof SAMENESS)[number]

/** A partition, a topic, or everything: are the replicas the same, up to when, since when. */
export interface Standing {
  readonly verdict: Sameness
  /** Everything up to here was compared and was the same, or not: the earliest newest common checkpoint. */
  readonly asOf: Date | null
  /** Since when the verdict is this one; of `equal` and `behind`, since when nothing differed. */
  readonly since: Date | null
  readonly reason: string | null
}

export interface TopicStanding extends Standing {
  readonly origin: Region
  readonly stream: DataStream
}

export interface RegionReport {
  readonly region: Region
  /** Its newest checkpoint, whichever partition. */
  readonly at: Date | null
  readonly silent: boolean
}

export interface ScrubStanding {
  /** When the partition was looked at that waits longest; null while one was never looked at. */
  readonly oldest: Date | null
  readonly rows: number
  readonly looked: number
  readonly partitions: number
  readonly different: number
}

export interface Summary extends Standing {
  readonly topics: readonly TopicStanding[]
  readonly regions: readonly RegionReport[]
  readonly scrub: ScrubStanding
}

/** Checkpoints are cut every minute. */
const SILENT_MS = 5 * 60_000
/** The replicator compares every fifteen seconds. */
const NOT_CHECKED_MS = 2 * 60_000

/** What an officer asks, from what the replicator noted of each partition. @param now ms UTC of this database's clock */
export function summarise(partitions: readonly NotedPartition[], now: number): Summary {
  const standings = partitions.map((one) => ({ origin: one.origin, stream: one.stream, ...standingOf(one, now) }))
  const topics = DATA_STREAMS.flatMap((stream) => REGIONS.map((origin): TopicStanding => {
    const own = standings.filter((one) => one.stream === stream && one.origin === origin)
    return { origin, stream, ...(own.length > 0 ? worst(own) : NOTHING_YET) }
  }))
  return { ...(standings.length > 0 ? worst(topics) : NOTHING_YET), topics, regions: REGIONS.map((region) => reportOf(region, partitions, now)), scrub: scrubOf(partitions) }
}

const NOTHING_YET: Standing = { verdict: 'unknown', asOf: null, since: null, reason: '本副本尚未读取这些主题 · this replica has not begun these topics yet' }

/** A partition by its checkpoints and by the scrubber: a row that was changed here shows in no digest, so either may say that something differs. */
export function standingOf({ verdict, reason, asOf, since, equalSince, checkedAt, scrub }: NotedPartition, now: number): Standing {
  if (scrub?.result === 'different') return { verdict: 'different', asOf, since: scrub.since === null ? since : new Date(scrub.since), reason: scrub.reason }
  if (verdict === null || checkedAt === null) return { verdict: 'unknown', asOf: null, since: null, reason: '尚未比较 · not compared yet' }
  if (now - checkedAt.getTime() > NOT_CHECKED_MS) return { verdict: 'unknown', asOf, since: checkedAt, reason: '本地副本没有在运行，无法比较 · no replicator runs here, so nothing is compared' }
  return { verdict, asOf, since: verdict === 'equal' || verdict === 'behind' ? equalSince ?? since : since, reason }
}

function worst(standings: readonly Standing[]): Standing {
  const rank = Math.max(...standings.map(({ verdict }) => SAMENESS.indexOf(verdict)))
  const verdict = SAMENESS[rank]!
  const those = standings.filter((one) => one.verdict === verdict)
  // Everything has been equal since the last of the parts has; something has differed since the first has.
  const since = verdict === 'equal' ? latest(standings.map((one) => one.since)) : earliest(those.map((one) => one.since))
  return { verdict, asOf: standings.some(({ asOf }) => asOf === null) ? null : earliest(standings.map((one) => one.asOf)), since, reason: those.find(({ reason }) => reason !== null)?.reason ?? null }
}

function reportOf(region: Region, partitions: readonly NotedPartition[], now: number): RegionReport {
  const times = partitions.flatMap(({ regions }) => regions?.find((one) => one.region === region)?.at ?? [])
  const at = times.length > 0 ? Math.max(...times) : undefined
  return { region, at: at === undefined ? null : new Date(at), silent: at === undefined || now - at > SILENT_MS }
}

function scrubOf(partitions: readonly NotedPartition[]): ScrubStanding {
  const passes = partitions.flatMap(({ scrub }) => scrub ?? [])
  return {
    oldest: passes.length < partitions.length ? null : earliest(passes.map(({ at }) => new Date(at))),
    rows: passes.reduce((sum, { rows }) => sum + rows, 0), looked: passes.length, partitions: partitions.length, different: passes.filter(({ result }) => result === 'different').length,
  }
}

function earliest(dates: readonly (Date | null)[]): Date | null {
  return dates.reduce<Date | null>((found, date) => (date !== null && (found === null || date < found) ? date : found), null)
}

function latest(dates: readonly (Date | null)[]): Date | null {
  return dates.reduce<Date | null>((found, date) => (date !== null && (found === null || date > found) ? date : found), null)
}
