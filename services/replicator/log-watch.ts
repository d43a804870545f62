import type { Codec } from '@hub/runtime/codec'
import type { Admin, Kafka, Message } from '@hub/runtime/kafka'
import type { Topic } from '@hub/schemas/streams'
import { randomUUID } from 'node:crypto'
import { keyOf } from './topic-partition.ts'

/** One partition's log as the broker has it. */
export interface LogState {
  /** First offset still there. */
  readonly low: number
  /** Offset the next event will get. */
  readonly high: number
  /** Which log this is; undefined while it does not begin with its genesis record. */
  readonly generation: string | undefined
}

export interface LogWatch {
  /**
   * Ends and generations of all partitions that exist, by `topic/partition`. The ends are read now; generations, which take a consumer of
   * their own to read, at most once a minute unless one is missing. Rejects (retriable) while broker or registry do not answer.
   */
  read(): Promise<Map<string, LogState>>
  /** The next reading reads the generations, too. */
  forget(): void
}

const GENESIS = 'cn.yrd.control.Genesis'
const GENERATION_AGE_MS = 55_000
const MISSING_AGE_MS = 4_000
const READ_DEADLINE_MS = 20_000
const TOPICS_AT_ONCE = 8

export function createLogWatch(options: { kafka: Kafka; codec: Codec; topics: readonly Topic[]; topicPrefix: string; groupPrefix: string }): LogWatch {
  let generations = new Map<string, string | undefined>()
  let readAt = -Infinity

  return {
    async read() {
      const ends = await readEnds()
      const missing = [...ends.keys()].some((key) => generations.get(key) === undefined)
      if (performance.now() - readAt > (missing ? MISSING_AGE_MS : GENERATION_AGE_MS)) {
        generations = await readGenerations([...ends.values()].flatMap(({ topic, low, high }) => (high > low ? [topic] : [])))
        readAt = performance.now()
      }
      return new Map([...ends].map(([key, { low, high }]) => [key, { low, high, generation: generations.get(key) }]))
    },
    forget() {
      readAt = -Infinity
    },
  }

  async function readEnds(): Promise<Map<string, { topic: string; low: number; high: number }>> {
    await using admin: Admin = await options.kafka.admin()
    const existing = new Set((await admin.topics()).map(({ topic }) => topic))
    const present = options.topics.filter(({ topic }) => existing.has(topic))
    const ends = new Map<string, { topic: string; low: number; high: number }>()
    for (let at = 0; at < present.length; at += TOPICS_AT_ONCE) {
      await Promise.all(present.slice(at, at + TOPICS_AT_ONCE).map(async ({ topic }) => {
        for (const { partition, low, high } of await admin.offsets(topic)) ends.set(keyOf({ topic, partition }), { topic, low: Number(low), high: Number(high) })
      }))
    }
    return ends
  }

  async function readGenerations(topics: readonly string[]): Promise<Map<string, string | undefined>> {
    const found = new Map<string, string | undefined>()
    const used = new Set(topics)
    if (used.size === 0) return found
    const records = await options.kafka.readFirst({ groupId: `${options.groupPrefix}.genesis.${randomUUID()}`, topics: [...used], deadlineMs: READ_DEADLINE_MS })
    for (const { topic, partitions } of options.topics) {
      for (let partition = 0; partition < partitions; partition++) {
        const record = records.get(keyOf({ topic, partition }))
        const key = keyOf({ topic, partition })
        // A record that did not come in time says nothing: what is known stands.
        if (record !== undefined) found.set(key, await generationOf(record, topic.slice(options.topicPrefix.length), partition))
        else if (used.has(topic)) found.set(key, generations.get(key))
      }
    }
    return found
  }

  async function generationOf({ key, value }: Message, topic: string, partition: number): Promise<string | undefined> {
    if (value === null || key?.toString() !== 'genesis') return undefined
    let decoded = options.codec.decode(value)
    if (!decoded.ok && decoded.reason === undefined) {
      await decoded.pending
      decoded = options.codec.decode(value)
    }
    const here = decoded.ok && decoded.fullName === GENESIS && decoded.record['topic'] === topic && decoded.record['partition'] === partition
    return here ? String((decoded as { record: Record<string, unknown> }).record['generation']) : undefined
  }
}
