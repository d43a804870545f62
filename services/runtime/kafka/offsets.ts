import type { Admin as KafkaJsAdmin } from 'kafkajs'
import { setTimeout as delay } from 'node:timers/promises'

export interface PartitionOffsets {
  readonly partition: number
  /** First offset still on the log. */
  readonly low: bigint
  /** Offset the next record will get. */
  readonly high: bigint
}

const SETTLE_MS = 10_000
/** What is answered where another broker leads by now, or leads it in a moment. */
const MOVED = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH'])
/** A topic made just now is led where it was said to be within this time. */
const MOMENT_MS = 1_000

/**
 * Both ends of every partition of a topic, in their order. A topic made a moment ago is waited for: its broker does not know at once that it leads it. Ask for
 * one topic at a time.
 * @param anew another client: kafkajs knows for five minutes who led, whatever it is answered, and one that is connected once more does not always work
 */
export async function topicOffsets(admin: KafkaJsAdmin, topic: string, anew: () => KafkaJsAdmin): Promise<PartitionOffsets[]> {
  const began = performance.now()
  for (let pause = 50, moved = false; ; pause = Math.min(pause * 2, 1_000)) {
    try {
      return await (moved ? withClient(anew(), (fresh) => endsOf(fresh, topic)) : endsOf(admin, topic))
    } catch (error) {
      const waited = performance.now() - began
      if ((error as { retriable?: unknown }).retriable !== true || waited > SETTLE_MS) throw error
      moved = waited > MOMENT_MS && MOVED.has(String((error as { type?: unknown }).type))
      await delay(pause)
    }
  }
}

async function endsOf(admin: KafkaJsAdmin, topic: string): Promise<PartitionOffsets[]> {
  const offsets = await admin.fetchTopicOffsets(topic)
  return offsets.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) })).sort((a, b) => a.partition - b.partition)
}

async function withClient<T>(admin: KafkaJsAdmin, work: (admin: KafkaJsAdmin) => Promise<T>): Promise<T> {
  try {
    await admin.connect()
    return await work(admin)
  } finally {
    await admin.disconnect().catch(() => {})
  }
}
