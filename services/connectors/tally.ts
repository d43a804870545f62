import { present } from './present.ts'
import type { EventInput } from './event-input.ts'
import type { TallyCell, TallyInput } from './shape.ts'
import type { ImportVerdict } from './verdict.ts'

/** What is remembered of one report: the newest version, and hashes of all that came. */
export interface CountedReport {
  readonly version: number
  readonly deleted: boolean
  readonly cell: TallyCell
  /** Content hash by version. */
  readonly seen: ReadonlyMap<number, string>
}

/** Decides what becomes of a version of a report, by the rules that hold for events: the newest wins, the same version with other content is refused. */
export function countReport(known: CountedReport | undefined, incoming: TallyInput): { verdict: ImportVerdict, report: CountedReport } {
  const { version, content, deleted, cell } = incoming
  if (known === undefined) return { verdict: 'tallied', report: { version, deleted, cell, seen: new Map([[version, content]]) } }
  const before = known.seen.get(version)
  if (before !== undefined) return { verdict: before === content ? 'duplicate' : 'conflict', report: known }
  if (version < known.version) return { verdict: 'stale', report: known }
  return { verdict: 'tallied', report: { version, deleted, cell, seen: new Map([...known.seen, [version, content]]) } }
}

export function cellKey({ day, tallyType, division, issue, channel }: TallyCell): string {
  return [day, tallyType, division ?? 'none', issue ?? 'none', channel ?? 'none'].join('.')
}

/** A cell as an event: how many reports or consultations it holds now. A recount, so it may be published again at any time. */
export function tallyEvent(source: string, cell: TallyCell, count: number): EventInput {
  return present({ recordId: `${source}/${cellKey(cell)}`, kind: 'original', occurredOn: cell.day, ...cell, count })
}
