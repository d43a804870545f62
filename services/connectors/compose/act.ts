import type { InspectionOutcome } from '../normalise/outcome.ts'
import type { ListingAct } from './listing.ts'

/** What one row says of an inspection: the first conclusion (rank 0), or what re-inspection or objection came to (rank 1). */
export interface InspectionAct {
  readonly of: 'inspection'
  readonly recordId: string
  readonly rank: 0 | 1
  readonly outcome: InspectionOutcome
  /** The contract's fields but for the envelope. */
  readonly record: Readonly<Record<string, unknown>>
}

export type Act = InspectionAct | ListingAct
