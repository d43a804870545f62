import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import type { Caller } from '@hub/runtime/http'
import { DATA_STREAMS, REGIONS, topicName, type DataStream, type Region } from '@hub/schemas/streams'
import { lowestId } from '../publish/event-id.ts'
import { readOriginParked, type OriginParked } from '../parked/store.ts'
import { fromReplica } from '../read/replica.ts'
import { visibleTo } from '../routes/verdicts.ts'
import { readOverview, type SourceView } from '../sources/overview.ts'
import { readVerdictPage, type PastVerdict } from '../verdicts/verdict-page.ts'
import { KEPT_MS } from '../verdicts/verdict-trim.ts'
import { arrivalsOf, type Arrivals } from './arrivals.ts'
import { readHeld, type Held } from './held.ts'
import { readFrontiers, readWaiting, type DayCount } from './store.ts'
import type { Today } from './today.ts'

const REFUSED = 100
const PARKED = 100
/** Newest events among which those on their way are looked for. */
const SCAN = 20_000
const DEADLINE_MS = 10_000
/** Above every id that time will bring. */
const LAST_MS = 2 ** 48 - 1

/** Where a caller's events stand. */
export interface Status {
  readonly today: Today
  /** Refused or conflicting, the newest first. */
  readonly refused: readonly PastVerdict[]
  readonly moreRefused: boolean
  readonly held: Held
  /** Null where this region has no replica yet. */
  readonly replica: { readonly arrivals: readonly Arrivals[]; readonly parked: readonly (OriginParked & { readonly stream: DataStream })[]; readonly moreParked: boolean; readonly sources: readonly SourceView[] } | null
}

/** Everything is bounded: latest refusals, newest events, open parked ones. An operator sees all callers. `now` in ms UTC. */
export async function readStatus(db: Db, where: { region: Region; topicPrefix: string }, today: (now: number) => Promise<Today>, caller: Caller, now: number): Promise<Status> {
  const mine = visibleTo(caller)
  const streams = new Map(DATA_STREAMS.map((stream) => [topicName(where.region, stream, where.topicPrefix), stream]))
  // Refusals are read after they were counted: each that the figures have is looked for.
  const [{ day, page }, held, replica] = await within(Promise.all([
    today(now).then(async (day) => ({ day, page: await readVerdictPage(db, where, { ...mine, streams: null, outcomes: ['refused', 'conflict'] }, { from: lowestId(now - KEPT_MS), below: lowestId(LAST_MS), limit: REFUSED }) })),
    readHeld(db, mine.sources),
    readReplica(db, where.region, streams, mine.sources, now),
  ]), DEADLINE_MS)
  const isMine = ({ source, caller: of }: DayCount): boolean => (source === null ? mine.caller === null || of === mine.caller : mine.sources === null || mine.sources.includes(source))
  const counts = day.counts.filter(isMine).map((one) => ({ ...one, stream: streams.get(one.stream) ?? one.stream }))
  return { today: { ...day, counts }, refused: page.verdicts, moreRefused: page.next !== null, held, replica }
}

async function readReplica(db: Db, region: Region, streams: ReadonlyMap<string, DataStream>, sources: readonly string[] | null, now: number): Promise<Status['replica']> {
  const topics = [...streams.keys()]
  try {
    const [frontiers, parked, known] = await Promise.all([fromReplica(readFrontiers(db, topics, REGIONS)), fromReplica(readOriginParked(db, region, [...streams].map(([topic, stream]) => ({ topic, stream })), sources, true, undefined, PARKED + 1)), readOverview(db, now)])
    const { waiting, floor } = await readWaiting(db, frontiers, sources, SCAN)
    return {
      arrivals: arrivalsOf(REGIONS, frontiers, waiting, floor, now),
      parked: parked.slice(0, PARKED).map((one) => ({ ...one, stream: streams.get(one.topic)! })),
      moreParked: parked.length > PARKED,
      sources: known,
    }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 'REPLICA_MISSING'
}
