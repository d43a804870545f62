import type { Codec } from '@hub/runtime/codec'
import { appendOutbox, type Db, type DbClient, ensureHeads, lockHeads, notifyOutbox, type OutboxRow } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { createWakeup, type Wakeup } from '@hub/runtime/wakeup'
import type { Checkpoint } from '@hub/schemas/generated/checkpoint'
import type { ParkedEvent } from '@hub/schemas/generated/parked-event'
import type { Position } from '@hub/schemas/generated/position'
import { type Region, topicName } from '@hub/schemas/streams'
import { randomUUID } from 'node:crypto'
import { nextVersion, readPosition, takeCheckpoints, takeParked } from './store/publication.ts'

/** Shortest time between two publications. */
const EVERY_MS = 1_000
const IDLE_MS = 60_000
const KEY_LENGTH = 128

export interface PublisherOptions {
  readonly db: Db
  readonly codec: Codec
  readonly region: Region
  readonly topicPrefix: string
  /** The outbox's bell. */
  readonly wakeup: Wakeup
  readonly log: Log
}

export interface Publisher {
  /** Something moved. */
  changed(): void
  run(signal: AbortSignal): Promise<void>
}

/**
 * Tells the other regions how far this replica is, what it is at its checkpoints and what it parked, by the region's own outbox: at most once a
 * second, and only when the data streams moved, so that these events do not answer each other for ever.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { db, log } = options
  const bell = createWakeup()
  const topics = { checkpoint: topicName(options.region, 'checkpoint', options.topicPrefix), parked: topicName(options.region, 'parked', options.topicPrefix) }
  const partitions = [{ topic: topics.checkpoint, partition: 0 }, { topic: topics.parked, partition: 0 }]
  let moved = false
  let failing = false

  return {
    changed,
    async run(signal) {
      while (!signal.aborted) {
        await bell.wait(IDLE_MS, signal)
        if (signal.aborted) return
        if (!moved) continue
        moved = false
        const began = performance.now()
        try {
          await publish()
          failing = false
        } catch (error) {
          if (!failing) log.warn({ err: error }, 'cannot publish the position now')
          failing = true
          changed()
        }
        await pause(EVERY_MS - Math.min(EVERY_MS, performance.now() - began), signal)
      }
    },
  }

  function changed(): void {
    moved = true
    bell.signal()
  }

  async function publish(): Promise<void> {
    const [position, checkpoint, parkedEvent] = await Promise.all([
      options.codec.writer('cn.yrd.checkpoint.Position'), options.codec.writer('cn.yrd.checkpoint.Checkpoint'), options.codec.writer('cn.yrd.parked.ParkedEvent'),
    ])
    await ensureHeads(db, partitions)
    await db.tx(async (c) => {
      const at = Date.now()
      const version = await nextVersion(c, at)
      const events = [
        ...(await positionEvent(c, version, at)).map((event) => ({ topic: topics.checkpoint, key: 'position', type: 'cn.yrd.checkpoint.Position', value: position.encode(event) })),
        ...(await checkpointEvent(c, version, at)).map((event) => ({ topic: topics.checkpoint, key: 'checkpoint', type: 'cn.yrd.checkpoint.Checkpoint', value: checkpoint.encode(event) })),
        ...(await parkedEvents(c)).map((event) => ({ topic: topics.parked, key: `${event.topic}/${event.partition}/${event.offset}`, type: 'cn.yrd.parked.ParkedEvent', value: parkedEvent.encode(event) })),
      ]
      const heads = await lockHeads(c, partitions)
      const rows = events.map((event): OutboxRow => {
        const head = `${event.topic}/0`
        const sequence = heads.get(head)!
        heads.set(head, sequence + 1n)
        return { ...event, partition: 0, sequence, eventId: randomUUID(), subject: null, timeMs: at, traceparent: null }
      })
      appendOutbox(c, rows)
      failpoint('replicate.position-written')
    })
    failpoint('replicate.position-committed')
    options.wakeup.signal()
    notifyOutbox(db)
  }

  async function positionEvent(c: DbClient, version: number, at: number): Promise<Position[]> {
    const stored = await readPosition(c)
    return [{ region: options.region, version, at, partitions: stored.map((one) => ({ ...one, topic: bare(one.topic) })) }]
  }

  async function checkpointEvent(c: DbClient, version: number, at: number): Promise<Checkpoint[]> {
    const cut = await takeCheckpoints(c, options.region, version)
    return cut.length === 0 ? [] : [{ region: options.region, version, at, partitions: cut.map((one) => ({ ...one, topic: bare(one.topic) })) }]
  }

  async function parkedEvents(c: DbClient): Promise<ParkedEvent[]> {
    const taken = await takeParked(c)
    // More of them are taken the next time.
    if (taken.length > 0) changed()
    return taken.map((one) => ({ ...one, region: options.region, topic: bare(one.topic), key: one.key.slice(0, KEY_LENGTH) }))
  }

  function bare(topic: string): string {
    return topic.slice(options.topicPrefix.length)
  }
}
