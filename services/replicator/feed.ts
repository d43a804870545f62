import type { Batch, BatchContext, Kafka, Subscription, TopicPartitionOffset } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import { randomUUID } from 'node:crypto'
import type { TopicPartition } from './topic-partition.ts'

/**
 * The subscription of this process: a consumer group of its own, so every partition is its and nobody else's join disturbs it. All partitions are
 * paused after a join; `resumeAt` sets them going.
 */
export interface Feed extends AsyncDisposable {
  /** Joins for these topics, unless it has. Resolves when the consumer is connected; its partitions come later, through `onAssigned`. */
  subscribe(topics: readonly string[]): Promise<void>
  /** What the group gave to this process. */
  readonly assigned: readonly TopicPartition[]
  pause(partitions: readonly TopicPartition[]): void
  resumeAt(positions: readonly TopicPartitionOffset[]): void
}

export interface FeedOptions {
  readonly kafka: Kafka
  readonly groupPrefix: string
  onBatch(batch: Batch, context: BatchContext): Promise<void>
  /** Everything is paused now: after the first join, and after every other one. */
  onAssigned(): void
  readonly log: Log
}

export function createFeed(options: FeedOptions): Feed {
  let subscription: Subscription | undefined
  let topics: readonly string[] = []
  let assigned: readonly TopicPartition[] = []
  let closed = false

  async function close(): Promise<void> {
    const last = subscription
    subscription = undefined
    assigned = []
    topics = []
    await last?.close()
  }

  return {
    get assigned() {
      return assigned
    },
    async subscribe(wanted) {
      if (closed) return
      if (wanted.length === topics.length && wanted.every((topic) => topics.includes(topic))) return
      await close()
      topics = wanted
      try {
        subscription = await options.kafka.subscribe({
          groupId: `${options.groupPrefix}.${randomUUID()}`,
          topics: wanted,
          // kafkajs reads a whole answer at once: 1 MiB of events takes it about 10 ms.
          maxBytes: 1024 * 1024,
          maxBytesPerPartition: 256 * 1024,
          load(partitions) {
            assigned = [...partitions]
            options.onAssigned()
            // Where each partition goes on is decided with the lease, the stored positions and the state of the logs at hand.
            return Promise.resolve([])
          },
          onBatch: options.onBatch,
          onLogChanged() {},
          onFatal(error) {
            options.log.error({ err: error }, 'consumer ended, joining anew')
            void close().finally(options.onAssigned)
          },
        })
      } catch (error) {
        topics = []
        throw error
      }
      if (closed) await close()
    },
    pause: (partitions) => subscription?.pause(partitions),
    resumeAt: (positions) => subscription?.resumeAt(positions),
    async [Symbol.asyncDispose]() {
      closed = true
      await close()
    },
  }
}
