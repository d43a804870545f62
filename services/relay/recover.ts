import { type Codec, createCodec } from '@hub/runtime/codec'
import type { Db, DbClient } from '@hub/runtime/db'
import { HubError } from '@hub/runtime/errors'
import { failpoint } from '@hub/runtime/failpoint'
import type { Kafka, Message } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { bodyHash } from '@hub/schemas/body-hash'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { classifyEvent, type LogPlace } from '@hub/schemas/log-event'
import type { Item, RecordItem } from '@hub/schemas/log-item'
import type { Topic } from '@hub/schemas/streams'
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { HEARTBEAT } from './heartbeats.ts'
import { keyOf, type OwnPartition } from './partition.ts'
import { type Displaced, dropLogged, dropOlder, dropReplaced, dropSent, isPublished, lockClosed, type LoggedVersion, raiseHeads, raiseHeartbeat, takeVersions } from './recover-store.ts'
import { audit, finishRequest, nextRequest, noteProgress, type RelayRequest } from './requests.ts'
import { append } from './sent-log.ts'
import { noteRanges, type SentRun } from './store.ts'
import { fromLog } from './tasks.ts'

/** How soon a request is taken up. */
const LOOK_MS = 500
const SILENCE_MS = 30_000
/** Events read before others get their turn. */
const SLICE = 100
const MOST_TOLD = 100
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** How far each partition is, by `topic/partition`; numbers as JSON has them. */
interface Progress {
  readonly partitions?: Readonly<Record<string, PartitionProgress>>
  /** The highest number of a heartbeat that was read. */
  readonly heartbeat?: number
}

interface PartitionProgress {
  /** The offset to read next. */
  readonly next: number
  /** Log end as it was last seen. */
  readonly end: number
  /** The highest sequence so far. */
  readonly sequence: number
  readonly versions: number
}

export interface Recovering {
  readonly db: Db
  readonly kafka: Kafka
  readonly registryUrl: string
  readonly cacheDir: string
  readonly groupPrefix: string
  readonly topics: readonly Topic[]
  readonly partitions: readonly OwnPartition[]
  readonly log: Log
}

/** Waits until an operator asks for the recovery of a database that is older than its logs, and does it. Ends when it is done: everything must be read again. */
export async function recoverOnRequest(options: Recovering, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const request = await nextRequest<Progress>(options.db, 'recover')
    if (request !== undefined) return await recover(options, request, signal)
    await pause(LOOK_MS, signal)
  }
}

/**
 * Brings a database that was restored from a backup up to its own logs: what they hold behind the last known offset goes into `published` and out of the outbox;
 * at their end the heads are raised to the highest sequence, and what the restored database has taken in meanwhile is numbered on from there. Each step
 * is a transaction with its progress: whoever begins anew goes on.
 */
async function recover(options: Recovering, request: RelayRequest<Progress>, signal: AbortSignal): Promise<void> {
  const { log } = options
  const codec = await createCodec({ registryUrl: options.registryUrl, cacheDir: options.cacheDir, contracts: ALL_CONTRACTS, guard: createGuard, log })
  log.info({ who: request.who, why: request.why }, 'recovering from the own logs on request')
  const state = { progress: request.progress }
  for (;;) {
    const left = await fromLog(unread(options, state.progress))
    if (left.size === 0) break
    await fromLog(replay(options, request, codec, state, left, signal))
  }
  await complete(options, request, codec, state.progress)
  log.info('recovered')
}

function startOf({ topic, partition, acked, lastOffset }: OwnPartition, progress: Progress): PartitionProgress {
  return progress.partitions?.[keyOf({ topic, partition })] ?? { next: Math.max(Number(lastOffset) + 1, 1), end: 0, sequence: Number(acked), versions: 0 }
}

/** Where each partition that is not read to its end goes on, and where it ends. */
async function unread({ kafka, partitions }: Recovering, progress: Progress): Promise<Map<string, { next: number; end: number }>> {
  await using admin = await kafka.admin()
  const left = new Map<string, { next: number; end: number }>()
  for (const [topic, own] of Map.groupBy(partitions, ({ topic }) => topic)) {
    const ends = new Map((await admin.offsets(topic)).map((one) => [one.partition, one]))
    for (const one of own) {
      const { low, high } = ends.get(one.partition) ?? { low: 0n, high: 0n }
      const next = Math.max(startOf(one, progress).next, Number(low))
      if (next < Number(high)) left.set(keyOf(one), { next, end: Number(high) })
    }
  }
  return left
}

