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
/** What is answered where another broker leads by now. */
const MOVED = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH'])

/** Both ends of every partition of a topic, in their order. A topic made a moment ago is waited for: its broker does not know at once that it leads it. Ask for one topic at a time. */
export async function topicOffsets(admin: KafkaJsAdmin, topic: string): Promise<PartitionOffsets[]> {
  const until = performance.now() + SETTLE_MS
  for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
    try {
      const offsets = await admin.fetchTopicOffsets(topic)
      return offsets.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) })).sort((a, b) => a.partition - b.partition)
    } catch (error) {
      if ((error as { retriable?: unknown }).retriable !== true || performance.now() > until) throw error
      await delay(pause)
      // kafkajs knows for five minutes who led, whatever it is answered; connected anew it asks.
      if (MOVED.has(String((error as { type?: unknown }).type))) {
        await admin.disconnect()
        await admin.connect()
      }
    }
  }
}
