import type { Codec } from '@hub/runtime/codec'
import { appendOutbox, lockHeads, type Db, type Lease } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import type { Wakeup } from '@hub/runtime/wakeup'
import type { RelayMetrics } from './metrics.ts'
import { keyOf, type OwnPartition } from './partition.ts'
import { nextHeartbeat } from './store.ts'

export const HEARTBEAT = 'cn.yrd.control.Heartbeat'
const EVERY_MS = 2_000

export interface HeartbeatOptions {
  readonly db: Db
  readonly codec: Codec
  readonly lease: Lease
  /** The partitions that heartbeats go to now: those of the data streams that move. */
  partitions(): readonly OwnPartition[]
  readonly wakeup: Wakeup
  readonly metrics: RelayMetrics
  readonly log: Log
}

/**
 * Every two seconds writes one heartbeat with one number to all partitions, once the one before is on the log everywhere: a heartbeat on the log
 * says that everything committed before it is there too. A partition that stands still gets none and holds the others' back no longer.
 */
export async function beat(options: HeartbeatOptions, signal: AbortSignal): Promise<void> {
  let outstanding = new Map<OwnPartition, bigint>()
  while (!signal.aborted) {
    const moving = new Set(options.partitions())
    const produced = [...outstanding].every(([partition, sequence]) => partition.acked >= sequence || !moving.has(partition))
    if (produced && moving.size > 0) {
      try {
        const written = await tick(options, [...moving])
        if (written === undefined) return
        failpoint('relay.heartbeat-written')
        outstanding = written
        options.metrics.heartbeats.inc()
        options.wakeup.signal()
      } catch (error) {
        // Without heartbeats every reader sees this region grow old; events go on, and the next tick tries again.
        options.log.warn({ err: error }, 'no heartbeat this time')
      }
    }
    await pause(EVERY_MS, signal)
  }
}

/** Undefined when the lease has passed on; else the sequences to see on the log before the next tick. */
async function tick({ db, codec, lease }: HeartbeatOptions, partitions: readonly OwnPartition[]): Promise<Map<OwnPartition, bigint> | undefined> {
  const { encode } = await codec.writer(HEARTBEAT)
  return await db.tx(async (client) => {
    await client.query(`SELECT set_config('lock_timeout', '2s', true)`)
    const heads = await lockHeads(client, partitions)
    const next = await nextHeartbeat(client, lease)
    if (next === undefined) return undefined
    const value = encode({ number: Number(next.number), committedAt: next.at })
    const rows = partitions.map((partition) => ({ partition, sequence: heads.get(keyOf(partition))! }))
    appendOutbox(client, rows.map(({ partition: { topic, partition }, sequence }) =>
      ({ topic, partition, sequence, key: 'heartbeat', value, type: HEARTBEAT, eventId: null, subject: null, timeMs: next.at, traceparent: null })))
    return new Map(rows.map(({ partition, sequence }) => [partition, sequence]))
  })
}
