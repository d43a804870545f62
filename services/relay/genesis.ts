import type { Codec } from '@hub/runtime/codec'
import { isTransient } from '@hub/runtime/errors'
import type { Kafka, Message } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { createWakeup } from '@hub/runtime/wakeup'
import type { Topic } from '@hub/schemas/streams'
import { randomUUID } from 'node:crypto'
import { keyOf, type OwnPartition, type Pause } from './partition.ts'
import { withGrace } from './tasks.ts'

export const GENESIS = 'cn.yrd.control.Genesis'

/** What the beginning of a partition's log says: which generation it is, or why it cannot be used. */
export type Beginning = { readonly generation: string } | Pause

export interface GenesisWatch {
  /** Resolves when the logs were read, or could not be read, for the first time. */
  readonly first: Promise<void>
  of(topic: string, partition: number): Beginning
  /** Reads again soon. */
  refresh(): void
  /** Reads now. Rejects (retriable) while broker or registry do not answer. */
  read(): Promise<void>
  /** Why the last reading failed, if it did. */
  fault(): string | undefined
  run(signal: AbortSignal): Promise<void>
}

const EVERY_MS = 60_000
const RETRY_MS = 5_000
const READ_DEADLINE_MS = 15_000
const UNREAD: Pause = { code: 'log-unreadable', text: '尚未读到日志开头 · the beginning of the log could not be read yet; see the broker and the registry' }

/**
 * Reads the first record of every own partition at the start and every minute, more often while one is not usable. A reading that fails
 * leaves what is known: only an answer of the broker stops a partition.
 */
export function watchGenesis(options: { kafka: Kafka; codec: Codec; topics: readonly Topic[]; topicPrefix: string; groupPrefix: string; log: Log; onChange: () => void }): GenesisWatch {
  const known = new Map<string, Beginning>()
  const bell = createWakeup()
  const first = Promise.withResolvers<void>()
  let fault: string | undefined

  async function readOnce(): Promise<void> {
    await using admin = await options.kafka.admin()
    const existing = new Set((await admin.topics()).map(({ topic }) => topic))
    const present = options.topics.filter(({ topic }) => existing.has(topic))
    const used = new Set<string>()
    for (const { topic } of present) {
      for (const { partition, low, high } of await admin.offsets(topic)) if (high > low) used.add(keyOf({ topic, partition }))
    }
    const names = present.filter(({ topic, partitions }) => range(partitions).some((partition) => used.has(keyOf({ topic, partition })))).map(({ topic }) => topic)
    const records = names.length === 0 ? new Map<string, Message>() : await options.kafka.readFirst({ groupId: `${options.groupPrefix}.relay-${randomUUID()}`, topics: names, deadlineMs: READ_DEADLINE_MS })
    for (const { topic, partitions } of options.topics) {
      for (const partition of range(partitions)) {
        const key = keyOf({ topic, partition })
        const record = records.get(key)
        if (!existing.has(topic)) known.set(key, { code: 'topic-missing', text: '主题不存在，请运行 hub topics apply · the topic does not exist: run "hub topics apply"' })
        else if (record !== undefined) known.set(key, await beginningOf(record, topic.slice(options.topicPrefix.length), partition))
        else if (!used.has(key)) known.set(key, { code: 'genesis-missing', text: '日志为空、没有 genesis，请运行 hub topics apply · the log is empty and has no genesis: run "hub topics apply"' })
      }
    }
  }

  async function beginningOf(record: Message, topic: string, partition: number): Promise<Beginning> {
    const value = record.value ?? Buffer.alloc(0)
    let decoded = options.codec.decode(value)
    if (!decoded.ok && decoded.reason === undefined) {
      await decoded.pending
      decoded = options.codec.decode(value)
    }
    if (decoded.ok && decoded.fullName === GENESIS && decoded.record['topic'] === topic && decoded.record['partition'] === partition) return { generation: String(decoded.record['generation']) }
    return { code: 'genesis-missing', text: `日志不是以本分区的 genesis 开头（位移 ${record.offset}），不会使用 · the log does not begin with this partition's genesis (offset ${record.offset}) and is not used` }
  }

  return {
    first: first.promise,
    of: (topic, partition) => known.get(keyOf({ topic, partition })) ?? UNREAD,
    refresh: bell.signal,
    read: readOnce,
    fault: () => fault,
    async run(signal) {
      while (!signal.aborted) {
        try {
          // A reading has its own time limits; a stop does not wait for them.
          await withGrace(readOnce(), signal, 200)
          fault = undefined
        } catch (error) {
          if (fault === undefined) options.log.warn({ err: error, retriable: isTransient(error) }, 'cannot read the beginnings of the logs')
          fault = error instanceof Error ? error.message : String(error)
        }
        first.resolve()
        options.onChange()
        const healthy = fault === undefined && [...known.values()].every((one) => 'generation' in one)
        // A burst of refreshes reads once per interval.
        await pause(RETRY_MS, signal)
        if (healthy) await bell.wait(EVERY_MS - RETRY_MS, signal)
      }
    },
  }
}

/** Whether a partition may be used with the log as it is: the log it used before, or none before. */
export function judge(beginning: Beginning, { acked, generation }: Pick<OwnPartition, 'acked' | 'generation'>): { usable: true; generation: string } | { usable: false; pause: Pause } {
  if (!('generation' in beginning)) return { usable: false, pause: beginning }
  if (generation === null || generation === beginning.generation || acked < 0n) return { usable: true, generation: beginning.generation }
  return {
    usable: false,
    pause: { code: 'generation-changed', text: `主题已重建（原 ${generation}，现 ${beginning.generation}），已发布的事件须重新发布 · the topic was created anew (was ${generation}, is ${beginning.generation}); what was published must be published again first` },
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}
