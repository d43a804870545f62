import type { DataStream } from '@hub/schemas/streams'
import type { RecordVersion } from './answers.ts'
import type { Transport } from './transport.ts'

export function reading(transport: Transport): {
  /** The current version of a record in each region that has one of this id: normally one. */
  records<S extends DataStream>(stream: S, recordId: string): Promise<{ readonly records: readonly RecordVersion<S>[] }>
} {
  return {
    records: (stream, recordId) => transport.json(`/v1/streams/${encodeURIComponent(stream)}/records?${new URLSearchParams({ recordId })}`),
  }
}
