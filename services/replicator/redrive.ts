import { decide } from '@hub/schemas/record-rule'
import type { Counts } from './apply.ts'
import type { RecordItem } from '@hub/schemas/log-item'

/** A version of the record as this replica keeps it: in history, or, without `to`, the current row. */
export interface KeptVersion {
  readonly offset: number
  /** First offset at which it was no longer current. */
  readonly to: number | undefined
  readonly version: bigint
  readonly hash: Buffer
  readonly ended: boolean
  /** Undefined for what the change feed never had. */
  readonly change: bigint | undefined
}

/** What a redriven event changes. Counts are differences to the stored ones. */
export interface Redrive {
  readonly class: 'applied' | 'duplicate' | 'stale'
  readonly counts: Partial<Counts>
  /**
   * Where the event's version stands from now on: it becomes the current row, it is a superseded version up to `to`, or it leaves none, because the record
   * had ended later or nothing came of it.
   */
  readonly place: 'current' | { readonly to: number } | 'none'
  /** Kept versions of which the range ends earlier now; one that ends where it begins never was current, and stays for the change feed alone. */
  readonly ends: readonly { readonly version: KeptVersion; readonly to: number }[]
  /** Kept versions that nothing has to know of any more. */
  readonly forgotten: readonly KeptVersion[]
}

/**
 * What an event that was parked does now that it can be read, at its own place on the log: as if it had been read there at first. It is decided against the
 * version that was current before its offset; what came later is decided against it, in turn. What is no longer known of that time (history forgotten, or erased
 * when the record ended) decides nothing. Later events that were duplicate or stale keep their class.
 * @param kept every version of the record that is kept, in the order of their offsets
 */
export function decideRedrive(item: RecordItem, kept: readonly KeptVersion[]): Redrive {
  const told = kept.filter(({ offset, to }) => to === undefined || to > offset)
  const before = told.findLast(({ offset, to }) => offset < item.offset && (to === undefined || to > item.offset))
  const ruling = decide(before, item)
  if (ruling !== 'apply') return { class: ruling, counts: { parked: -1, [ruling]: 1 }, place: 'none', ends: [], forgotten: [] }

  const later = told.filter(({ offset }) => offset > item.offset)
  const firstKept = later.findIndex((version) => decide(item, version) === 'apply')
  const undone = firstKept === -1 ? later : later.slice(0, firstKept)
  const standing = later.slice(undone.length)
  const counts: Record<keyof Counts, number> = { applied: 1, duplicate: 0, stale: 0, folded: 0, parked: -1, control: 0, absent: 0 }
  for (const version of undone) {
    counts[version.change === undefined ? 'folded' : 'applied']--
    counts[decide(item, version) as 'duplicate' | 'stale']++
  }
  // An ended record keeps no earlier version.
  if (standing.some(({ ended }) => ended)) return { class: 'applied', counts, place: 'none', ends: [], forgotten: undone }
  const place = standing[0] === undefined ? 'current' : { to: standing[0].offset }
  if (item.ended) return { class: 'applied', counts, place, ends: [], forgotten: kept.filter(({ offset }) => offset < (standing[0]?.offset ?? Infinity)) }
  return {
    class: 'applied', counts, place,
    ends: [...(before === undefined ? [] : [{ version: before, to: item.offset }]), ...undone.filter(({ change }) => change !== undefined).map((version) => ({ version, to: version.offset }))],
    forgotten: undone.filter(({ change }) => change === undefined),
  }
}
