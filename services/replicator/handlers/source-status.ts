import type { SourceStatus } from '@hub/schemas/generated/source-status'
import { writeHandOvers, writeSourceStatus } from '../store/source-status.ts'
import type { TechnicalHandler } from './handler.ts'

/** What a region says of one of its source systems: who answers for it, and its last complete hand-over. */
export const sourceStatusHandler: TechnicalHandler<SourceStatus> = {
  contract: 'cn.yrd.source_status.SourceStatus',
  key: ({ sourceSystem }) => sourceSystem,
  apply(c, here, records) {
    writeSourceStatus(c, records)
    writeHandOvers(c, here.topicPrefix, records)
  },
}
