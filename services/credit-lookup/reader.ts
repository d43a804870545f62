import type { Codec } from '@hub/runtime/codec'
import type { Batch, BatchContext, Kafka } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import type { Checkpoint } from '@hub/schemas/generated/checkpoint'
import type { ParkedEvent } from '@hub/schemas/generated/parked-event'
import type { SourceStatus } from '@hub/schemas/generated/source-status'
import { classifyEvent, startsLog } from '@hub/schemas/log-event'
import type { Item, RecordItem } from '@hub/schemas/log-item'
import { dateText } from '@hub/schemas/record-json'
import { PARTITIONS, type Region, REGIONS, type Stream, type Topic, topicName } from '@hub/schemas/streams'
import { todayInShanghai } from '@hub/schemas/visibility'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { stops } from './changes/stops.ts'
import type { RegionFacts } from './completeness.ts'
import { DetailsDamaged } from './entry.ts'
import { begin, factsOf, isOther, type Life, type OwnLife, saveLife, STREAM } from './life.ts'
import { keyOf, readLogs } from './logs.ts'
import type { Partition } from './partition.ts'
import { createRedrives, type Redrives } from './redrives.ts'

/** Longest stretch of work before questions get their turn. */
const HOLD_MS = 2
const AGAIN_MS = 1_000
const LOOK_MS = 60_000
const COMPACT_MS = 100
const COMPACT_ENTRIES = 200
const TECHNICAL_KEYS: Readonly<Record<string, (record: never) => string>> = {
  'cn.yrd.source_status.SourceStatus': ({ sourceSystem }: SourceStatus) => sourceSystem,
  'cn.yrd.checkpoint.Checkpoint': () => 'checkpoint',
  'cn.yrd.checkpoint.Position': () => 'position',
  'cn.yrd.parked.ParkedEvent': ({ topic, partition, offset }: ParkedEvent) => `${topic}/${partition}/${offset}`,
}

export interface Reader {
  /** Undefined until the logs are known and a snapshot, or nothing, is loaded. */
  readonly life: Life | undefined
  /** Why it does not read now, if so. */
  readonly fault: string | undefined
  facts(life: Life): RegionFacts[]
  /** What an answer found broken: everything is read anew when the details are damaged. */
  failed(error: unknown): void
  /** Reads until `signal` fires; then writes a last snapshot. */
  run(signal: AbortSignal): Promise<void>
}

export interface ReaderOptions {
  readonly kafka: Kafka
  readonly codec: Codec
  readonly region: Region
  readonly topicPrefix: string
  readonly dir: string
  readonly snapshotMs: number
  readonly log: Log
}

class Rebuild extends Error {}

