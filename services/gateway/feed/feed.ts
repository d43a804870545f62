import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Codec } from '@hub/runtime/codec'
import { createDb, type Db } from '@hub/runtime/db'
import { Problem } from '@hub/runtime/http'
import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { fromReplica } from '../read/replica.ts'
import { createSlots } from '@hub/runtime/slots'
import { readPage, type Page } from './changes.ts'
import { cursorText, parseCursor, type Cursor } from './cursor.ts'
import { deliver, livePage, type LivePage } from './live.ts'
import { createFeedMetrics } from './metrics.ts'
import { selectionKey, type Selection } from './selection.ts'
import { ReaderGone } from '@hub/runtime/send'
import { createSharedPages } from './shared-pages.ts'
import { sendSnapshot } from './snapshot.ts'
import { readTip, type Tip } from './store.ts'
import { createTipWatch } from './tip.ts'

/** Of a page of JSON; its number of rows is asked for. */
const PAGE_BYTES = 1024 * 1024
/** Of a page of a live reader, which holds one. */
const LIVE_BOUNDS = { rows: 500, bytes: 256 * 1024 }
export const MAX_LIVE = { all: 128, perCaller: 64 } as const
export const MAX_SNAPSHOTS = { all: 3, perCaller: 2 } as const
/** Connections of the snapshots, and what the others share: publishing has a pool of its own. */
const CONNECTIONS = MAX_SNAPSHOTS.all + 3
/** Shorter than the database lets a transaction stand idle: a snapshot waits for its reader inside one. */
const STALL_MS = 20_000

export interface FeedOptions {
  readonly databaseUrl: string
  readonly codec: Codec
  readonly log: Log
  readonly metrics: Metrics
  /** Fires when the gateway stops: streams end. */
  readonly closing: AbortSignal
  /** How long a reader may leave its connection full. */
  readonly stallMs?: number
}

/** What others may read of the replica as it changes: pages, live streams and snapshots. */
export interface Feed extends AsyncDisposable {
  /** @param after a cursor, `now`, or undefined for the beginning */
  page(selection: Selection, after: string | undefined, rows: number): Promise<Page>
  /** Answers with server-sent events. Problems are thrown before the first byte. */
  live(request: FastifyRequest, reply: FastifyReply, selection: Selection, after: string | undefined): Promise<void>
  snapshot(request: FastifyRequest, reply: FastifyReply, selection: Selection, head: Record<string, unknown>): Promise<void>
}

