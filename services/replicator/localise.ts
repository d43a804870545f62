import type { Codec } from '@hub/runtime/codec'
import type { Db } from '@hub/runtime/db'
import type { Batch, Kafka } from '@hub/runtime/kafka'
import { pause } from '@hub/runtime/pause'
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { decideShare, type OpenParked } from './apply.ts'
import type { Place } from './check-row.ts'
import { classify } from './classify.ts'
import type { Item } from '@hub/schemas/log-item'
import { parkedHash } from '@hub/schemas/park'
import { makeReplayed, type Pair, readParkedOffsets, readReplayed, writeReplayed } from './store/replay.ts'

const NO_PARKED: ReadonlyMap<string, OpenParked> = new Map()
/** Events classified before others get their turn. */
const SLICE = 250
/** How long the log may say nothing before a replay is given up. */
const SILENCE_MS = 30_000

export interface Replaying {
  readonly db: Db
  readonly kafka: Kafka
  readonly codec: Codec
  readonly groupPrefix: string
}

/**
 * Replays one partition of the log, from its first event up to and without `until`, into the `replayed` table of `db`, which must be one connection: by the
 * applier's own classification and record rule, with a consumer of its own.
 * @returns the offset below which the log lacks versions that compaction took. Throws when the log says nothing for half a minute.
 */
export async function replay({ db, kafka, codec, groupPrefix }: Replaying, place: Place, until: number, signal: AbortSignal): Promise<number> {
  await makeReplayed(db)
  const stillParked = await readParkedOffsets(db, place)
  await using admin = await kafka.admin()
  const ends = (await admin.offsets(place.topic)).find(({ partition }) => partition === place.partition)
  if (ends === undefined || Number(ends.high) < until) throw new Error(`the log of ${place.topic}/${place.partition} ends before ${until}`)
  let next = Number(ends.low)
  let completeFrom = next > 0 ? next : 0
  if (next >= until) return completeFrom
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  done.catch(() => {}) // awaited below, unless the subscription fails first
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal])
  let heardAt = performance.now()
  await using _subscription = await kafka.subscribe({
    groupId: `${groupPrefix}.replay.${randomUUID()}`,
    topics: [place.topic],
    load: (partitions) => Promise.resolve(partitions.filter(({ partition }) => partition === place.partition).map((one) => ({ ...one, offset: BigInt(next) }))),
    onBatch: (batch) => take(batch).catch(reject),
    onLogChanged: (_, { low }) => reject(new Error(`offset ${next} of ${place.topic}/${place.partition} is gone, the log begins at ${low}`)),
    onFatal: reject,
  })
  try {
    await Promise.race([done, silence()])
  } finally {
    stop.abort()
  }
  signal.throwIfAborted()
  await db.query('ANALYZE replayed')
  return completeFrom

  async function take(batch: Batch): Promise<void> {
    const items: Item[] = []
    let reached = false
    for (const [i, message] of batch.messages.entries()) {
      if (ended.aborted) return
      const offset = Number(message.offset)
      if (offset < next) continue
      reached = offset >= until
      if (reached) break
      let item = classify(codec, { ...place, technical: false }, message, Number(batch.highWatermark))
      if (item instanceof Promise) {
        await item
        item = classify(codec, { ...place, technical: false }, message, Number(batch.highWatermark))
      }
      if (item instanceof Promise) throw new Error(`the schema of offset ${offset} is not known now`)
      if (item.what === 'record' && stillParked.has(offset)) {
        const { sequence, logEnd, size, key } = item
        item = { what: 'parked', offset, sequence, logEnd, size, key, reason: 'parked', subject: undefined, hash: parkedHash(offset, message.value) }
      }
      items.push(item)
      reached = offset === until - 1
      if (i % SLICE === SLICE - 1) await setImmediate()
    }
    if (items.length > 0) {
      const current = await readReplayed(db, [...new Set(items.flatMap((item) => (item.what === 'record' ? [item.key] : [])))])
      const decision = decideShare({ own: false, next, items, current, openParked: NO_PARKED })
      await writeReplayed(db, decision.puts, items.flatMap((item) => (item.what === 'parked' ? [item.key] : [])))
      completeFrom = Math.max(completeFrom, decision.completeFrom ?? 0)
      next = decision.next
    }
    heardAt = performance.now()
    if (reached) resolve()
  }

  async function silence(): Promise<void> {
    while (!ended.aborted) {
      const left = SILENCE_MS - (performance.now() - heardAt)
      if (left <= 0) throw new Error(`the log of ${place.topic}/${place.partition} said nothing for ${SILENCE_MS} ms at offset ${next}`)
      await pause(left, ended)
    }
  }
}

export type Judgement = 'same' | 'newer' | 'missing' | 'surplus' | 'changed' | 'unverifiable'

/**
 * What a row is beside what a replay made of its key. The replay covers offsets below `from`, the rows those below `next`; below `completeFrom` the log lacks
 * what compaction took: of each key it has the last event, which need not be the one that stands.
 */
export function judgePair({ log, here }: Pick<Pair, 'log' | 'here'>, { from, next, completeFrom }: { from: number; next: number; completeFrom: number }): Judgement {
  if (here === undefined) return log === undefined || log.version === null ? 'same' : 'missing'
  if (here.offset >= from && here.offset < next) return 'newer'
  if (log === undefined) return 'surplus'
  const whole = here.hash.equals(here.bodyHash)
  const mayBeGone = whole && here.offset < completeFrom && here.offset !== log.offset
  if (log.version === null) return mayBeGone ? 'unverifiable' : 'surplus'
  const alike = whole && here.version === log.version && here.hash.equals(log.hash!) && here.ended === log.ended
  if (alike) return here.offset === log.offset || (here.offset < completeFrom && here.offset < log.offset!) ? 'same' : 'changed'
  return mayBeGone && here.version >= log.version ? 'unverifiable' : 'changed'
}