/** Reads the credit lists of the four regions from its own positions, in a group of its own, and keeps them with a snapshot on the disk. */
export function createReader(options: ReaderOptions): Reader {
  const { kafka, codec, region, topicPrefix, dir, log } = options
  const groupPrefix = `${region}.credit-lookup`
  const lists = REGIONS.map((one) => topicOf(one, STREAM))
  // Of checkpoints and redrives only those of its own region: that replica is proven against the others.
  const technical = [...REGIONS.map((one) => topicOf(one, 'source-status')), topicOf(region, 'checkpoint'), topicOf(region, 'parked')]
  const places = lists.flatMap(({ topic, region: origin, partitions }) => Array.from({ length: partitions }, (_, partition) => ({ topic, partition, region: origin })))
  let life: OwnLife | undefined
  let fault: string | undefined
  let rebuilt = false
  let giveUp: (error: unknown) => void = () => {}
  const redrives: Redrives = createRedrives({ kafka, codec, groupPrefix, log, take: (partition, item, hash) => takeRedriven(partition, item, hash) })

  return {
    get life() {
      return life
    },
    get fault() {
      return fault
    },
    failed: (error) => giveUp(error),
    facts: (of) => REGIONS.map((one) => factsOf(of, one, topicPrefix)),
    async run(signal) {
      while (!signal.aborted) {
        try {
          await read(signal)
          fault = undefined
        } catch (error) {
          if (error instanceof Rebuild || error instanceof DetailsDamaged) beginAnew()
          if (fault === undefined || error instanceof Rebuild || error instanceof DetailsDamaged) log.error({ err: error }, 'credit lists are not read now, trying again')
          fault = error instanceof Error ? error.message : String(error)
          await pause(AGAIN_MS, signal)
        }
      }
      if (life?.loaded === true) await saveLife(life, rebuilt, dir).catch((error: unknown) => log.warn({ err: error }, 'the last snapshot was not written'))
      life?.holdings[Symbol.dispose]()
      life = undefined
    },
  }

  function topicOf(of: Region, stream: Stream): Topic {
    return { topic: topicName(of, stream, topicPrefix), region: of, stream, partitions: PARTITIONS[stream], technical: stream !== STREAM }
  }

  /** Reads until `signal` fires or something fails. What was read before and is still of these logs is gone on with. */
  async function read(signal: AbortSignal): Promise<void> {
    const logs = await readLogs({ kafka, codec, topics: [...lists, ...technical], topicPrefix, groupPrefix })
    if (life !== undefined && life.partitions.some((one) => isOther(logs, one.place) !== undefined)) {
      log.error('a topic was created anew: everything is read from the beginning')
      beginAnew()
    }
    const mine = life ??= begin({ places, technical, dir, log }, logs)
    rebuilt ||= mine.rebuilt
    const ended = Promise.withResolvers<never>()
    ended.promise.catch(() => { /* raced below */ })
    const fail = (error: unknown): void => ended.reject(error instanceof Error ? error : new Error(String(error)))
    await using _subscription = await kafka.subscribe({
      groupId: `${groupPrefix}.${randomUUID()}`,
      topics: [...lists, ...technical].map(({ topic }) => topic),
      maxBytes: 1024 * 1024,
      maxBytesPerPartition: 256 * 1024,
      load: (assigned) => Promise.resolve(assigned.flatMap(({ topic, partition }) => {
        const key = keyOf({ topic, partition })
        const next = mine.byKey.get(key)?.partition.next ?? mine.technical.get(key)?.next
        return next === undefined ? [] : [{ topic, partition, offset: BigInt(next) }]
      })),
      onBatch: (batch, context) => consume(mine, batch, context),
      onLogChanged: ({ topic, partition }) => fail(new Rebuild(`the position in ${topic}/${partition} lies outside its log`)),
      onFatal: fail,
    })
    fault = undefined
    giveUp = fail
    const stop = new AbortController()
    const tasks = [keepSnapshots(mine, stop.signal), keepCompact(mine, stop.signal), watchLogs(mine, stop.signal), redrives.run(stop.signal)]
    try {
      await Promise.race([ended.promise, until(signal), ...tasks])
    } finally {
      stop.abort()
      await Promise.allSettled(tasks)
    }
  }

  function beginAnew(): void {
    life?.holdings[Symbol.dispose]()
    life = undefined
    rmSync(dir, { recursive: true, force: true })
  }

  async function consume(mine: OwnLife, batch: Batch, { signal }: BatchContext): Promise<void> {
    const key = keyOf(batch)
    const logEnd = Number(batch.highWatermark)
    const list = mine.byKey.get(key)
    const other = mine.technical.get(key)
    list?.partition.freshness.fetched(batch.fetchedAt, logEnd)
    let began = performance.now()
    for (const message of batch.messages) {
      if (list?.lost === true) return
      const item = await settled(() => classifyEvent(codec, (list ?? other)!.place, message, logEnd, keyOfTechnical))
      if (signal.aborted || life !== mine) return
      if (list !== undefined) takeListed(mine, list, item, startsLog(message))
      else if (other !== undefined) {
        if (item.what === 'technical') takeTechnical(mine, item.contract, item.record)
        other.next = item.offset + 1
      }
      if (performance.now() - began < HOLD_MS) continue
      await setImmediate()
      if (signal.aborted || life !== mine) return
      began = performance.now()
    }
  }

  function takeListed(mine: OwnLife, list: { readonly partition: Partition; lost: boolean }, item: Item, starts: boolean): void {
    if (list.partition.hasLost(item, starts)) {
      list.lost = true
      log.error({ topic: list.partition.topic, partition: list.partition.partition, offset: item.offset, sequence: item.sequence }, 'an event never reached the log: this partition is read no further')
      return
    }
    try {
      note(mine, list.partition, list.partition.take(item, mine.holdings), false)
    } catch (error) {
      // Half an event may be taken in: what is kept is worth nothing any more.
      throw new Rebuild(`${keyOf(list.partition)} at ${item.offset} could not be taken in`, { cause: error })
    }
  }

  function note(mine: OwnLife, { number }: Partition, applied: RecordItem | undefined, late: boolean): void {
    if (applied !== undefined) mine.changes.note({ place: number, offset: applied.offset, recordId: applied.key, at: Date.now(), stops: stops(applied, dateText(todayInShanghai())), late })
  }

  function takeTechnical(mine: OwnLife, contract: string, record: unknown): void {
    if (contract === 'cn.yrd.source_status.SourceStatus') mine.sources.note(record as SourceStatus)
    if (contract === 'cn.yrd.parked.ParkedEvent') noteParked(mine, record as ParkedEvent)
    if (contract === 'cn.yrd.checkpoint.Checkpoint') compare(mine, record as Checkpoint)
  }

  function noteParked(mine: OwnLife, event: ParkedEvent): void {
    const found = mine.byKey.get(keyOf({ topic: topicPrefix + event.topic, partition: event.partition }))?.partition
    if (event.redrivenAt !== null && found?.generation === event.generation) redrives.note(found, event)
  }

  function takeRedriven(partition: Partition, item: Item, hash: string): void {
    if (life?.partitions.includes(partition) !== true) return
    try {
      note(life, partition, partition.redrive(item, hash, life.holdings), true)
    } catch (error) {
      giveUp(new Rebuild(`${keyOf(partition)} at ${item.offset} could not be taken in`, { cause: error }))
    }
  }

  function compare(mine: OwnLife, checkpoint: Checkpoint): void {
    for (const { topic, partition, generation, nextOffset, digest, parkedDigest } of checkpoint.partitions) {
      const found = mine.byKey.get(keyOf({ topic: topicPrefix + topic, partition }))?.partition
      if (found === undefined || found.generation !== generation) continue
      found.compare({ nextOffset, digest: digest.toString('hex'), parkedDigest: parkedDigest.toString('hex') })
    }
    const different = mine.partitions.find(({ proof }) => proof === 'different')
    if (different === undefined) return
    if (!rebuilt) {
      rebuilt = true
      throw new Rebuild(`${keyOf(different)} is not what the replica of the region is: read anew once`)
    }
    log.error({ topic: different.topic, partition: different.partition }, 'not what the replica of the region is, after it was read anew: its region is incomplete')
  }

  async function keepSnapshots(mine: OwnLife, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(options.snapshotMs, signal)
      if (signal.aborted || !mine.loaded) continue
      await saveLife(mine, rebuilt, dir, signal).catch((error: unknown) => {
        if (!signal.aborted) log.error({ err: error }, 'the snapshot was not written')
      })
    }
  }

  async function keepCompact(mine: OwnLife, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(COMPACT_MS, signal)
      if (!signal.aborted && mine.loaded) mine.holdings.compact(COMPACT_ENTRIES)
    }
  }

  async function watchLogs(mine: OwnLife, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(LOOK_MS, signal)
      if (signal.aborted) return
      const logs = await readLogs({ kafka, codec, topics: lists, topicPrefix, groupPrefix }).catch((error: unknown) => void log.warn({ err: error }, 'cannot look at the logs now'))
      const other = logs && mine.partitions.map(({ place }) => isOther(logs, place)).find((one) => one !== undefined)
      if (other !== undefined) throw new Rebuild(other)
    }
  }

}

function keyOfTechnical(contract: string, record: unknown): string | undefined {
  return TECHNICAL_KEYS[contract]?.(record as never)
}

/** Waits while the registry is asked for a schema. @throws what the registry's silence throws: the subscription begins again then */
async function settled(classify: () => Item | Promise<void>): Promise<Item> {
  for (;;) {
    const item = classify()
    if (!(item instanceof Promise)) return item
    await item
  }
}

function until(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
