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

/** Both ends of every partition of a topic, in their order. A topic made a moment ago is waited for: its broker does not know at once that it leads it. */
export async function topicOffsets(admin: KafkaJsAdmin, topic: string): Promise<PartitionOffsets[]> {
  const until = performance.now() + SETTLE_MS
  for (let pause = 50; ; pause = Math.min(pause * 2, 1_000)) {
    try {
      const offsets = await admin.fetchTopicOffsets(topic)
      return offsets.map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) })).sort((a, b) => a.partition - b.partition)
    } catch (error) {
      if ((error as { retriable?: unknown }).retriable !== true || performance.now() > until) throw error
      await delay(pause)
    }
  }
}
