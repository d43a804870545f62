import type { DataStream } from '@hub/schemas/streams'
import type { PastVerdict, RecordsRead, RecordVersion, StreamState } from './answers.ts'
import { readChanges, type Change, type FeedOptions, type Selection } from './feed.ts'
import { openSnapshot, type Snapshot } from './snapshot.ts'
import { queryOf, type Transport } from './transport.ts'

/** Filters of a list or of past verdicts by their names in the OpenAPI document; those that are undefined are left out. */
export type Filters = Readonly<Record<string, string | number | boolean | undefined>>

export function reading(transport: Transport, attempts: number): {
  /** The current version of a record (or the one at a time or position) in each region that has one of this id: normally one. */
  records<S extends DataStream>(stream: S, recordId: string, options?: { readonly asOf?: string }): Promise<RecordsRead<S>>
  /** All current versions that agree with the filters, page after page. */
  list<S extends DataStream>(stream: S, filters?: Filters): AsyncGenerator<RecordVersion<S>, void>
  /** The changes of a stream as they come, without an end; see `readChanges`. */
  changes<S extends DataStream>(stream: S, options?: FeedOptions): AsyncGenerator<Change<S>, void>
  /** Everything that is current now, and the cursor to go on from. */
  snapshot<S extends DataStream>(stream: S, options?: Selection & { readonly signal?: AbortSignal }): Promise<Snapshot<S>>
  /** What became of what was sent, the newest first, page after page. */
  verdicts(filters?: Filters): AsyncGenerator<PastVerdict, void>
  /** The streams with their contracts, counts, positions and freshness. */
  streams(): Promise<StreamState>
} {
  async function* pages<P extends { readonly next?: string | null }, T>(path: string, filters: Filters, items: (page: P) => readonly T[]): AsyncGenerator<T, void> {
    let after: string | undefined
    do {
      const page: P = await transport.json<P>(`${path}?${queryOf({ ...filters, after })}`)
      yield* items(page)
      after = page.next ?? undefined
    } while (after !== undefined)
  }
  const streamPath = (stream: DataStream, what: string): string => `/v1/streams/${encodeURIComponent(stream)}/${what}`
  return {
    records: (stream, recordId, { asOf } = {}) => transport.json(`${streamPath(stream, 'records')}?${queryOf({ recordId, asOf })}`),
    list: <S extends DataStream>(stream: S, filters: Filters = {}) => pages<RecordsRead<S>, RecordVersion<S>>(streamPath(stream, 'records'), filters, ({ records }) => records),
    changes: (stream, options = {}) => readChanges(transport, stream, options, attempts),
    snapshot: (stream, options = {}) => openSnapshot(transport, stream, options),
    verdicts: (filters = {}) => pages<{ verdicts: readonly PastVerdict[]; next: string | null }, PastVerdict>('/v1/verdicts', filters, ({ verdicts }) => verdicts),
    streams: () => transport.json('/v1/streams'),
  }
}
