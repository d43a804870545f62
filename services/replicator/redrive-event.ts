import type { Codec } from '@hub/runtime/codec'
import { type Db, DbError, type DbTx } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Kafka, Message } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import type { DataStream } from '@hub/schemas/streams'
import { type Counts, type Digest, xor } from './apply.ts'
import { classify } from './classify.ts'
import type { Here } from './handlers/handler.ts'
import { applyTechnical } from './handlers/index.ts'
import type { Item, ParkedItem, RecordItem } from '@hub/schemas/log-item'
import { parkedHash } from '@hub/schemas/park'
import type { Partitions } from './partitions.ts'
import { decideRedrive } from './redrive.ts'
import { archiveStored, purgeArchive } from './store/archive.ts'
import { keepSuperseded } from './store/history.ts'
import { fence, type Lease } from './store/lease.ts'
import { readCurrent, writeRecords } from './store/records.ts'
import { changeKept, endVersions, forgetVersions, insertVersion, moveToRedriven, noteReason, type ParkedPlace, type ParkedRow, readKeptVersions, readParkedRow } from './store/redrive.ts'
import { keepRollups } from './store/rollups.ts'
import { writeAudit } from './store/repair.ts'
import { dropShadowed, putShadowed } from './store/shadowed.ts'

export interface RedriveOptions {
  /** The applier's. */
  readonly db: Db
  readonly here: Here
  readonly kafka: Kafka
  readonly codec: Codec
  readonly leaseMs: number
  readonly partitions: Partitions
  readonly log: Log
  /** Rung after every event that is parked no more. */
  onRedriven(): void
}

/** What became of one event: parked no more and in which class, still bad and why, or its bytes are not on the log any more. */
export type Redriven = { readonly result: 'redriven'; readonly class: keyof Counts } | { readonly result: 'parked'; readonly reason: string } | { readonly result: 'gone' }

/**
 * Does with a parked event what this release makes of its bytes, at its own place, in one transaction of the applier: all or nothing. What was done stands in
 * `audit`, also when nothing could be.
 * @param message what the log has at its offset now. @returns undefined where it is parked no more. @throws FencedError when another process applies
 */
export async function redriveEvent(lease: Lease, options: RedriveOptions, place: ParkedPlace, message: Message | undefined, by: { readonly who: string; readonly why: string }): Promise<Redriven | undefined> {
  const { db, leaseMs, codec, partitions, log } = options
  const { topic, partition, offset } = place
  const item = message === undefined ? undefined : await read(codec, place, message)
  // A slot made from here on has read positions that know of what happens now; this one has not.
  const slot = [...partitions.slots].find((one) => one.topic === topic && one.partition === partition)
  if (slot?.own) slot.shadowing = true

  const done = await db.tx(async (c): Promise<{ result: Redriven; open: boolean } | undefined> => {
    // Two numbers: the event's, and that of the current row where it goes below one.
    const change = await fence(c, lease.epoch, leaseMs, 2)
    const parked = await readParkedRow(c, place)
    if (parked === undefined) return undefined
    const result = await act(c, parked, change)
    writeAudit(c, [{
      who: by.who, what: `redrive ${result.result}`, target: `${topic}/${partition}/${offset}`, why: by.why,
      detail: { key: parked.key, parkedAt: parked.at, parkedAs: parked.reason, ...result, ...(result.result === 'redriven' && { change: String(change) }) },
    }])
    return { result, open: parked.buriedBy === null }
  }).catch((error: unknown) => {
    if (!(error instanceof DbError) || error.class === 'transient') throw error
    log.error({ err: error, topic, partition, offset }, 'the database refuses a redriven event')
    return { result: { result: 'parked', reason: 'database-refused' } as const, open: false }
  })
  failpoint('act.redriven')
  if (done?.result.result === 'redriven') {
    if (done.open && slot !== undefined) slot.parkedOpen--
    options.onRedriven()
  }
  if (done !== undefined) log.info({ topic, partition, offset, ...done.result, ...by }, 'redrive')
  return done?.result

  async function act(c: DbTx, parked: ParkedRow, change: bigint): Promise<Redriven> {
    // A log that was made anew has something else there.
    if (item === undefined || !parkedHash(offset, message!.value).equals(parked.hash)) return { result: 'gone' }
    if (item.what === 'parked') {
      if (item.reason !== parked.reason) noteReason(c, place, item.reason)
      return { result: 'parked', reason: item.reason }
    }
    const name = await apply(c, options.here, place, item, parked, change)
    moveToRedriven(c, place, { class: name, ...by })
    return { result: 'redriven', class: name }
  }
}

