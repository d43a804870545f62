/**
 * `fresh`: its last hand-over is here whole, and no other is due; `arriving`: it has handed over, and not all of that is here yet; `overdue`: the office owes one;
 * `never`: it has not handed over yet, and none is due; `undeclared`: its records are here, and nobody says who answers for them.
 */
export const SOURCE_STATES = ['fresh', 'arriving', 'overdue', 'never', 'undeclared'] as const
export type SourceState = (typeof SOURCE_STATES)[number]

export interface Standing {
  readonly state: Exclude<SourceState, 'undeclared'>
  /** Since when the office owes a hand-over. */
  readonly overdueSince: Date | null
  /** Since the last hand-over that is here whole. */
  readonly ageSeconds: number | null
}

/** How a declared source stands. An office that has delivered is not called because its events are on their way. @param now ms UTC */
export function standingOf({ lastHandOverAt, arrivingSince, dueAt }: { readonly lastHandOverAt: Date | null; readonly arrivingSince: Date | null; readonly dueAt: Date }, now: number): Standing {
  const overdue = now > dueAt.getTime()
  const ageSeconds = lastHandOverAt === null ? null : Math.max(0, now - lastHandOverAt.getTime()) / 1000
  const state = overdue ? 'overdue' : arrivingSince !== null ? 'arriving' : lastHandOverAt === null ? 'never' : 'fresh'
  return { state, overdueSince: overdue ? dueAt : null, ageSeconds }
}
