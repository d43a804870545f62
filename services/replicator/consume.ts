import type { Codec } from '@hub/runtime/codec'
import { failpoint } from '@hub/runtime/failpoint'
import type { Batch, BatchContext } from '@hub/runtime/kafka'
import { startsLog } from '@hub/schemas/log-event'
import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import { classify } from './classify.ts'
import type { Partitions } from './partitions.ts'
import type { Queue } from './queue.ts'
import { passed, sequenceLost, type Slot } from './slot.ts'

/** Longest stretch of decoding before others get their turn. */
const HOLD_MS = 6
/** How long a fetch waits for an unknown schema before its partition is paused; the registry usually answers in a few ms. */
const SCHEMA_WAIT_MS = 500
const SCHEMA_AGAIN_MS = 1_000

/**
 * Turns fetched batches into items of the queue. A full queue holds the fetches back; an event whose schema the registry does not tell
 * pauses its partition alone until it does.
 */
export function createConsume({ codec, queue, partitions }: { codec: Codec; queue: Queue; partitions: Partitions }) {
  return async function consume(batch: Batch, { signal }: BatchContext): Promise<void> {
    const slot = partitions.running(batch.topic, batch.partition)
    if (slot === undefined) return
    failpoint('replicate.fetched')
    const live = (): boolean => !signal.aborted && slot.stopped === undefined && partitions.holds(slot)
    slot.logEnd = Math.max(slot.logEnd, Number(batch.highWatermark))
    slot.freshness.fetched(batch.fetchedAt, Number(batch.highWatermark))
    let turnBegan = performance.now()
    for (const [i, message] of batch.messages.entries()) {
      while (queue.full) {
        await queue.drained()
        if (!live()) return
        turnBegan = performance.now()
      }
      if (i % 32 === 31 && performance.now() - turnBegan > HOLD_MS) {
        await setImmediate()
        if (!live()) return
        turnBegan = performance.now()
      }
      const offset = Number(message.offset)
      if (offset < slot.cursor) continue
      let item = classify(codec, slot, message, Number(batch.highWatermark))
      if (item instanceof Promise) {
        await Promise.race([item.catch(() => {}), delay(SCHEMA_WAIT_MS, undefined, { ref: false })])
        if (!live()) return
        item = classify(codec, slot, message, Number(batch.highWatermark))
      }
      if (item instanceof Promise) {
        item.catch(() => {})
        void awaitSchema(slot, Buffer.from(message.value ?? ''))
        return
      }
      if (item.sequence !== undefined && sequenceLost(slot, offset, item.sequence, startsLog(message))) {
        partitions.stop(slot, {
          code: 'sequence-lost',
          text: `位移 ${offset} 的序号是 ${item.sequence}，应为 ${slot.lastSequence + 1}：有事件从未到达日志 · offset ${offset} has sequence ${item.sequence} instead of ${slot.lastSequence + 1}: an event never reached the log`,
        })
        return
      }
      queue.push(slot, item)
      passed(slot, item)
    }
    failpoint('replicate.queued')
  }

  async function awaitSchema(slot: Slot, value: Buffer): Promise<void> {
    partitions.stop(slot, {
      code: 'registry-silent',
      text: `架构注册中心没有应答，架构 ${value.readInt32BE(1)} 未知，恢复后自动继续 · the schema registry does not answer and schema ${value.readInt32BE(1)} is not known here; goes on by itself`,
    })
    while (partitions.holds(slot)) {
      const decoded = codec.decode(value)
      if (decoded.ok || decoded.reason !== undefined) {
        partitions.resume(slot)
        return
      }
      await decoded.pending.catch(() => delay(SCHEMA_AGAIN_MS, undefined, { ref: false }))
    }
  }
}
