import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { Problem } from '@hub/runtime/http'
import { ReaderGone, send } from '@hub/runtime/send'
import { createSlots } from '@hub/runtime/slots'
import { instantText } from '@hub/schemas/record-json'
import type { Viewer } from '@hub/schemas/visibility'
import { setImmediate } from 'node:timers/promises'
import { loading } from '../lookup.ts'
import type { Life } from '../life.ts'
import type { Reader } from '../reader.ts'
import type { Store } from '../store.ts'
import { cursorText, gone, parseCursor, type Vector } from './cursor.ts'
import type { Teller } from './tell.ts'
import { type Unstopped, unstopped } from './unstopped.ts'

export const MAX_READERS = { all: 128, perCaller: 16 } as const
/** How long a reader may leave its connection full. */
const STALL_MS = 20_000
/** A reader is told its place at least so often. */
const HEARTBEAT_MS = 15_000
/** A stream ends after this long and is asked for again: callers may have changed. */
const LIFE_MS = 3_600_000
const SEEN_MS = 60_000
const SLICE_CHARS = 65_536
const HOLD_MS = 6
const CLOSING = ': 本流结束，请以 Last-Event-ID 重新连接 · this stream ends: connect again with Last-Event-ID\n\n'

export interface SubscriberView extends Unstopped {
  readonly caller: string
  readonly name: string
  /** Connected to this process now. */
  readonly connected: boolean
  readonly firstSeen: Date
  readonly lastSeen: Date
  readonly acknowledgedAt: Date | null
}

export interface Changes {
  /** Answers with server-sent events: everything after a cursor, as it is now. Problems are thrown before the first byte. @param after a cursor, or undefined for what comes from now on */
  live(request: FastifyRequest, reply: FastifyReply, viewer: Viewer, name: string, after: string | undefined): Promise<void>
  /** A subscriber has stopped using what ended up to a cursor. */
  acknowledge(caller: string, name: string, cursor: string): Promise<void>
  subscribers(): Promise<SubscriberView[]>
}

export interface ChangesOptions {
  readonly reader: Reader
  readonly teller: Teller
  readonly store: Store
  readonly log: Log
  readonly metrics: Metrics
  /** Fires when the service stops: streams end. */
  readonly closing: AbortSignal
  readonly stallMs?: number
}

