import type { Codec } from '@hub/runtime/codec'
import { HubError } from '@hub/runtime/errors'
import { contractByName, type Contract } from '@hub/schemas/contracts'
import type { Region } from '@hub/schemas/streams'
import { grantFor, leastOf, reachOf, showAs, todayInShanghai, type Grant, type Viewer } from '@hub/schemas/visibility'
import { vectorText } from './as-of.ts'
import { breathe } from '../intake/breathe.ts'
import { standingOf } from '../sources/standing.ts'
import type { SourceRow } from '../sources/store.ts'
import type { Head, RecordRow } from './record-store.ts'

/** A record decoded once, for the decision and for what is shown. */
export interface DecodedRecord {
  readonly contract: Contract
  readonly record: Record<string, unknown>
}

/** A row's own bytes; what is in the replica was decoded before it came there. */
export async function decodeBody(codec: Codec, wire: Buffer): Promise<DecodedRecord> {
  for (;;) {
    const decoded = codec.decode(wire)
    if (decoded.ok) return { contract: contractByName(decoded.fullName)!, record: decoded.record }
    if (decoded.reason !== undefined) throw new HubError('ROW_UNDECODABLE', `a current row does not decode: ${decoded.reason}`)
    await decoded.pending
  }
}

/** What a viewer is told of a row: `show: record` with the fields that it may see, `show: key` with the identity alone, or undefined. */
export function viewRow(row: RecordRow, { contract, record }: DecodedRecord, grant: Grant, region: Region): Record<string, unknown> | undefined {
  const shown = showAs(contract, record, grant)
  if (shown.show === 'nothing') return undefined
  const identity = { region: row.region, recordId: row.recordId, version: String(row.version), show: shown.show }
  if (shown.show === 'key') return identity
  const reach = reachOf(contract, record, region)
  const { kind, ended, partition, offset, eventId, appliedAt } = row
  return { ...identity, kind, ended, partition, offset: String(offset), eventId, ...(appliedAt !== null && { appliedAt }), ...(reach !== undefined && { reach }), body: shown.json }
}

/** Current rows as a viewer may see them; `keep` leaves out what was not asked for. */
export async function viewCurrent(codec: Codec, rows: readonly RecordRow[], viewer: Viewer, region: Region, keep: (record: Record<string, unknown>) => boolean = () => true): Promise<Record<string, unknown>[]> {
  const today = todayInShanghai()
  const seen: Record<string, unknown>[] = []
  for (const row of rows) {
    await breathe()
    const decoded = await decodeBody(codec, row.body)
    if (!keep(decoded.record)) continue
    const item = viewRow(row, decoded, grantFor(decoded.contract, decoded.record, viewer, today), region)
    if (item !== undefined) seen.push(item)
  }
  return seen
}

/** Earlier versions, shown to those alone who may see what became of the record too. */
export async function viewEarlier(codec: Codec, rows: readonly (RecordRow & { readonly now: Buffer })[], viewer: Viewer, region: Region): Promise<Record<string, unknown>[]> {
  const today = todayInShanghai()
  const seen: Record<string, unknown>[] = []
  for (const row of rows) {
    const then = await decodeBody(codec, row.body)
    const now = await decodeBody(codec, row.now)
    const item = viewRow(row, then, leastOf(grantFor(then.contract, then.record, viewer, today), grantFor(now.contract, now.record, viewer, today)), region)
    if (item !== undefined) seen.push(item)
  }
  return seen
}

/** The part of an answer that says whose copy it is and how fresh: replica, cursor to go on from, positions, staleness by region. */
export function metaOf(head: Head, region: Region, topicPrefix: string, sources: readonly SourceRow[] = []): Record<string, unknown> {
  return {
    region,
    replica: head.replica,
    cursor: `${head.replica}-${head.change}`,
    asOf: new Date(head.at).toISOString(),
    position: positionText(head, topicPrefix),
    freshness: freshnessOf(head, topicPrefix, sources),
  }
}

/** The head's partitions in the form that `asOf` takes. */
export function positionText({ partitions }: Head, topicPrefix: string): string {
  return vectorText(partitions.map(({ topic, partition, generation, nextOffset }) => [`${topic.slice(topicPrefix.length)}/${partition}`, { offset: BigInt(nextOffset), generation }]))
}

/** How far behind each region's topics are here, what stands still, and whether the sources of these streams still deliver. */
export function freshnessOf({ partitions, at }: Head, topicPrefix: string, sources: readonly SourceRow[]): { region: string; staleSeconds: number | null; lag: string; paused: object[]; sources: object[] }[] {
  return [...Map.groupBy(partitions, ({ region }) => region)].map(([region, own]) => ({
    region,
    staleSeconds: own.some(({ staleMs }) => staleMs === null) ? null : Math.max(...own.map(({ staleMs }) => staleMs!)) / 1000,
    lag: String(own.reduce((total, { lag }) => total + BigInt(lag), 0n)),
    paused: own.flatMap(({ topic, partition, pausedReason }) => (pausedReason === null ? [] : [{ partition: `${topic.slice(topicPrefix.length)}/${partition}`, reason: pausedReason }])),
    sources: sources.filter((one) => one.region === region && own.some(({ stream }) => (one.streams as readonly string[]).includes(stream))).map((one) => {
      const { state, overdueSince } = standingOf(one, Date.parse(at))
      return { source: one.source, state, lastHandOverAt: one.lastHandOverAt, overdueSince }
    }),
  }))
}
