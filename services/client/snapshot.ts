import type { DataStream } from '@hub/schemas/streams'
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Body, RecordIdentity } from './answers.ts'
import type { Selection } from './feed.ts'
import { GatewayError } from './gateway-error.ts'
import { linesOf } from './lines.ts'
import { broken, queryOf, type Transport } from './transport.ts'

export interface SnapshotRecord<S extends DataStream = DataStream> extends RecordIdentity {
  readonly kind: string
  readonly partition: number
  readonly offset: string
  readonly eventId: string
  readonly reach?: 'action' | 'attention'
  readonly body: Body<S>
}

/** Every current record that the caller may see, of one moment. One reader, once; the last record has been read only when it was whole. */
export interface Snapshot<S extends DataStream = DataStream> extends AsyncIterable<SnapshotRecord<S>> {
  /** Where the change feed goes on from. */
  readonly cursor: string
  readonly replica: string
  /** The moment. */
  readonly at: string
}

type Line<S extends DataStream> = SnapshotRecord<S> & { readonly head?: { cursor: string; replica: string; at: string }; readonly summary?: { records: number; sha256: string } }

/** @throws GatewayError, also while it is read when it breaks off, or its lines are not those that the gateway counted and hashed */
export async function openSnapshot<S extends DataStream>(transport: Transport, stream: S, { signal, ...selection }: Selection & { readonly signal?: AbortSignal }): Promise<Snapshot<S>> {
  const { gateway } = transport
  const response = await transport.open(`/v1/streams/${encodeURIComponent(stream)}/snapshot?${queryOf({ ...selection })}`, { headers: { accept: 'application/x-ndjson', 'accept-encoding': 'gzip' }, signal })
  const lines = linesOf(gateway, response.headers['content-encoding'] === 'gzip' ? gunzip(response) : response)
  const incomplete = (): GatewayError => new GatewayError(gateway, { code: 'ANSWER_BROKEN', title: '快照不完整 · the snapshot is not whole', detail: 'Throw away what was read of it and ask again.' })
  const first = await lines.next().catch((error: unknown) => { throw broken(gateway, error, signal) })
  const { head } = (first.done ? {} : JSON.parse(first.value)) as Partial<Line<S>>
  if (head === undefined) throw incomplete()

  async function* records(): AsyncGenerator<SnapshotRecord<S>, void> {
    const digest = createHash('sha256')
    let count = 0
    try {
      for await (const line of lines) {
        const record = JSON.parse(line) as Line<S>
        if (record.summary !== undefined) {
          if (record.summary.records !== count || record.summary.sha256 !== digest.digest('hex')) throw incomplete()
          return
        }
        digest.update(line).update('\n')
        count++
        yield record
      }
      throw incomplete()
    } catch (error) {
      throw broken(gateway, error, signal)
    } finally {
      response.destroy()
    }
  }
  return { cursor: head.cursor, replica: head.replica, at: head.at, [Symbol.asyncIterator]: records }
}

function gunzip(response: Readable): Readable {
  const plain = createGunzip()
  response.once('error', (error) => plain.destroy(error)).once('close', () => { if (!response.readableEnded) plain.destroy(new Error('the connection was closed')) }).pipe(plain)
  return plain
}
