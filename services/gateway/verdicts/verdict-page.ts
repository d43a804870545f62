import type { DbClient } from '@hub/runtime/db'
import { DATA_STREAMS, topicName, type DataStream, type Region } from '@hub/schemas/streams'
import { timeOfId } from '../publish/event-id.ts'
import { receiptPath, ruleText, type VerdictKind } from './verdict.ts'
import { readKeptVerdicts, readPublishedVerdicts, scanEnd, type Filter, type KeptVerdict, type PublishedVerdict, type Range } from './verdict-store.ts'

/** A verdict that was given, as it is told again. */
export interface PastVerdict {
  id: string
  at: string
  stream: string
  source: string | null
  recordId: string | null
  verdict: string
  version: string | null
  /** Of an accepted event its own id, of a duplicate the first one's. */
  eventId: string | null
  receipt: string | null
  flags: string[]
  problems: { rule: string; field: string; zh: string; en: string }[]
  /** Null of an accepted event without a flag: what is published does not say who sent it. */
  caller: string | null
  request: string | null
  line: number | null
  index: number | null
}

export interface VerdictPage {
  verdicts: PastVerdict[]
  /** `after` of the next page; null on the last. */
  next: string | null
}

/** Rows of one table: those that fit, the newest first, and down to which id they are all that there are. */
export interface Part<T> {
  readonly rows: readonly T[]
  readonly floor: string
}

/** Rows of either table that one page looks at, whether they fit or not. */
const SCAN = 10_000

/**
 * One page, the newest verdict first, from what is published and what is remembered. It looks at a bounded number of rows: a page may be short, even empty,
 * and still have a `next`.
 */
export async function readVerdictPage(db: DbClient, where: { region: Region; topicPrefix: string }, filter: Filter, { from, below, limit }: { from: string; below: string; limit: number }): Promise<VerdictPage> {
  const range: Range = { from, below, scan: SCAN, limit: limit + 1 }
  const topics = new Map(DATA_STREAMS.filter((stream) => filter.streams?.includes(stream) ?? true).map((stream) => [topicName(where.region, stream, where.topicPrefix), stream]))
  const published = filter.outcomes !== null && !filter.outcomes.some(isAccepted)
    ? { rows: [], floor: from }
    : await part(db, 'published', range, readPublishedVerdicts(db, [...topics.keys()], filter, range))
  const kept = await part(db, 'verdict', range, readKeptVerdicts(db, filter, range))
  return mergeParts(published, kept, topics, from, limit)
}

/** Down to the last row where the page is full, else down to where the scan ended. */
async function part<T extends { id: string }>(db: DbClient, table: 'published' | 'verdict', range: Range, read: Promise<T[]>): Promise<Part<T>> {
  const rows = await read
  const floor = rows.length === range.limit ? rows.at(-1)!.id : await scanEnd(db, table, range) ?? range.from
  return { rows, floor }
}

/** Both parts in one order, as far down as both reach. A row for the flags of a published event joins it. */
export function mergeParts(published: Part<PublishedVerdict>, kept: Part<KeptVerdict>, topics: ReadonlyMap<string, DataStream>, from: string, limit: number): VerdictPage {
  const floor = published.floor > kept.floor ? published.floor : kept.floor
  const byId = new Map<string, PastVerdict>()
  for (const row of published.rows) byId.set(row.id, ofPublished(row, topics.get(row.topic)!))
  for (const row of kept.rows) byId.set(row.id, { ...ofKept(row), ...(byId.has(row.id) && { verdict: byId.get(row.id)!.verdict }) })
  const all = [...byId.values()].filter(({ id }) => id >= floor).sort((a, b) => (a.id < b.id ? 1 : -1))
  const verdicts = all.slice(0, limit)
  const next = all.length > limit ? verdicts.at(-1)!.id : floor > from ? floor : null
  return { verdicts, next }
}

function ofPublished({ id, recordId, version, first }: PublishedVerdict, stream: DataStream): PastVerdict {
  return {
    id, at: at(id), stream, source: recordId.slice(0, recordId.indexOf('/')), recordId, verdict: first ? 'accepted' : 'new-version', version: String(version), eventId: id, receipt: receiptPath(id),
    flags: [], problems: [], caller: null, request: null, line: null, index: null,
  }
}

function ofKept({ id, stream, source, recordId, outcome, version, eventId, flags, problems, caller, request, line, index }: KeptVerdict): PastVerdict {
  return {
    id, at: at(id), stream, source, recordId, verdict: outcome, version: version === null ? null : String(version), eventId, receipt: eventId === null ? null : receiptPath(eventId),
    flags: flags === null ? [] : flags.split(' '),
    problems: problems === null ? [] : problems.split('\n').map((text) => {
      const end = text.indexOf(' ')
      const [rule, field] = [text.slice(0, end), text.slice(end + 1)]
      return { rule, field, ...ruleText(rule, field) }
    }),
    caller, request, line, index,
  }
}

function at(id: string): string {
  return new Date(timeOfId(id)).toISOString()
}

function isAccepted(outcome: VerdictKind): boolean {
  return outcome === 'accepted' || outcome === 'new-version'
}
