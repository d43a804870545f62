import { decide } from '@hub/schemas/record-rule'
import type { CutMarker, Heartbeat, Item, ParkedItem, RecordItem, TechnicalItem } from '@hub/schemas/log-item'
import { isCheckpoint } from '@hub/schemas/log-item'
import type { Countable } from '@hub/schemas/rollups'

/** One record's row as the database has it. */
export interface CurrentRow {
  readonly version: bigint
  readonly hash: Buffer
  readonly offset: number
  readonly ended: boolean
  /** What it counts for, of a stream with counts. */
  readonly counts?: Countable | undefined
}

/** A parked event that is the newest of its key on the log. */
export interface OpenParked {
  readonly offset: number
  readonly hash: Buffer
}

/** A partition's part of one transaction: consecutive events and what the database knows about their keys. */
export interface Share {
  /** True for topics of this replica's own region: only the origin keeps `shadowed`. */
  readonly own: boolean
  /** The stored position; every item lies at or above it, in offset order. */
  readonly next: number
  readonly items: readonly Item[]
  readonly current: ReadonlyMap<string, CurrentRow>
  readonly openParked: ReadonlyMap<string, OpenParked>
}

/** Events per class. Each event is in exactly one; `absent` counts offsets that hold none. */
export interface Counts {
  applied: number
  duplicate: number
  stale: number
  folded: number
  parked: number
  control: number
  absent: number
}

/** XOR of 16-byte hashes as two signed 64-bit halves. */
export interface Digest {
  hi: bigint
  lo: bigint
}

/** A version to write; `over` is the offset of the stored row it replaces, `before` what that row counts for. */
export interface Put {
  readonly item: RecordItem
  readonly over: number | undefined
  readonly before: Countable | undefined
}

/** What one share changes. Positions, counters and digests are differences to the stored ones unless said otherwise. */
export interface Decision {
  /** The new position, absolute. */
  readonly next: number
  readonly counts: Counts
  readonly digest: Digest
  readonly parkedDigest: Digest
  /** Parked events that are the newest of their key on the log. */
  readonly parkedOpen: number
  readonly records: number
  readonly endedRecords: number
  /** Highest sequence seen, absolute. */
  readonly lastSequence: number | undefined
  /** Offset of the newest event that is not a control record. Absolute. */
  readonly lastEvent: number | undefined
  readonly heartbeat: Heartbeat | undefined
  /** Where that stands. Absolute. */
  readonly heartbeatAt: number | undefined
  /** Set when offsets were missing: below it this replica lacks superseded versions. Absolute. */
  readonly completeFrom: number | undefined
  readonly checkpoint: boolean
  /** The share ends with it. */
  readonly cut: { readonly marker: CutMarker; readonly offset: number } | undefined
  /** Newest version per key, in offset order. */
  readonly puts: Put[]
  /** Rows in the database that become history, up to and without `to`. */
  readonly superseded: { key: string; to: number }[]
  /** Versions that came and went inside this share. */
  readonly folded: { item: RecordItem; to: number }[]
  /** Keys whose history in the database goes: their record ended. */
  readonly erased: string[]
  /** Of the region's own records that ended: whose stored versions go into the archive, versions that were never stored, and who was erased and is taken out of it. */
  readonly archive: { readonly stored: string[]; readonly items: RecordItem[]; readonly purged: string[] }
  readonly parked: { item: ParkedItem; buriedBy: number | undefined }[]
  /** Parked rows in the database that are no longer the newest event of their key. */
  readonly buried: { offset: number; by: number }[]
  /** Records whose newest version is not the newest event on the log, with the offset of the event above it. */
  readonly shadowed: { key: string; offset: number }[]
  /** Records whose newest version is the newest event again. */
  readonly unshadowed: string[]
  readonly technical: TechnicalItem[]
}

/**
 * Decides what a share of events does to the replica: the same final state, digest and counters as applying them one at a time,
 * except that versions superseded inside the share count as `folded` instead of `applied`.
 */
