import { randomUUID } from 'node:crypto'
import { pause } from '../pause.ts'
import type { Kafka } from './client.ts'
import type { Batch, Message, Subscription } from './consumer.ts'

/** How long the log may say nothing before reading is given up. */
const SILENCE_MS = 30_000
/** What lies further apart is sought instead of read through. */
const SEEK_OVER = 1_000

/**
 * Reads single events of one partition at their places, in order, with a consumer of its own.
 * @param offsets ascending
 * @param take gets each of them; undefined where the log has none there any more
 * @throws when the log says nothing for half a minute (retriable), or `take` does
 */
export async function readEvents(
  kafka: Kafka, groupPrefix: string, { topic, partition }: { readonly topic: string; readonly partition: number }, offsets: readonly number[],
  take: (offset: number, message: Message | undefined) => Promise<void>, signal: AbortSignal,
): Promise<void> {
  await using admin = await kafka.admin()
  const ends = (await admin.offsets(topic)).find((one) => one.partition === partition)
  const waiting = [...offsets]
  while (waiting.length > 0 && waiting[0]! < Number(ends?.low ?? Infinity)) await take(waiting.shift()!, undefined)
  const above = waiting.findIndex((offset) => offset >= Number(ends?.high ?? 0))
  const beyond = above === -1 ? [] : waiting.splice(above)
  if (waiting.length > 0) await readAt()
  for (const offset of beyond) await take(offset, undefined)

  async function readAt(): Promise<void> {
    const { promise: done, resolve, reject } = Promise.withResolvers<void>()
    done.catch(() => {}) // awaited below, unless the subscription fails first
    const stop = new AbortController()
    const ended = AbortSignal.any([signal, stop.signal])
    let heardAt = performance.now()
    let open: Subscription | undefined
    await using subscription = await kafka.subscribe({
      groupId: `${groupPrefix}.redrive.${randomUUID()}`,
      topics: [topic],
      load: (partitions) => Promise.resolve(partitions.filter((one) => one.partition === partition).map((one) => ({ ...one, offset: BigInt(waiting[0] ?? 0) }))),
      onBatch: (batch) => onBatch(batch).catch(reject),
      onLogChanged: (_, { low }) => reject(new Error(`the log of ${topic}/${partition} begins at ${low} now`)),
      onFatal: reject,
    })
    open = subscription
    try {
      await Promise.race([done, silence()])
    } finally {
      stop.abort()
    }
    signal.throwIfAborted()

    async function onBatch({ messages }: Batch): Promise<void> {
      for (const message of messages) {
        const offset = Number(message.offset)
        while (!ended.aborted && waiting.length > 0 && waiting[0]! <= offset) await take(waiting[0]!, waiting.shift() === offset ? message : undefined)
        if (ended.aborted || waiting.length === 0) break
      }
      heardAt = performance.now()
      if (waiting.length === 0) return resolve()
      const last = messages.at(-1)
      if (last !== undefined && waiting[0]! > Number(last.offset) + SEEK_OVER) open?.resumeAt([{ topic, partition, offset: BigInt(waiting[0]!) }])
    }

    async function silence(): Promise<void> {
      while (!ended.aborted) {
        const left = SILENCE_MS - (performance.now() - heardAt)
        if (left <= 0) throw new Error(`the log of ${topic}/${partition} said nothing for ${SILENCE_MS} ms`)
        await pause(left, ended)
      }
    }
  }
}
