import { setTimeout as sleep } from 'node:timers/promises'
import { createKafka, type ProduceBatch } from '@hub/runtime/kafka'
import { createDb } from '@hub/runtime/db'
import { createLog } from '@hub/runtime/log'
import { serveChild } from '../child.ts'
import { openReader } from './sse.ts'

export interface FeedLiveSettings {
  url: string
  key: string
  readers: number
  /** Log and user to write with. */
  brokers: string[]
  username: string
  password: string
  topic: string
  /** Messages by partition, in the order of their time. */
  messages: { partition: number, message: ProduceBatch['messages'][number] }[]
  perSecond: number
  warmUpSeconds: number
  databaseUrl: string
}

export interface FeedLiveResult {
  /** Milliseconds from the begin of the transaction that applied a change to its arrival, for each change and reader; warm-up left out, ascending. */
  milliseconds: number[]
  /** Changes that all readers have, each in order. */
  changes: number
  inOrder: boolean
}

const EVERY_MS = 10
const SEEN_WITHIN_MS = 15_000

/** Writes events to the log at a steady pace and reads them in many live feeds; when they were applied is asked of the replica afterwards. One machine, one clock. */
serveChild(async (settings: FeedLiveSettings) => {
  const { messages, perSecond, readers, topic } = settings
  const log = createLog({ service: 'bench', level: 'silent' })
  const { brokers, username, password } = settings
  const kafka = createKafka({ brokers, clientId: 'bench-feed', ...(username !== '' && { username, password }) }, log)
  const producer = kafka.producer()
  const seen = Array.from({ length: readers }, () => ({ changes: [] as number[], at: [] as number[] }))
  const sockets = await Promise.all(seen.map(({ changes, at }) => openReader(new URL('/v1/streams/complaint/changes?after=now', settings.url), settings.key, (change) => {
    changes.push(change)
    at.push(performance.timeOrigin + performance.now())
  })))
  const began = performance.now()
  for (let next = 0; next < messages.length;) {
    const due = Math.min(messages.length, Math.ceil((performance.now() - began) * perSecond / 1000))
    const batches = Map.groupBy(messages.slice(next, due), ({ partition }) => partition)
    next = due
    if (batches.size > 0) await producer.send([...batches].map(([partition, part]) => ({ topic, partition, messages: part.map(({ message }) => message) })))
    await sleep(EVERY_MS)
  }
  const deadline = performance.now() + SEEN_WITHIN_MS
  while (seen.some(({ changes }) => changes.length < messages.length) && performance.now() < deadline) await sleep(20)
  for (const socket of sockets) socket.destroy()
  await producer.close()
  await using db = createDb({ url: settings.databaseUrl, name: 'bench', max: 1, log })
  const { rows } = await db.query<{ change: bigint, at: number }>('SELECT change_no AS change, extract(epoch FROM applied_at)::float8 * 1000 AS at FROM complaint')
  const applied = new Map(rows.map(({ change, at }) => [Number(change), at]))
  const skipped = perSecond * settings.warmUpSeconds
  const milliseconds = seen.flatMap(({ changes, at }) => changes.slice(skipped).map((change, n) => at[skipped + n]! - applied.get(change)!)).sort((a, b) => a - b)
  return {
    milliseconds,
    changes: Math.min(...seen.map(({ changes }) => changes.length)),
    inOrder: seen.every(({ changes }) => changes.every((change, n) => n === 0 || change > changes[n - 1]!)),
  } satisfies FeedLiveResult
})