export function createFeed({ databaseUrl, codec, log, metrics: registry, closing, stallMs = STALL_MS }: FeedOptions): Feed {
  const db: Db = createDb({ url: databaseUrl, name: 'gateway feed', max: CONNECTIONS, log, answerMs: 10_000 })
  const shared = createSharedPages()
  const watch = createTipWatch(() => readTip(db), shared.forget)
  const readers = createSlots(MAX_LIVE.all, MAX_LIVE.perCaller)
  const snapshots = createSlots(MAX_SNAPSHOTS.all, MAX_SNAPSHOTS.perCaller)
  let live = 0
  const metrics = createFeedMetrics(registry, () => live)

  async function readLive(selection: Selection, after: number): Promise<LivePage> {
    const page = await readPage(db, codec, selection, after, LIVE_BOUNDS)
    metrics.page(selection.stream, page.changes.length)
    return livePage(page)
  }

  /** After the first byte nobody can be told what went wrong but by the end of the connection. */
  function giveUp(reply: FastifyReply, error: unknown, what: 'changes' | 'snapshot'): void {
    reply.raw.destroy()
    if (!(error instanceof ReaderGone)) log.warn({ err: error, what }, 'a reader is sent away')
    else if (error.slow) {
      metrics.cut(what)
      log.info({ what, caller: reply.request.caller?.id }, 'a reader did not take what was sent and is cut')
    }
  }

  return {
    async page(selection, after, rows) {
      const asked = after === 'now' ? undefined : cursorOf(after)
      const from = after === 'now' ? (await fromReplica(readTip(db))).change : asked!.change
      const page = await fromReplica(readPage(db, codec, selection, from, { rows, bytes: PAGE_BYTES }))
      if (asked !== undefined) mustBeThere(asked, page.tip, selection)
      metrics.page(selection.stream, page.changes.length)
      metrics.delivered(selection.stream, page.changes.length)
      return page
    },
    async live(request, reply, selection, after) {
      const release = readers.take(request.caller!.id)
      if (release === undefined) throw new Problem(429, 'TOO_MANY_READERS', '同时读取变更流的连接过多 · too many live readers', `At most ${MAX_LIVE.perCaller} of one caller, ${MAX_LIVE.all} in all. Close some, or read pages of JSON.`)
      live++
      const key = selectionKey(selection)
      try {
        const tip = await fromReplica(readTip(db))
        const asked = after === 'now' ? tip : cursorOf(after)
        mustBeThere(asked, tip, selection)
        reply.hijack()
        reply.raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
        await deliver(reply.raw, { replica: tip.replica, change: asked.change }, {
          page: (from) => shared.get(`${key}|${from}`, () => readLive(selection, from)),
          watch, stallMs, closing,
          onDelivered: (count) => metrics.delivered(selection.stream, count),
        })
      } catch (error) {
        if (!reply.raw.headersSent) throw error
        giveUp(reply, error, 'changes')
      } finally {
        live--
        release()
      }
    },
    async snapshot(request, reply, selection, head) {
      const release = snapshots.take(request.caller!.id)
      if (release === undefined) throw new Problem(429, 'TOO_MANY_SNAPSHOTS', '同时下载的快照过多，请稍后重试 · too many snapshots at once: try again', `At most ${MAX_SNAPSHOTS.perCaller} of one caller, ${MAX_SNAPSHOTS.all} in all.`, { retryAfterSeconds: 10 })
      const gzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(String(request.headers['accept-encoding'] ?? ''))
      try {
        await fromReplica(readTip(db))
        const records = await sendSnapshot(reply.raw, {
          db, codec, selection, head, gzip, stallMs, closing,
          onStart() {
            reply.hijack()
            reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8', 'cache-control': 'no-store', vary: 'accept-encoding', ...(gzip && { 'content-encoding': 'gzip' }) })
          },
        })
        metrics.snapshot(selection.stream, records)
      } catch (error) {
        if (!reply.raw.headersSent) throw error
        giveUp(reply, error, 'snapshot')
      } finally {
        release()
      }
    },
    [Symbol.asyncDispose]: () => db.close(),
  }
}

/** The beginning has no replica yet. */
function cursorOf(text: string | undefined): Cursor & { readonly text: string | undefined } {
  if (text === undefined) return { replica: '', change: 0, text }
  const cursor = parseCursor(text)
  if (cursor === undefined) throw new Problem(400, 'CURSOR_INVALID', '游标不对 · the cursor is not valid', 'Use a cursor of the feed or of a snapshot as it is, "now", or none for the beginning.')
  return { ...cursor, text }
}

/** @throws Problem where not everything after this cursor can be told any more */
function mustBeThere({ replica, change }: Cursor, tip: Tip, selection: Selection): void {
  if ((replica !== '' && replica !== tip.replica) || change < tip.floor) {
    throw new Problem(410, 'CURSOR_GONE', '此后的变更已不完整，请取快照 · what came after this cursor is no longer complete: take a snapshot', 'The replica is another one, or changes so old have been forgotten. Take the snapshot and go on from the cursor in its first line.', { snapshot: snapshotLink(selection) })
  }
  if (change > tip.change) throw new Problem(400, 'CURSOR_AHEAD', '游标超出末尾 · the cursor is beyond the end', `The newest is ${cursorText(tip)}.`)
}

function snapshotLink({ stream, region, involves, role }: Selection): string {
  const query = new URLSearchParams({ ...(region && { region }), ...(involves && { involves }), ...(role && { role }) }).toString()
  return `/v1/streams/${stream}/snapshot${query === '' ? '' : `?${query}`}`
}