export function decideShare(share: Share): Decision {
  const counts: Counts = { applied: 0, duplicate: 0, stale: 0, folded: 0, parked: 0, control: 0, absent: 0 }
  const records = new Map<string, RecordState>()
  const openParked = new Map<string, Parking>()
  const shadows = new Map<string, number | undefined>()
  const parkings: Parking[] = []
  const buriedStored = new Set<string>()
  const buried: Decision['buried'] = []
  const technical: TechnicalItem[] = []
  const parkedDigest: Digest = { hi: 0n, lo: 0n }
  let next = share.next
  let lastSequence: number | undefined
  let lastEvent: number | undefined
  let heartbeat: Heartbeat | undefined
  let heartbeatAt: number | undefined
  let completeFrom: number | undefined

  for (const item of share.items) {
    if (item.offset > next) {
      counts.absent += item.offset - next
      completeFrom = Math.max(completeFrom ?? 0, item.logEnd)
    }
    next = item.offset + 1
    if (item.sequence !== undefined) lastSequence = Math.max(lastSequence ?? item.sequence, item.sequence)
    if (item.what !== 'control') lastEvent = item.offset
    switch (item.what) {
      case 'control':
        counts.control++
        heartbeat = item.heartbeat ?? heartbeat
        if (item.heartbeat !== undefined) heartbeatAt = item.offset
        bury(item.key, item.offset)
        break
      case 'technical':
        counts.applied++
        technical.push(item)
        bury(item.key, item.offset)
        break
      case 'parked':
        counts.parked++
        bury(item.key, item.offset)
        park(item)
        break
      case 'record':
        bury(item.key, item.offset)
        put(item)
        break
    }
  }
  const last = share.items.at(-1)
  return {
    next,
    counts,
    parkedDigest,
    parkedOpen: openParked.size - buried.length,
    lastSequence,
    lastEvent,
    heartbeat,
    heartbeatAt,
    completeFrom,
    checkpoint: last !== undefined && isCheckpoint(last),
    cut: last?.what === 'control' && last.cut !== undefined ? { marker: last.cut, offset: last.offset } : undefined,
    parked: parkings,
    buried,
    technical,
    ...shadowChanges(shadows),
    ...rowChanges(records, share.own),
  }

  function put(item: RecordItem): void {
    const state = stateOf(item.key)
    const head = state.put ?? state.stored
    const verdict = decide(head, item)
    if (verdict !== 'apply') {
      counts[verdict]++
      if (share.own) shadows.set(item.key, verdict === 'stale' ? item.offset : undefined)
      return
    }
    counts.applied++
    if (state.put !== undefined) {
      counts.applied--
      counts.folded++
      state.folded.push({ item: state.put, to: item.offset })
    } else if (state.stored !== undefined) {
      state.supersededAt = item.offset
    }
    if (item.ended) {
      if (share.own) archive(state, item)
      state.folded.length = 0
      state.supersededAt = undefined
      state.erase = state.stored !== undefined
    }
    state.put = item
    if (share.own) shadows.set(item.key, undefined)
  }

  function archive(state: RecordState, { kind }: RecordItem): void {
    if (kind === 'erasure') {
      state.archived.length = 0
      state.purge = true
    } else state.archived.push(...state.folded.map(({ item }) => item))
  }

  function park(item: ParkedItem): void {
    const parking: Parking = { item, buriedBy: undefined }
    parkings.push(parking)
    openParked.set(item.key, parking)
    xor(parkedDigest, item.hash)
    const state = stateOf(item.key)
    if (share.own && (state.put ?? state.stored) !== undefined) shadows.set(item.key, item.offset)
  }

  function bury(key: string, by: number): void {
    const here = openParked.get(key)
    const stored = here === undefined ? share.openParked.get(key) : undefined
    if (here !== undefined) {
      openParked.delete(key)
      here.buriedBy = by
      xor(parkedDigest, here.item.hash)
    } else if (stored !== undefined && !buriedStored.has(key)) {
      buriedStored.add(key)
      buried.push({ offset: stored.offset, by })
      xor(parkedDigest, stored.hash)
    }
  }

  function stateOf(key: string): RecordState {
    let state = records.get(key)
    if (state === undefined) {
      state = { stored: share.current.get(key), put: undefined, supersededAt: undefined, folded: [], erase: false, archived: [], purge: false }
      records.set(key, state)
    }
    return state
  }
}

interface RecordState {
  readonly stored: CurrentRow | undefined
  put: RecordItem | undefined
  /** Where the stored row was superseded, when its bytes become history. */
  supersededAt: number | undefined
  readonly folded: { item: RecordItem; to: number }[]
  erase: boolean
  /** Own versions that ended within this share. */
  readonly archived: RecordItem[]
  /** An erasure was among its ends. */
  purge: boolean
}

interface Parking {
  readonly item: ParkedItem
  buriedBy: number | undefined
}

function rowChanges(states: ReadonlyMap<string, RecordState>, own: boolean) {
  const digest: Digest = { hi: 0n, lo: 0n }
  const puts: Put[] = []
  const superseded: Decision['superseded'] = []
  const folded: Decision['folded'] = []
  const erased: string[] = []
  const archive: Decision['archive'] = { stored: [], items: [], purged: [] }
  let records = 0
  let endedRecords = 0
  for (const [key, { stored, put, supersededAt, folded: versions, erase, archived, purge }] of states) {
    if (put === undefined) continue
    puts.push({ item: put, over: stored?.offset, before: stored?.counts })
    xor(digest, put.hash)
    if (put.ended) endedRecords++
    if (stored === undefined) {
      records++
    } else {
      xor(digest, stored.hash)
      if (stored.ended) endedRecords--
    }
    if (supersededAt !== undefined) superseded.push({ key, to: supersededAt })
    if (erase) erased.push(key)
    if (purge) archive.purged.push(key)
    else if (own && erase) archive.stored.push(key)
    archive.items.push(...archived)
    for (const version of versions) folded.push(version)
  }
  puts.sort((a, b) => a.item.offset - b.item.offset)
  return { digest, puts, superseded, folded, erased, archive, records, endedRecords }
}

function shadowChanges(shadows: ReadonlyMap<string, number | undefined>) {
  const shadowed: Decision['shadowed'] = []
  const unshadowed: string[] = []
  for (const [key, offset] of shadows) {
    if (offset === undefined) unshadowed.push(key)
    else shadowed.push({ key, offset })
  }
  return { shadowed, unshadowed }
}

/** XORs a 16-byte hash into a digest. */
export function xor(digest: Digest, hash: Buffer): void {
  digest.hi ^= hash.readBigInt64BE(0)
  digest.lo ^= hash.readBigInt64BE(8)
}
