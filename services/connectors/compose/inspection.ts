import type { EventInput } from '../event-input.ts'
import type { InspectionAct } from './act.ts'

/** An inspection as far as it is known: the act that stands, and what others of its acts told beside. */
export interface InspectionState {
  readonly standing: InspectionAct
  readonly filled: Readonly<Record<string, unknown>>
}

/**
 * Takes an act into what is known. Re-inspection and objection stand above the first conclusion whatever the order; among equals the later row corrects the
 * earlier. A late first conclusion fills what is missing and turns nothing back: `late`, and `changed` when it filled something.
 */
export function composeInspection(known: InspectionState | undefined, act: InspectionAct): { state: InspectionState, late: boolean, changed: boolean } {
  if (known === undefined) return { state: { standing: act, filled: act.record }, late: false, changed: true }
  if (act.rank >= known.standing.rank) {
    const filled = act.rank > known.standing.rank ? { ...known.filled, ...act.record } : act.record
    return { state: { standing: act, filled }, late: false, changed: true }
  }
  const missing = Object.keys(act.record).some((field) => !(field in known.filled))
  return { state: { standing: known.standing, filled: { ...act.record, ...known.filled } }, late: true, changed: missing && known.standing.outcome !== 'overturned' }
}

/** The event of a state: an overturned failure never was, so it is void and keeps nothing; everything else is the record. */
export function inspectionEvent({ standing, filled }: InspectionState): EventInput {
  const { recordId, outcome } = standing
  if (outcome === 'overturned') return { recordId, kind: 'void', occurredOn: filled['occurredOn'] }
  return { recordId, kind: outcome === 'none' ? 'original' : 'follow-up', ...filled }
}
