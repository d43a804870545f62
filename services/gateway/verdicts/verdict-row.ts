import type { Caller } from '@hub/runtime/http'
import type { DataStream } from '@hub/schemas/streams'
import { allows } from '../callers.ts'
import { eventId } from '../publish/event-id.ts'
import type { Verdict } from './verdict.ts'

/** Of more problems than these of one event the sender alone was told. */
const PROBLEMS_KEPT = 10

/** A verdict as it is remembered: names and codes, never a value of the event. */
export interface VerdictRow {
  readonly id: string
  readonly stream: string
  /** Whose it is beside the caller's; null where no source can be told, or one that is not the caller's. */
  readonly source: string | null
  readonly caller: string
  readonly request: string
  readonly outcome: string
  readonly recordId: string | null
  readonly version: number | null
  readonly eventId: string | null
  readonly line: number | null
  readonly index: number | null
  readonly flags: string | null
  readonly problems: string | null
}

/** Whom and what verdicts were given for. */
export interface Asked {
  readonly stream: DataStream
  readonly caller: Caller
  /** Id of the request. */
  readonly request: string
}

/**
 * What is to be remembered of a request's verdicts. An accepted event stands in `published` already, so it has a row for its flags alone, under its own id;
 * where it has none it costs nothing here. `now` in ms UTC.
 */
export function rowsToKeep(verdicts: readonly Verdict[], { stream, caller, request }: Asked, now: number): VerdictRow[] {
  const rows: VerdictRow[] = []
  for (const { verdict: outcome, recordId, version, eventId: event, line, index, flags, problems } of verdicts) {
    const accepted = outcome === 'accepted' || outcome === 'new-version'
    if (accepted && flags.length === 0) continue
    const source = recordId?.slice(0, recordId.indexOf('/'))
    rows.push({
      id: accepted && event !== undefined ? event : eventId(now),
      stream, caller: caller.id, request, outcome,
      source: source !== undefined && allows(caller.sources, source) ? source : null,
      recordId: recordId ?? null,
      version: version ?? null,
      eventId: event ?? null,
      line: line ?? null,
      index: index ?? null,
      flags: flags.length === 0 ? null : flags.join(' '),
      problems: problems === undefined || problems.length === 0 ? null : problems.slice(0, PROBLEMS_KEPT).map(({ rule, field }) => `${rule} ${field}`).join('\n'),
    })
  }
  return rows
}