/** Reads these partitions up to the ends given, a transaction for each batch. */
async function replay(options: Recovering, request: RelayRequest<Progress>, codec: Codec, state: { progress: Progress }, left: Map<string, { next: number; end: number }>, signal: AbortSignal): Promise<void> {
  const { kafka, groupPrefix, topics, partitions } = options
  const places = new Map(partitions.map((one) => [keyOf(one), one]))
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  done.catch(() => {}) // awaited below, unless the subscription fails first
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  let heardAt = performance.now()
  let turn = Promise.resolve()
  await using _subscription = await kafka.subscribe({
    groupId: `${groupPrefix}.relay-recover-${randomUUID()}`,
    topics: [...new Set([...left.keys()].map((key) => places.get(key)!.topic))],
    load: (assigned) => Promise.resolve(assigned.flatMap((one) => {
      const place = left.get(keyOf(one))
      return place === undefined ? [] : [{ ...one, offset: BigInt(place.next) }]
    })),
    // One after the other: they share the row of their progress.
    onBatch: ({ topic, partition, messages, highWatermark }) => (turn = turn.then(() => take(topic, partition, messages, Number(highWatermark))).catch(reject)),
    onLogChanged: ({ topic, partition }, { low }) => reject(new HubError('LOG_CHANGED', `the log of ${topic}/${partition} begins at ${low} now`, { retriable: true })),
    onFatal: reject,
  })
  try {
    await Promise.race([done, silence()])
  } finally {
    stop.abort()
    await turn
  }
  signal.throwIfAborted()

  async function take(topic: string, partition: number, messages: readonly Message[], end: number): Promise<void> {
    const own = places.get(keyOf({ topic, partition }))!
    const key = keyOf(own)
    const aim = left.get(key)
    if (aim === undefined || ended.aborted) return
    const { region, stream, technical } = topics.find((one) => one.topic === topic)!
    const items: Item[] = []
    for (const [i, message] of messages.entries()) {
      items.push(await itemOf(codec, { region, stream, technical, partition }, message, end))
      if (i % SLICE === SLICE - 1) await setImmediate()
      if (ended.aborted) return
    }
    state.progress = await step(options, request, codec, state.progress, own, messages, items, aim.end)
    failpoint('act.recovered')
    heardAt = performance.now()
    if (Number(messages.at(-1)!.offset) + 1 < aim.end) return
    left.delete(key)
    if (left.size === 0) resolve()
  }

  async function silence(): Promise<void> {
    while (!ended.aborted) {
      const rest = SILENCE_MS - (performance.now() - heardAt)
      if (rest <= 0) throw new HubError('LOG_SILENT', `the logs said nothing for ${SILENCE_MS} ms`, { retriable: true })
      await pause(rest, ended)
    }
  }
}

/** Takes one batch of one partition over. @returns the progress that was written with it */
async function step({ db }: Recovering, request: RelayRequest<Progress>, codec: Codec, progress: Progress, own: OwnPartition, messages: readonly Message[], items: readonly Item[], end: number): Promise<Progress> {
  const before = startOf(own, progress)
  const events = items.flatMap(({ sequence }, i) => (sequence === undefined ? [] : [{ sequence: BigInt(sequence), eventId: messages[i]!.headers['ce_id']?.toString() ?? '' }]))
  const versions = versionsOf(codec, items)
  const runs: SentRun[] = []
  let highest = before.sequence
  for (const { sequence, offset } of items) {
    if (sequence === undefined || sequence <= highest) continue
    append(runs, { topic: own.topic, partition: own.partition, first: BigInt(sequence), last: BigInt(sequence), firstOffset: BigInt(offset) })
    highest = sequence
  }
  const beats = items.flatMap((item) => (item.what === 'control' && item.heartbeat !== undefined ? [item.heartbeat.number] : []))
  const after: Progress = {
    partitions: { ...progress.partitions, [keyOf(own)]: { next: Number(messages.at(-1)!.offset) + 1, end, sequence: highest, versions: before.versions + versions.length } },
    heartbeat: Math.max(progress.heartbeat ?? 0, ...beats),
  }
  await db.tx(async (client) => {
    await noteProgress(client, request, progress, after)
    await dropLogged(client, own, events)
    if (versions.length > 0) await takeVersions(client, own, versions)
    // One after the other: each may continue the one before it.
    for (const run of runs) noteRanges(client, [run])
  })
  return after
}

