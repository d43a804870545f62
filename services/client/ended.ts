import type { DataStream } from '@hub/schemas/streams'
import { queryOf, type Transport } from './transport.ts'

/** A record that was erased; the replicas follow. */
export interface Erasure {
  readonly region: string
  readonly stream: DataStream
  readonly recordId: string
  readonly version: string
  readonly eventId: string
  readonly caller: string
  readonly why: string
  readonly at: string
  /** When the log has compacted the earlier versions away, at the latest. */
  readonly logForgetsBy: string
  /** It was erased before. */
  readonly duplicate: boolean
}

/** What a record was before it ended, the newest first. */
export interface Archive {
  readonly region: string
  readonly stream: DataStream
  readonly recordId: string
  readonly versions: readonly { readonly version: string; readonly kind: string; readonly eventId: string; readonly archivedAt: string; readonly body: Readonly<Record<string, unknown>> }[]
}

export function ended(transport: Transport): {
  /** Erases a record that this region published, as its officer or operator; `why` stands in the audit and names no person. The same again is the first erasure. */
  erase(stream: DataStream, recordId: string, why: string): Promise<Erasure>
  /** Earlier versions of a record of this region that has ended, for its officers. */
  archive(stream: DataStream, recordId: string): Promise<Archive>
} {
  return {
    erase: (stream, recordId, why) =>
      transport.json<Erasure>(`/v1/streams/${encodeURIComponent(stream)}/erasures`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ recordId, why }) }),
    archive: (stream, recordId) => transport.json<Archive>(`/v1/streams/${encodeURIComponent(stream)}/archive?${queryOf({ recordId })}`),
  }
}