export function createChanges({ reader, teller, store, log, metrics, closing, stallMs = STALL_MS }: ChangesOptions): Changes {
  const slots = createSlots(MAX_READERS.all, MAX_READERS.perCaller)
  /** Open streams by subscriber. */
  const open = new Map<string, number>()
  metrics.gauge('hub_lookup_change_readers', 'Live readers of the changes of the credit lookup', [], (gauge) => gauge.set([...open.values()].reduce((sum, count) => sum + count, 0)))
  const sent = metrics.counter('hub_lookup_changes_sent_total', 'Changes sent to readers of the credit lookup', [])
  const cut = metrics.counter('hub_lookup_change_readers_cut_total', 'Readers of its changes cut because they did not take what was sent', [])

  function loadedLife(): Life {
    if (reader.life?.loaded === true) return reader.life
    throw loading()
  }

  function vectorOf(life: Life, cursor: string): number[] {
    return parseCursor(cursor, life.logs, life.partitions.length)
  }

  return {
    async live(request, reply, viewer, name, after) {
      const caller = request.caller!.id
      const release = slots.take(caller)
      if (release === undefined) throw new Problem(429, 'TOO_MANY_READERS', '同时读取变更流的连接过多 · too many live readers', `At most ${MAX_READERS.perCaller} of one caller, ${MAX_READERS.all} in all. Close some.`)
      const key = `${caller} ${name}`
      open.set(key, (open.get(key) ?? 0) + 1)
      try {
        const life = loadedLife()
        const from = after === undefined ? nextOf(life) : vectorOf(life, after)
        if (!isWhole(life, from)) throw gone('Older changes are not remembered.')
        const begin = cursorText(life.logs, from)
        await noteSeen(caller, name, begin)
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
        await deliver(reply, life, from, viewer, () => void noteSeen(caller, name, begin).catch(() => {}))
      } catch (error) {
        if (!reply.raw.headersSent) throw error
        reply.raw.destroy()
        if (!(error instanceof ReaderGone)) {
          reader.failed(error)
          log.warn({ err: error }, 'a reader of changes is sent away')
        } else if (error.slow) {
          cut.inc()
          log.info({ caller, name }, 'a reader did not take what was sent and is cut')
        }
      } finally {
        release()
        const left = open.get(key)! - 1
        if (left === 0) open.delete(key)
        else open.set(key, left)
      }
    },
    async acknowledge(caller, name, cursor) {
      const life = loadedLife()
      const vector = vectorOf(life, cursor)
      if (vector.some((next, place) => next > life.partitions[place]!.next)) throw new Problem(400, 'CURSOR_AHEAD', '游标超出末尾 · the cursor is beyond the end', 'Acknowledge what the stream has told you.')
      await store.acknowledge(caller, name, (before) => cursorText(life.logs, later(life, before, vector)))
    },
    async subscribers() {
      const life = loadedLife()
      return (await store.subscribers()).map(({ caller, name, since, seenAt, acknowledged, acknowledgedAt }) => ({
        caller, name, connected: open.has(`${caller} ${name}`), firstSeen: since, lastSeen: seenAt, acknowledgedAt,
        ...waiting(life, acknowledged, (acknowledgedAt ?? since).getTime()),
      }))
    },
  }

  /** Who follows is known to the region's database; while that does not answer the stream goes on. */
  async function noteSeen(caller: string, name: string, cursor: string): Promise<void> {
    try {
      await store.seen(caller, name, cursor)
    } catch (error) {
      if (error instanceof Problem) throw error
      log.warn({ err: error, caller, name }, 'a subscriber could not be noted')
    }
  }

  function waiting(life: Life, acknowledged: string, at: number): Unstopped {
    try {
      return unstopped(life.changes, vectorOf(life, acknowledged), at)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return { records: 0, since: undefined, complete: false }
    }
  }

  function later(life: Life, before: string, vector: Vector): Vector {
    try {
      const old = vectorOf(life, before)
      return vector.map((next, place) => Math.max(next, old[place]!))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return vector
    }
  }

  /** @param vector moves with what was told */
  async function deliver(reply: FastifyReply, life: Life, vector: number[], viewer: Viewer, onAlive: () => void): Promise<void> {
    const to = reply.raw
    const left = new AbortController()
    to.once('close', () => left.abort())
    const ended = AbortSignal.any([left.signal, closing, AbortSignal.timeout(LIFE_MS)])
    const { changes: ring } = life
    let number = ring.first
    let spokeAt = -Infinity
    let aliveAt = performance.now()
    await send(to, 'retry: 2000\n\n', stallMs)
    while (!ended.aborted && reader.life === life && isWhole(life, vector)) {
      const began = performance.now()
      let text = ''
      let count = 0
      number = Math.max(number, ring.first)
      while (number < ring.end && text.length < SLICE_CHARS && performance.now() - began < HOLD_MS) {
        const change = ring.at(number)
        const { place, offset, late } = change
        if (late || offset >= vector[place]!) {
          const told = teller.tell(life, number, change, viewer)
          if (told instanceof Promise) {
            await told
            break
          }
          if (!late) vector[place] = offset + 1
          if (told !== undefined) {
            text += `id: ${cursorText(life.logs, vector)}\n${told}`
            count++
          }
        }
        number++
      }
      const upToDate = number >= ring.end
      // Whatever was read beyond its last change changed nothing.
      if (upToDate) for (const [place, { next }] of life.partitions.entries()) vector[place] = Math.max(vector[place]!, next)
      const now = performance.now()
      if (text === '' && upToDate && now - spokeAt >= HEARTBEAT_MS) text = heartbeat(cursorText(life.logs, vector))
      if (text !== '') {
        await send(to, text, stallMs)
        sent.inc(count)
        spokeAt = now
      }
      if (now - aliveAt >= SEEN_MS) {
        aliveAt = now
        onAlive()
      }
      if (upToDate) await ring.moved(number, Math.max(1, HEARTBEAT_MS - (performance.now() - spokeAt)), ended)
      else await setImmediate()
    }
    if (left.signal.aborted) throw new ReaderGone(false)
    to.end(CLOSING)
  }
}

function heartbeat(cursor: string): string {
  return `id: ${cursor}\nevent: heartbeat\ndata: ${JSON.stringify({ cursor, at: instantText(Date.now()) })}\n\n`
}

function nextOf(life: Life): number[] {
  return life.partitions.map(({ next }) => next)
}

/** Whether everything after these places is remembered. */
function isWhole({ changes }: Life, vector: Vector): boolean {
  return changes.from.every((from, place) => from <= vector[place]!)
}
