import type { Codec } from '@hub/runtime/codec'
import { HubError } from '@hub/runtime/errors'
import type { Kafka } from '@hub/runtime/kafka'
import type { Topic } from '@hub/schemas/streams'
import { randomUUID } from 'node:crypto'

/** One partition's log as the broker has it. */
export interface LogState {
  readonly low: number
  readonly high: number
  /** Which log this is, from the genesis record it begins with. */
  readonly generation: string
}

const GENESIS = 'cn.yrd.control.Genesis'
const DEADLINE_MS = 20_000

export function keyOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`
}

/**
 * Ends and generations of the partitions of these topics, by `topic/partition`.
 * @throws HubError, retriable: a log is missing or does not begin with its genesis record, or broker or registry do not answer
 */
export async function readLogs(options: { kafka: Kafka; codec: Codec; topics: readonly Topic[]; topicPrefix: string; groupPrefix: string }): Promise<Map<string, LogState>> {
  const { topics } = options
  const ends = new Map<string, { low: number; high: number }>()
  {
    await using admin = await options.kafka.admin()
    const existing = new Set((await admin.topics()).map(({ topic }) => topic))
    for (const { topic } of topics.filter((one) => existing.has(one.topic))) {
      for (const { partition, low, high } of await admin.offsets(topic)) ends.set(keyOf({ topic, partition }), { low: Number(low), high: Number(high) })
    }
  }
  const present = topics.filter(({ topic }) => [...ends].some(([key, { low, high }]) => key.startsWith(`${topic}/`) && high > low)).map(({ topic }) => topic)
  const first = present.length === 0 ? new Map<string, never>() : await options.kafka.readFirst({ groupId: `${options.groupPrefix}.genesis.${randomUUID()}`, topics: present, deadlineMs: DEADLINE_MS })
  const logs = new Map<string, LogState>()
  for (const { topic, partitions } of topics) {
    for (let partition = 0; partition < partitions; partition++) {
      const key = keyOf({ topic, partition })
      const record = first.get(key)
      const generation = record?.value == null ? undefined : await generationOf(options.codec, record.value, topic.slice(options.topicPrefix.length), partition)
      if (generation === undefined) throw new HubError('NO_GENESIS', `${key} 不存在或不以 genesis 开头，请运行 hub topics apply · does not exist or does not begin with its genesis record: run "hub topics apply"`, { retriable: true })
      logs.set(key, { ...ends.get(key)!, generation })
    }
  }
  return logs
}

async function generationOf(codec: Codec, value: Buffer, topic: string, partition: number): Promise<string | undefined> {
  let decoded = codec.decode(value)
  if (!decoded.ok && decoded.reason === undefined) {
    await decoded.pending
    decoded = codec.decode(value)
  }
  if (!decoded.ok || decoded.fullName !== GENESIS || decoded.record['topic'] !== topic || decoded.record['partition'] !== partition) return undefined
  return String(decoded.record['generation'])
}
