import { type EachBatchPayload, type Kafka as KafkaJs } from 'kafkajs'
import { HubError } from '../errors.ts'
import type { Log } from '../log.ts'
import { connectionFailure } from './failure.ts'
import { topicOffsets } from './offsets.ts'

export interface Message {
  readonly offset: bigint
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** First value of each header. Buffers are views of the whole fetch response: copy what is kept for long. */
  readonly headers: Readonly<Record<string, Buffer>>
}

export interface Batch {
  readonly topic: string
  readonly partition: number
  /** Offset the next record of this partition will get, as of this fetch. */
  readonly highWatermark: bigint
  readonly messages: readonly Message[]
  /** `performance.now()` of this process when the answer was handed over. */
  readonly fetchedAt: number
}

export interface BatchContext {
  /** Fires when the subscription closes or the partitions were assigned anew: what was not taken yet is delivered again. */
  readonly signal: AbortSignal
}

export interface TopicPartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

export interface SubscribeOptions {
  readonly groupId: string
  readonly topics: readonly string[]
  /** Where to begin each assigned partition; one that is left out stays paused. Called at every assignment. */
  load(partitions: readonly { topic: string; partition: number }[]): Promise<readonly TopicPartitionOffset[]>
  /**
   * Takes over a batch; may wait for as long as it likes (heartbeats go on), which holds the next fetch back.
   * It must not throw for the sake of an event; a throw is a fault and ends the subscription through `onFatal`.
   */
  onBatch(batch: Batch, context: BatchContext): void | Promise<void>
  /** The stored offset lies outside the log: data are gone (below `low`) or the topic is another one (above `high`). The partition stays paused. */
  onLogChanged(partition: { topic: string; partition: number }, offsets: { stored: bigint; low: bigint; high: bigint }): void
  /** The consumer cannot go on by itself, as after a lost broker: subscribe anew, in another group. Called at most once. */
  onFatal(error: unknown): void
  /** Bytes per fetch answer; default 4 MiB. */
  readonly maxBytes?: number
  readonly maxBytesPerPartition?: number
}

export interface Subscription extends AsyncDisposable {
  pause(partitions: readonly { topic: string; partition: number }[]): void
  /** Continues at these offsets; whatever was fetched before the call is not delivered any more. */
  resumeAt(positions: readonly TopicPartitionOffset[]): void
  close(): Promise<void>
}

const SESSION_TIMEOUT_MS = 30_000
const HEARTBEAT_MS = 3_000

/**
 * A consumer whose positions live elsewhere (a database): nothing is committed to Kafka. Guards against the measured
 * hazards of kafkajs 2.2.4 (platform reference 2.1): silent offset reset, seek races, eviction without notice, dead consumers, zombies.
 */
