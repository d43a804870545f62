import type { Codec } from '@hub/runtime/codec'
import type { DbClient } from '@hub/runtime/db'
import { reachOf, showAs, todayInShanghai, type Grant } from '@hub/schemas/visibility'
import { breathe } from '../intake/breathe.ts'
import { decodeBody } from '../read/record-view.ts'
import { cursorText } from './cursor.ts'
import { grantOf, grantOfEarlier, isShown, isSteady, type Selection, type Version } from './selection.ts'
import { readChanges, readCurrentBodies, readPredecessors, type ChangeRow, type Tip } from './store.ts'

/** One change as it is told. */
export interface Change {
  readonly cursor: string
  readonly op: 'put' | 'remove'
  /** JSON: cursor, op, the record's identity and, of a put, what the reader may see of it. */
  readonly json: string
}

/** The changes after a cursor that a reader is told. */
export interface Page {
  readonly changes: readonly Change[]
  /** The number up to which nothing is left to be told. */
  readonly next: number
  /** True when `next` is the newest change of the snapshot that this page was read from. */
  readonly upToDate: boolean
  readonly tip: Tip
}

/** How much of the database one page may look at. */
export interface PageBounds {
  readonly rows: number
  readonly bytes: number
}

interface Seen {
  readonly row: ChangeRow
  readonly version: Version | undefined
  readonly grant: Grant
}

/**
 * Reads a page of a reader's feed. What the reader may see comes as `put`; what it could have been shown before and may not be any more (ended,
 * unpublished again, of other parties) as `remove` with the key alone; everything else is left out. A record that ended is always told: whether
 * this reader was shown it is not known any more.
 */
export async function readPage(db: DbClient, codec: Codec, selection: Selection, after: number, bounds: PageBounds): Promise<Page> {
  const today = todayInShanghai()
  const { tip, rows, complete } = await readChanges(db, selection.stream, after, bounds.rows, bounds.bytes)
  const seen: Seen[] = []
  for (const row of rows) {
    if (selection.region !== undefined && row.region !== selection.region) continue
    if (row.ended) {
      seen.push({ row, version: undefined, grant: 'nothing' })
      continue
    }
    await breathe()
    const version = await decodeBody(codec, row.body)
    seen.push({ row, version, grant: grantOf(selection, version, today) })
  }
  const current = isSteady(selection) ? undefined : await currentVersions(db, codec, selection, seen)
  const shownBefore = await predecessors(db, codec, selection, seen)
  const changes: Change[] = []
  for (const { row, version, grant } of seen) {
    await breathe()
    if (version !== undefined && isShown(grant)) {
      const allowed = row.superseded && current !== undefined ? grantOfEarlier(grant, selection, current.get(keyOf(row)), today) : grant
      if (isShown(allowed)) changes.push(put(tip.replica, row, version, allowed, selection))
    } else if (row.ended || shownBefore.has(row.change)) {
      changes.push(remove(tip.replica, row))
    }
  }
  return { changes, next: complete ? tip.change : rows.at(-1)!.change, upToDate: complete, tip }
}

/** What became of the records of which earlier versions are to be shown. */
async function currentVersions(db: DbClient, codec: Codec, { stream }: Selection, seen: readonly Seen[]): Promise<Map<string, Version>> {
  const keys = new Map(seen.flatMap(({ row, grant }) => (row.superseded && isShown(grant) ? [[keyOf(row), row]] : [])))
  const found = new Map<string, Version>()
  if (keys.size === 0) return found
  for (const row of await readCurrentBodies(db, stream, [...keys.values()])) {
    await breathe()
    found.set(keyOf(row), await decodeBody(codec, row.body))
  }
  return found
}

/** The changes of records that are not shown now, though on some day the version before could have been. */
async function predecessors(db: DbClient, codec: Codec, selection: Selection, seen: readonly Seen[]): Promise<Set<number>> {
  const hidden = seen.filter(({ row, grant }) => !row.ended && !isShown(grant)).map(({ row }) => row)
  const shown = new Set<number>()
  if (hidden.length === 0) return shown
  for (const { change, body } of await readPredecessors(db, selection.stream, hidden)) {
    await breathe()
    if (isShown(grantOf(selection, await decodeBody(codec, body), LONG_AGO))) shown.add(change)
  }
  return shown
}

/** A day on which no date in a record had come. */
const LONG_AGO = 0

function put(replica: string, row: ChangeRow, version: Version, grant: Grant, selection: Selection): Change {
  const cursor = cursorText({ replica, change: row.change })
  return { cursor, op: 'put', json: JSON.stringify({ cursor, op: 'put', ...itemOf(row, version, grant, selection) }) }
}

function remove(replica: string, { change, region, recordId, version }: ChangeRow): Change {
  const cursor = cursorText({ replica, change })
  return { cursor, op: 'remove', json: JSON.stringify({ cursor, op: 'remove', region, recordId, version: String(version) }) }
}

/** A record as feed and snapshot tell it. */
export function itemOf(row: Omit<ChangeRow, 'change' | 'superseded'>, { contract, record }: Version, grant: Grant, { viewer }: Selection): Record<string, unknown> {
  const reach = viewer.kind === 'bureau' ? reachOf(contract, record, viewer.region) : undefined
  const shown = showAs(contract, record, grant)
  return {
    region: row.region, recordId: row.recordId, version: String(row.version), kind: row.kind, partition: row.partition, offset: String(row.offset), eventId: row.eventId,
    ...(reach !== undefined && { reach }), body: shown.show === 'nothing' ? {} : shown.json,
  }
}

function keyOf({ region, recordId }: { region: string; recordId: string }): string {
  return `${region} ${recordId}`
}
