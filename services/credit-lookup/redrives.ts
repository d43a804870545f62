import type { Codec } from '@hub/runtime/codec'
import { type Kafka, readEvents } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { createWakeup } from '@hub/runtime/wakeup'
import type { ParkedEvent } from '@hub/schemas/generated/parked-event'
import { classifyEvent, type LogPlace } from '@hub/schemas/log-event'
import { parkedHash } from '@hub/schemas/park'
import type { Item } from '@hub/schemas/log-item'
import type { Partition } from './partition.ts'

const AGAIN_MS = 5_000

export interface Redrives {
  /** The region's replica has an event of this partition parked no more. */
  note(partition: Partition, event: ParkedEvent): void
  /** Reads such events again until `signal` fires. */
  run(signal: AbortSignal): Promise<void>
}

export interface RedrivesOptions {
  readonly kafka: Kafka
  readonly codec: Codec
  readonly groupPrefix: string
  readonly log: Log
  take(partition: Partition, item: Item, hash: string): void
}

/**
 * Follows the redrives of the region: what its replica could read after an upgrade is read again here, by its place on the log. Only what is parked here too is
 * waited for, so there are never more than that.
 */
export function createRedrives({ kafka, codec, groupPrefix, log, take }: RedrivesOptions): Redrives {
  const waiting = new Map<Partition, Map<number, string>>()
  const bell = createWakeup()
  return {
    note(partition, { offset, hash }) {
      const text = hash.toString('hex')
      if (!partition.hasParked(text, offset)) return
      const offsets = waiting.get(partition) ?? new Map<number, string>()
      waiting.set(partition, offsets.set(offset, text))
      bell.signal()
    },
    async run(signal) {
      while (!signal.aborted) {
        const [next] = waiting
        if (next === undefined) {
          await bell.wait(60_000, signal)
          continue
        }
        const [partition, offsets] = next
        waiting.delete(partition)
        try {
          await readAgain(partition, offsets, signal)
        } catch (error) {
          if (signal.aborted) return
          log.warn({ err: error, topic: partition.topic, partition: partition.partition }, 'redriven events are not read now, trying again')
          waiting.set(partition, new Map([...offsets, ...waiting.get(partition) ?? []]))
          await pause(AGAIN_MS, signal)
        }
      }
    },
  }

  async function readAgain(partition: Partition, hashes: ReadonlyMap<number, string>, signal: AbortSignal): Promise<void> {
    const { topic, partition: number, region } = partition
    const place: LogPlace = { region, stream: 'credit-blacklist', partition: number, technical: false }
    await readEvents(kafka, groupPrefix, partition, [...hashes.keys()].sort((a, b) => a - b), async (offset, message) => {
      const hash = hashes.get(offset)!
      // Compaction took it since: its origin publishes the record again, and that supersedes it.
      if (message === undefined || parkedHash(offset, message.value).toString('hex') !== hash) return log.warn({ topic, partition: number, offset }, 'a redriven event is not on the log any more')
      let item = classifyEvent(codec, place, message, offset + 1, () => undefined)
      while (item instanceof Promise) {
        await item
        item = classifyEvent(codec, place, message, offset + 1, () => undefined)
      }
      if (signal.aborted) return
      if (item.what === 'parked') return log.warn({ topic, partition: number, offset, reason: item.reason }, 'the replica can read a parked event, and this release of the lookup cannot')
      take(partition, item, hash)
      log.info({ topic, partition: number, offset }, 'redriven')
    }, signal)
  }
}