export async function subscribe(client: () => KafkaJs, log: Log, options: SubscribeOptions): Promise<Subscription> {
  const kafka = client()
  const admin = kafka.admin()
  const consumer = kafka.consumer({
    groupId: options.groupId,
    sessionTimeout: SESSION_TIMEOUT_MS,
    rebalanceTimeout: 60_000,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: 250,
    minBytes: 1,
    maxBytes: options.maxBytes ?? 4 * 1024 * 1024,
    maxBytesPerPartition: options.maxBytesPerPartition ?? 1024 * 1024,
    metadataMaxAge: 600_000,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 200, maxRetryTime: 2_000, retries: 1_000_000, restartOnFailure: () => Promise.resolve(!closed && !joined) },
  })
  let closed = false
  let failed = false
  // A member that crashed stays in its group until its session has run out, and the broker holds every join back so long. Another group is free at once.
  let joined = false
  let epoch = 0
  let assignment = new AbortController()
  // Offset the next delivered message of a partition must have at least; absent = paused, deliver nothing.
  const cursors = new Map<string, bigint>()

  const fatal = (error: unknown): void => {
    if (closed || failed) return
    failed = true
    assignment.abort()
    options.onFatal(error)
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    const mine = ++epoch
    joined = true
    assignment.abort()
    assignment = new AbortController()
    cursors.clear()
    const partitions = Object.entries(payload.memberAssignment).flatMap(([topic, list]) => list.map((partition) => ({ topic, partition })))
    // Synchronously, before the first fetch: an asynchronous seek would race it and deliver twice.
    consumer.pause(byTopic(partitions))
    void begin(mine, partitions).catch(fatal)
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) fatal(payload.error)
  })

  async function begin(mine: number, partitions: { topic: string; partition: number }[]): Promise<void> {
    const positions = await withRetry(() => options.load(partitions), () => closed || mine !== epoch)
    if (positions === undefined) return
    const ends = new Map<string, { low: bigint; high: bigint }>()
    const topics = [...new Set(positions.map((position) => position.topic))]
    // One after the other: of two requests for metadata at once kafkajs keeps what comes last, and several brokers answer in any order.
    for (const topic of topics) {
      const offsets = await withRetry(() => topicOffsets(admin, topic, () => kafka.admin()), () => closed || mine !== epoch)
      for (const { partition, low, high } of offsets ?? []) ends.set(keyOf(topic, partition), { low, high })
    }
    if (closed || mine !== epoch) return
    const usable = positions.filter((position) => {
      const end = ends.get(keyOf(position.topic, position.partition))
      if (end !== undefined && position.offset >= end.low && position.offset <= end.high) return true
      options.onLogChanged({ topic: position.topic, partition: position.partition }, { stored: position.offset, low: end?.low ?? -1n, high: end?.high ?? -1n })
      return false
    })
    resumeAt(usable)
  }

  function resumeAt(positions: readonly TopicPartitionOffset[]): void {
    if (closed) return
    for (const { topic, partition, offset } of positions) {
      cursors.set(keyOf(topic, partition), offset)
      consumer.seek({ topic, partition, offset: offset.toString() })
    }
    if (positions.length > 0) consumer.resume(byTopic(positions))
  }

  async function eachBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
    if (closed || !isRunning() || isStale()) return
    const key = keyOf(batch.topic, batch.partition)
    const cursor = cursors.get(key)
    if (cursor === undefined) return
    const messages: Message[] = []
    for (const { offset, key: messageKey, value, headers } of batch.messages) {
      const at = BigInt(offset)
      if (at < cursor) continue
      messages.push({ offset: at, key: messageKey, value, headers: firstValues(headers) })
    }
    const last = batch.messages.at(-1)
    if (messages.length > 0) {
      const signal = assignment.signal
      const handled = options.onBatch(
        { topic: batch.topic, partition: batch.partition, highWatermark: BigInt(batch.highWatermark), messages, fetchedAt: performance.now() },
        { signal })
      if (handled !== undefined) await whileBeating(handled, heartbeat, signal)
      // A seek made while the handler ran has moved the cursor on purpose.
      if (signal.aborted || cursors.get(key) !== cursor) return
      cursors.set(key, BigInt(last?.offset ?? cursor) + 1n)
    }
    if (last !== undefined) resolveOffset(last.offset)
  }

  try {
    await admin.connect()
    await consumer.connect()
    await consumer.subscribe({ topics: [...options.topics], fromBeginning: true })
  } catch (error) {
    closed = true
    await Promise.allSettled([consumer.disconnect(), admin.disconnect()])
    throw connectionFailure(error)
  }
  const running = consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    // kafkajs wakes all of them for every answer; a handler that waits holds the next fetch back, whatever their number.
    partitionsConsumedConcurrently: 16,
    eachBatch: async (payload) => {
      try {
        await eachBatch(payload)
      } catch (error) {
        // kafkajs stops for good on a TypeError and retries other errors blindly; both are ours to decide.
        if (!closed) fatal(error)
      }
    },
  })
  running.catch(fatal)

  async function close(): Promise<void> {
    if (closed) return
    closed = true
    assignment.abort()
    await running.catch(() => {})
    await consumer.disconnect().catch((error: unknown) => log.warn({ err: error }, 'consumer did not disconnect'))
    await admin.deleteGroups([options.groupId]).catch(() => {})
    await admin.disconnect().catch(() => {})
  }

  return {
    pause(partitions) {
      for (const { topic, partition } of partitions) cursors.delete(keyOf(topic, partition))
      if (!closed && partitions.length > 0) consumer.pause(byTopic(partitions))
    },
    resumeAt,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The first record still on each partition, read by a throw-away consumer; partitions without any record within the deadline are left out. */
export async function readFirst(client: () => KafkaJs, log: Log, options: { groupId: string; topics: readonly string[]; deadlineMs: number }): Promise<Map<string, Message>> {
  const found = new Map<string, Message>()
  const wanted = await startsOf(client, options.topics)
  if (wanted.size === 0) return found
  const { promise: all, resolve, reject } = Promise.withResolvers<void>()
  all.catch(() => { /* awaited below, unless the subscription fails first */ })
  const timer = setTimeout(resolve, options.deadlineMs)
  let subscription: Subscription | undefined
  try {
    subscription = await subscribe(client, log, {
      groupId: options.groupId,
      topics: options.topics,
      maxBytesPerPartition: 1024,
      load: (partitions) => Promise.resolve(partitions.flatMap(({ topic, partition }) => {
        const key = keyOf(topic, partition)
        const low = wanted.get(key)
        return low === undefined || found.has(key) ? [] : [{ topic, partition, offset: low }]
      })),
      onBatch({ topic, partition, messages }) {
        const key = keyOf(topic, partition)
        if (!found.has(key) && messages[0] !== undefined) found.set(key, copyOf(messages[0]))
        subscription?.pause([{ topic, partition }])
        if (found.size === wanted.size) resolve()
      },
      onLogChanged() {},
      onFatal: reject,
    })
    await all
  } finally {
    clearTimeout(timer)
    await subscription?.close()
  }
  return found
}

/** The first offset of every partition that has records. */
async function startsOf(client: () => KafkaJs, topics: readonly string[]): Promise<Map<string, bigint>> {
  const starts = new Map<string, bigint>()
  const admin = client().admin()
  try {
    await admin.connect()
    for (const topic of topics) {
      for (const { partition, low, high } of await topicOffsets(admin, topic, () => client().admin())) {
        if (high > low) starts.set(keyOf(topic, partition), low)
      }
    }
  } catch (error) {
    throw connectionFailure(error)
  } finally {
    await admin.disconnect().catch(() => {})
  }
  return starts
}

async function whileBeating(handled: Promise<void>, heartbeat: () => Promise<void>, signal: AbortSignal): Promise<void> {
  // The broker evicts a consumer that is silent for longer than the session and never tells it.
  const timer = setInterval(() => {
    if (!signal.aborted) heartbeat().catch(() => { /* the next fetch meets the same fault and rejoins */ })
  }, HEARTBEAT_MS)
  const { promise: aborted, resolve: abort } = Promise.withResolvers<void>()
  const onAbort = (): void => abort()
  signal.addEventListener('abort', onAbort)
  if (signal.aborted) abort()
  try {
    await Promise.race([handled, aborted])
  } finally {
    clearInterval(timer)
    // The signal lives as long as the assignment: a listener left on it for each batch would fill the memory.
    signal.removeEventListener('abort', onAbort)
  }
}

async function withRetry<T>(work: () => Promise<T>, obsolete: () => boolean): Promise<T | undefined> {
  for (let delay = 100; ; delay = Math.min(delay * 2, 5_000)) {
    if (obsolete()) return undefined
    try {
      return await work()
    } catch (error) {
      const retriable = (error as { retriable?: unknown }).retriable === true
      if (!retriable) throw new HubError('ASSIGNMENT_FAILED', 'cannot load the positions of the assigned partitions', { cause: error })
      await new Promise((resolve) => setTimeout(resolve, delay))
    }
  }
}

const NO_HEADERS: Readonly<Record<string, Buffer>> = {}

function firstValues(headers: Record<string, Buffer | string | (Buffer | string)[] | undefined> | undefined): Readonly<Record<string, Buffer>> {
  if (headers === undefined) return NO_HEADERS
  let repeated = false
  for (const name in headers) if (Array.isArray(headers[name])) repeated = true
  if (!repeated) return headers as Record<string, Buffer>
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])) as Record<string, Buffer>
}

function copyOf(message: Message): Message {
  return {
    offset: message.offset,
    key: message.key === null ? null : Buffer.from(message.key),
    value: message.value === null ? null : Buffer.from(message.value),
    headers: Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, Buffer.from(value)])),
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}

function byTopic(partitions: readonly { topic: string; partition: number }[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const list = topics.get(topic)
    if (list === undefined) topics.set(topic, [partition])
    else list.push(partition)
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }))
}


