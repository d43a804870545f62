import type { DataStream, Region } from '@hub/schemas/streams'
import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Body, RecordIdentity } from './answers.ts'
import { GatewayError } from './gateway-error.ts'
import { linesOf } from './lines.ts'
import { broken, pauseBefore, queryOf, type Transport } from './transport.ts'

/** One message of a change feed. Keep its cursor with what you made of it: that is where you go on. */
export type Change<S extends DataStream = DataStream> =
  /** A version that you may see, new or changed. */
  | RecordIdentity & { readonly cursor: string; readonly op: 'put'; readonly kind: string; readonly partition: number; readonly offset: string; readonly eventId: string; readonly reach?: 'action' | 'attention'; readonly body: Body<S> }
  /** A record that has ended, or that you may not see any more: delete what you hold of it. */
  | RecordIdentity & { readonly cursor: string; readonly op: 'remove' }
  /** Nothing new for you up to here. */
  | { readonly cursor: string; readonly op: 'heartbeat'; readonly at: string }

export interface Selection {
  /** Of this origin alone. */
  readonly region?: Region
  /** Inspection failures with a party in this region … */
  readonly involves?: Region
  /** … in this part. */
  readonly role?: 'producer' | 'sampled-unit' | 'nominal-producer' | 'consignor' | 'contractor' | 'platform' | 'importer'
}

export interface FeedOptions extends Selection {
  /** Cursor of the last message that was dealt with, or of a snapshot. */
  readonly after?: string
  readonly signal?: AbortSignal
}

/** Heartbeats come every 15 s: after this long the connection is given up and made anew, ms. */
const SILENCE_MS = 45_000

/**
 * The changes of a stream as they come, without an end. A connection that is lost, or that the gateway ends, is made again where it was, after a
 * pause that grows; `attempts` failures in a row without a message in between end it. @throws GatewayError; of a 410 `snapshot` is the path to begin anew with
 */
export async function* readChanges<S extends DataStream>(transport: Transport, stream: S, { after, signal, ...selection }: FeedOptions, attempts: number): AsyncGenerator<Change<S>, void> {
  let cursor = after
  let failures = 0
  for (;;) {
    try {
      const response = await transport.open(`/v1/streams/${encodeURIComponent(stream)}/changes?${queryOf({ ...selection, after: cursor })}`, { headers: { accept: 'text/event-stream' }, signal, silenceMs: SILENCE_MS })
      for await (const change of messages<S>(transport.gateway, response, signal)) {
        failures = 0
        cursor = change.cursor
        yield change
      }
      throw new GatewayError(transport.gateway, { code: 'ANSWER_BROKEN', title: '变更流结束 · the feed ended' })
    } catch (error) {
      if (!(error instanceof GatewayError) || !error.mayTryAgain || ++failures >= attempts) throw error
      await pause(pauseBefore(failures, error.retryAfter), undefined, { ...(signal && { signal }) })
    }
  }
}

/** The messages of one answer in the form of server-sent events. */
async function* messages<S extends DataStream>(gateway: string, response: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<Change<S>, void> {
  try {
    let data = ''
    for await (const line of linesOf(gateway, response)) {
      if (line.startsWith('data:')) data += line.slice(line.startsWith('data: ') ? 6 : 5)
      if (line !== '' || data === '') continue
      const message = JSON.parse(data) as { op?: string }
      yield { op: 'heartbeat', ...message } as Change<S>
      data = ''
    }
  } catch (error) {
    throw broken(gateway, error, signal)
  } finally {
    response.destroy()
  }
}
