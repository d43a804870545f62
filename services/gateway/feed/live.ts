import type { ServerResponse } from 'node:http'
import { cursorText, type Cursor } from './cursor.ts'
import type { Page } from './changes.ts'
import { ReaderGone, send } from '@hub/runtime/send'
import type { TipWatch } from './tip.ts'

/** A reader is told its place at least so often. */
const HEARTBEAT_MS = 15_000
/** A stream ends after this long and is asked for again: callers may have changed. */
const LIFE_MS = 3_600_000
const CLOSING = ': 本流结束，请以 Last-Event-ID 重新连接 · this stream ends: connect again with Last-Event-ID\n\n'

/** A page as its readers are sent it, one text for all of them. */
export interface LivePage extends Pick<Page, 'next' | 'upToDate' | 'tip'> {
  readonly count: number
  readonly bytes: Buffer
}

export interface LiveOptions {
  readonly page: (after: number) => Promise<LivePage>
  readonly watch: TipWatch
  /** How long a reader may leave its connection full. */
  readonly stallMs: number
  readonly onDelivered: (count: number) => void
  /** Fires when the gateway stops. */
  readonly closing: AbortSignal
}

/** The server-sent events of a page, each with its cursor as id. */
export function livePage({ changes, next, upToDate, tip }: Page): LivePage {
  return { next, upToDate, tip, count: changes.length, bytes: Buffer.from(changes.map(({ cursor, op, json }) => `id: ${cursor}\nevent: ${op}\ndata: ${json}\n\n`).join('')) }
}

/**
 * Sends everything after `from` as it comes, until the reader leaves, the gateway stops or another replica stands here. One page at a time: the next is
 * read when the socket has taken this one. @throws ReaderGone, or what the read of a page throws
 */
export async function deliver(to: ServerResponse, from: Cursor, { page, watch, stallMs, onDelivered, closing }: LiveOptions): Promise<void> {
  const gone = new AbortController()
  to.once('close', () => gone.abort())
  const ended = AbortSignal.any([gone.signal, closing, AbortSignal.timeout(LIFE_MS)])
  let after = from.change
  let spokeAt = 0
  const say = async (bytes: Buffer | string): Promise<void> => {
    await send(to, bytes, stallMs)
    spokeAt = performance.now()
  }
  const beat = (): Promise<void> => say(heartbeat({ replica: from.replica, change: after }))

  await say('retry: 2000\n\n')
  await beat()
  while (!ended.aborted) {
    const { next, upToDate, tip, count, bytes } = await page(after)
    // Asked for again, this place is answered 410.
    if (tip.replica !== from.replica || after < tip.floor) break
    after = next
    if (count > 0) {
      await say(bytes)
      onDelivered(count)
    } else if (performance.now() - spokeAt >= HEARTBEAT_MS) {
      await beat()
    }
    if (!upToDate) continue
    await watch.moved(tip, HEARTBEAT_MS - (performance.now() - spokeAt), ended)
    if (!ended.aborted && performance.now() - spokeAt >= HEARTBEAT_MS) await beat()
  }
  if (gone.signal.aborted) throw new ReaderGone(false)
  to.end(CLOSING)
}

function heartbeat(cursor: Cursor): string {
  const text = cursorText(cursor)
  return `id: ${text}\nevent: heartbeat\ndata: ${JSON.stringify({ cursor: text, at: new Date().toISOString() })}\n\n`
}
