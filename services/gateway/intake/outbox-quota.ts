import type { Db } from '@hub/runtime/db'
import type { Dependency } from '@hub/runtime/http'
import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { pause } from '@hub/runtime/pause'

const LOOK_MS = 2_000
/** Bytes beside key and value that one event takes in the outbox and its index, about. */
const ROW_BYTES = 300

/** How much waits in the outbox for the broker, against what it may. */
export interface OutboxQuota extends AsyncDisposable {
  readonly full: boolean
  health(): Dependency
}

/**
 * Looks every two seconds how many bytes wait in the outbox, so it may be passed by what two seconds bring. The size of the file would not do: it does not shrink when
 * what waited has been sent, and the room in it is used again.
 */
export function keepQuota(db: Db, maxBytes: number, log: Log, metrics: Metrics): OutboxQuota {
  let bytes = 0
  const full = (): boolean => bytes >= maxBytes
  metrics.gauge('hub_gateway_outbox_bytes', 'Bytes that wait in the outbox, estimated from the number of events and the size of some', [], (gauge) => gauge.set(bytes))
  metrics.gauge('hub_gateway_outbox_max_bytes', 'Bytes that may wait in the outbox before new events are refused', [], (gauge) => gauge.set(maxBytes))
  const stop = new AbortController()
  const looking = look()
  return {
    get full() {
      return full()
    },
    health: () => (full()
      ? { name: 'outbox', ok: false, required: false, detail: `待发送事件已达上限 ${maxBytes} 字节，暂不接受新事件；请恢复消息服务器或调高 HUB_OUTBOX_MAX_BYTES · the outbox is full (${maxBytes} bytes) and new events are refused: bring the broker back, or raise HUB_OUTBOX_MAX_BYTES` }
      : { name: 'outbox', ok: true, required: false }),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
    },
  }

  async function look(): Promise<void> {
    for (; !stop.signal.aborted; await pause(LOOK_MS, stop.signal)) {
      const before = full()
      try {
        bytes = await readWaitingBytes(db)
      } catch (error) {
        // What was known last holds.
        log.warn({ err: error }, 'how much waits in the outbox could not be read')
        continue
      }
      if (full() && !before) log.error({ bytes, maxBytes }, 'outbox is full, new events are refused')
      if (before && !full()) log.info({ bytes, maxBytes }, 'outbox has room again')
    }
  }
}

/**
 * Bytes that wait in the outbox, estimated: the exact number of events of each partition, times the mean size of its oldest and newest few. Cheap however
 * many wait. Without a relay's position nothing has been sent.
 */
async function readWaitingBytes(db: Db): Promise<number> {
  const { rows } = await db.query<{ bytes: number }>({
    text: `SELECT coalesce(sum(w.waiting * (sample.bytes + ${ROW_BYTES})), 0)::float8 AS bytes
             FROM (SELECT h.topic, h.partition, h.next_sequence, coalesce(p.last_sequence, -1) AS sent, h.next_sequence - 1 - coalesce(p.last_sequence, -1) AS waiting
                     FROM outbox_head h LEFT JOIN relay_position p USING (topic, partition)) w
            CROSS JOIN LATERAL (
              SELECT avg(octet_length(few.value) + octet_length(few.key)) AS bytes FROM (
                (SELECT value, key FROM outbox WHERE topic = w.topic AND partition = w.partition AND sequence > w.sent ORDER BY sequence LIMIT 20)
                UNION ALL
                (SELECT value, key FROM outbox WHERE topic = w.topic AND partition = w.partition AND sequence > w.sent ORDER BY sequence DESC LIMIT 20)) few) sample
            WHERE w.waiting > 0`,
  })
  return rows[0]!.bytes
}
