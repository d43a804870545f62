import { HubError } from '@hub/runtime/errors'
import type { Kafka } from '@hub/runtime/kafka'
import { pause } from '@hub/runtime/pause'
import { randomUUID } from 'node:crypto'
import { keyOf, type OwnPartition } from './partition.ts'

/** How long the log may say nothing before the reading is given up. */
const SILENCE_MS = 15_000

/** A sequence on the log that this database has not given: it is an earlier state of itself, from a backup. */
export interface Ahead {
  readonly topic: string
  readonly partition: number
  readonly sequence: bigint
  /** The sequence that the database would give next. */
  readonly next: bigint
}

/**
 * Looks behind the last offset that each of these partitions is known to have used: what a relay sent and did not note is below the head, and what is not came
 * from a later state of this database. Reads a few events as a rule, and none after an end in order.
 * @param heads next sequence by `topic/partition`
 * @throws HubError (retriable) while the broker does not answer
 */
export async function findAhead(kafka: Kafka, groupPrefix: string, partitions: readonly OwnPartition[], heads: ReadonlyMap<string, bigint>): Promise<Ahead[]> {
  const unread = await unreadOf(kafka, partitions)
  const ahead: Ahead[] = []
  if (unread.size === 0) return ahead
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  done.catch(() => {}) // awaited below, unless the subscription fails first
  await using subscription = await kafka.subscribe({
    groupId: `${groupPrefix}.relay-ahead-${randomUUID()}`,
    topics: [...new Set([...unread.values()].map(({ topic }) => topic))],
    load: (assigned) => Promise.resolve(assigned.flatMap((one) => {
      const place = unread.get(keyOf(one))
      return place === undefined ? [] : [{ ...one, offset: place.next }]
    })),
    onBatch({ topic, partition, messages }) {
      const key = keyOf({ topic, partition })
      const place = unread.get(key)
      if (place === undefined) return
      const next = heads.get(key)!
      for (const { offset, headers } of messages) {
        place.next = offset + 1n
        const sequence = /^\d{1,18}$/.exec(headers['sequence']?.toString() ?? '')?.[0]
        if (sequence === undefined || BigInt(sequence) < next) continue
        ahead.push({ topic, partition, sequence: BigInt(sequence), next })
        place.next = place.end
        break
      }
      if (place.next < place.end) return
      unread.delete(key)
      subscription.pause([{ topic, partition }])
      if (unread.size === 0) resolve()
    },
    onLogChanged: ({ topic, partition }) => reject(new HubError('LOG_CHANGED', `${topic}/${partition} changed while it was read`, { retriable: true })),
    onFatal: reject,
  })
  const stop = new AbortController()
  try {
    await Promise.race([done, pause(SILENCE_MS, stop.signal).then(() => {
      throw new HubError('LOG_SILENT', `the ends of ${[...unread.keys()].join(', ')} could not be read within ${SILENCE_MS} ms`, { retriable: true })
    })])
  } finally {
    stop.abort()
  }
  return ahead
}

/** What lies behind the last known offset of each partition, if anything does. The first offset is the genesis. */
async function unreadOf(kafka: Kafka, partitions: readonly OwnPartition[]): Promise<Map<string, { topic: string; next: bigint; readonly end: bigint }>> {
  await using admin = await kafka.admin()
  const unread = new Map<string, { topic: string; next: bigint; end: bigint }>()
  for (const [topic, own] of Map.groupBy(partitions, ({ topic }) => topic)) {
    const ends = new Map((await admin.offsets(topic)).map((one) => [one.partition, one]))
    for (const { partition, lastOffset } of own) {
      const { low, high } = ends.get(partition)!
      const next = [lastOffset + 1n, low, 1n].reduce((a, b) => (a > b ? a : b))
      if (high > next) unread.set(keyOf({ topic, partition }), { topic, next, end: high })
    }
  }
  return unread
}
