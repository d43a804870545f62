import type { Db } from '@hub/runtime/db'
import { sharedReading } from '@hub/runtime/shared-reading'
import { REGIONS, type DataStream, type Region } from '@hub/schemas/streams'
import { fromReplica } from '../read/replica.ts'
import { standingOf, type SourceState } from './standing.ts'
import { readSources, readWritingSources, type SourceRow } from './store.ts'

const KNOWN_MS = 5_000

/** A source of any region as this replica knows it. */
export interface SourceView {
  readonly region: Region
  readonly source: string
  readonly streams: readonly DataStream[]
  readonly state: SourceState
  readonly ageSeconds: number | null
  readonly overdueSince: Date | null
  /** Null where nobody declares it. */
  readonly declaration: Pick<SourceRow, 'owner' | 'contact' | 'caller' | 'mode' | 'versionRule' | 'declaredSince' | 'dueAt'> & { readonly cadenceSeconds: number } | null
  readonly lastHandOver: { readonly id: string; readonly at: Date; readonly rows: number | null; readonly way: 'import' | 'api' } | null
  readonly baselineCompleteAt: Date | null
  /** Since when a newer hand-over is on its way here. */
  readonly arrivingSince: Date | null
}

/** The declared sources, some seconds old at most: reads of records are many, and hand-overs come by the hour. @throws Problem REPLICA_MISSING */
export function knownSources(db: Db): () => Promise<readonly SourceRow[]> {
  return sharedReading(() => fromReplica(readSources(db)), KNOWN_MS)
}

/** Every source that is declared or has records here, by region and name. @param now ms UTC @throws Problem REPLICA_MISSING */
export async function readOverview(db: Db, now: number): Promise<SourceView[]> {
  const [declared, writing] = await Promise.all([fromReplica(readSources(db)), fromReplica(readWritingSources(db, REGIONS))])
  const known = new Set(declared.map(({ region, source }) => `${region} ${source}`))
  const others = Map.groupBy(writing.filter(({ region, source }) => !known.has(`${region} ${source}`)), ({ region, source }) => `${region} ${source}`)
  const views = [...declared.map((row) => viewOf(row, now)), ...[...others.values()].map((of): SourceView => ({
    region: of[0]!.region, source: of[0]!.source, streams: of.map(({ stream }) => stream), state: 'undeclared', ageSeconds: null, overdueSince: null, declaration: null, lastHandOver: null, baselineCompleteAt: null, arrivingSince: null,
  }))]
  return views.sort((a, b) => REGIONS.indexOf(a.region) - REGIONS.indexOf(b.region) || (a.source < b.source ? -1 : 1))
}

function viewOf(row: SourceRow, now: number): SourceView {
  const { region, source, streams, owner, contact, caller, mode, versionRule, declaredSince, dueAt, baselineCompleteAt, arrivingSince } = row
  return {
    region, source, streams, ...standingOf(row, now), baselineCompleteAt, arrivingSince,
    declaration: { owner, contact, caller, mode, versionRule, declaredSince, dueAt, cadenceSeconds: Number(row.cadenceSeconds) },
    lastHandOver: row.lastHandOver === null ? null : { id: row.lastHandOver, at: row.lastHandOverAt!, rows: row.lastHandOverRows === null ? null : Number(row.lastHandOverRows), way: row.lastHandOverWay! },
  }
}