/** The versions of records among these events, each once: of two bodies of one version the first stands. */
function versionsOf(codec: Codec, items: readonly Item[]): LoggedVersion[] {
  const versions = new Map<string, LoggedVersion>()
  for (const item of items) {
    if (item.what !== 'record' || !UUID.test(item.eventId) || item.sequence === undefined) continue
    const key = `${item.version} ${item.key}`
    if (!versions.has(key)) versions.set(key, { recordId: item.key, version: item.version, hash: bodyHashOf(codec, item), eventId: item.eventId, sequence: BigInt(item.sequence), kind: item.kind, at: takenInAt(item.eventId) })
  }
  return [...versions.values()]
}

function bodyHashOf(codec: Codec, { body, key }: RecordItem): Buffer {
  const decoded = codec.decode(body)
  if (!decoded.ok) throw new Error(`${key} was read a moment ago and cannot be read now`)
  return bodyHash(decoded.record)
}

/** The time in a UUID v7, ms UTC. */
function takenInAt(eventId: string): number {
  return Number.parseInt(eventId.slice(0, 8) + eventId.slice(9, 13), 16)
}

async function itemOf(codec: Codec, place: LogPlace, message: Message, end: number): Promise<Item> {
  const read = (): Item | Promise<void> => classifyEvent(codec, place, message, end, () => undefined)
  let item = read()
  if (item instanceof Promise) {
    await item
    item = read()
  }
  if (item instanceof Promise) throw new HubError('SCHEMA_UNKNOWN', `the schema of offset ${message.offset} is not known now`, { retriable: true })
  return item
}

async function complete({ db, topics, partitions }: Recovering, request: RelayRequest<Progress>, codec: Codec, progress: Progress): Promise<void> {
  const names = topics.map(({ topic }) => topic)
  const ends = partitions.map((own) => {
    const { next, sequence } = startOf(own, progress)
    return { topic: own.topic, partition: own.partition, sequence: BigInt(sequence), offset: BigInt(next - 1) }
  })
  await db.tx(async (client) => {
    await lockClosed(client, names)
    await dropSent(client, names, HEARTBEAT)
    const displaced = await displacedOf(client, codec, topics.filter(({ technical }) => !technical).map(({ topic }) => topic))
    const waiting = await raiseHeads(client, ends)
    if (progress.heartbeat !== undefined) await raiseHeartbeat(client, progress.heartbeat)
    const events = Object.values(progress.partitions ?? {}).reduce((sum, { versions }) => sum + versions, 0)
    const outcome = { recovered: true, versions: events, waiting, displaced: displaced.length, records: displaced.slice(0, MOST_TOLD) }
    await audit(client, request, 'recover', 'outbox', { ...outcome, sequences: Object.fromEntries(ends.map((end) => [keyOf(end), String(end.sequence)])) })
    await finishRequest(client, request, outcome)
    failpoint('act.recovery-written')
  })
}

/** What the restored database took in and the log has something else of: whoever sent it has to send it again. The same body once more is a duplicate. */
async function displacedOf(client: DbClient, codec: Codec, dataTopics: readonly string[]): Promise<Displaced[]> {
  const displaced: Displaced[] = []
  for (const { topic, recordId, value } of await dropReplaced(client, dataTopics)) {
    const decoded = codec.decode(value)
    if (!decoded.ok || !await isPublished(client, { topic, recordId }, BigInt(decoded.record['version'] as number), bodyHash(decoded.record))) displaced.push({ topic, recordId })
  }
  return [...displaced, ...await dropOlder(client, dataTopics)]
}