async function read(codec: Codec, place: ParkedPlace, message: Message): Promise<Item> {
  const item = classify(codec, place, message, 0)
  if (!(item instanceof Promise)) return item
  await item
  const known = classify(codec, place, message, 0)
  if (known instanceof Promise) throw new Error(`the schema of ${place.topic}/${place.partition}, offset ${place.offset}, is not known now`)
  return known
}

/** @returns the class that the event is counted in now */
async function apply(c: DbTx, here: Here, place: ParkedPlace, item: Exclude<Item, ParkedItem>, { hash, buriedBy }: ParkedRow, change: bigint): Promise<keyof Counts> {
  const open = buriedBy === null
  const parked = { parkedDigest: digestOf(open ? [hash] : []), parkedOpen: open ? -1 : 0 }
  if (item.what === 'record') return applyRecord(c, here, place, item, buriedBy, change, parked)
  const name = item.what === 'control' ? 'control' : 'applied'
  if (item.what === 'technical') applyTechnical(c, here, [item])
  changeKept(c, place, { ...parked, counts: { parked: -1, [name]: 1 }, digest: digestOf([]), records: 0, endedRecords: 0 })
  return name
}

async function applyRecord(c: DbTx, here: Here, place: ParkedPlace, item: RecordItem, buriedBy: bigint | null, change: bigint, parked: { parkedDigest: Digest; parkedOpen: number }): Promise<keyof Counts> {
  const { key } = item
  const { region, partition, topic } = place
  const stream = place.stream as DataStream
  const versions = await readKeptVersions(c, stream, region, key)
  const current = versions.find(({ to }) => to === undefined)
  const before = (await readCurrent(c, stream, region, [key])).get(key)?.counts
  const { class: name, counts, place: goes, ends, forgotten } = decideRedrive(item, versions)

  if (region === here.region && goes === 'current' && item.ended) {
    if (item.kind === 'erasure') purgeArchive(c, stream, [key])
    else archiveStored(c, stream, region, [key])
  }
  keepSuperseded(c, stream, ends.filter(({ version }) => version === current).map(({ to }) => ({ region, key, to })))
  endVersions(c, stream, region, key, ends.filter(({ version }) => version !== current).map(({ version: { offset }, to }) => ({ offset, to })))
  forgetVersions(c, stream, region, key, forgotten.map(({ offset }) => offset))
  const becomes = goes === 'current'
  if (becomes) {
    writeRecords(c, stream, [{ item, over: current?.offset, before, region, partition, change }])
    keepRollups(c, stream, [{ region, partition, changes: [{ item, before }] }])
  } else if (goes !== 'none') insertVersion(c, stream, place, item, goes.to, change)
  changeKept(c, place, {
    ...parked, counts,
    digest: digestOf(becomes ? [item.hash, ...(current === undefined ? [] : [current.hash])] : []),
    records: becomes && current === undefined ? 1 : 0,
    endedRecords: becomes ? Number(item.ended) - Number(current?.ended ?? false) : 0,
  })

  if (region === here.region) {
    // Another event of the record lies above it on the log: compaction would keep that one.
    if (becomes && buriedBy !== null) putShadowed(c, topic, region, stream, [{ key, offset: Number(buriedBy) }])
    if (buriedBy === null && (becomes || name === 'duplicate')) dropShadowed(c, topic, [key])
  }
  return name
}

function digestOf(hashes: readonly Buffer[]): Digest {
  const digest = { hi: 0n, lo: 0n }
  for (const hash of hashes) xor(digest, hash)
  return digest
}
