import type { OwnPartition } from './partition.ts'
import type { Waiting, WaitingRow } from './store.ts'

/** What one partition gives to a produce request: consecutive sequences, and whether more wait behind them. */
export interface Share {
  readonly partition: OwnPartition
  readonly rows: readonly WaitingRow[]
  readonly first: bigint
  readonly last: bigint
  readonly more: boolean
  /** What was to be on the log before it: without that it must not be sent. */
  readonly behind: bigint
  /** `performance.now()` before the rows were read; their ages are of a later moment. */
  readonly readAt: number
}

/**
 * The rows right behind `after`, up to the first hole. A hole directly behind `after` is a loss (`missing`): heads, positions and rows are of
 * one snapshot, and sequences are dense.
 */
export function shareOf(waiting: Waiting, partition: OwnPartition, behind: bigint, readAt: number): Share | { missing: bigint; found: bigint | undefined } {
  const { after, rows, nextSequence } = waiting
  let count = 0
  while (count < rows.length && rows[count]!.sequence === after + 1n + BigInt(count)) count++
  if (count === 0) return { missing: after + 1n, found: rows[0]?.sequence }
  const last = after + BigInt(count)
  return { partition, rows: count === rows.length ? rows : rows.slice(0, count), first: after + 1n, last, more: last + 1n < nextSequence, behind, readAt }
}

/** Whether everything below a share is known to be on the log: what was read ahead of an answer is worth nothing when the answer was another one. */
export function followsOn({ partition, behind }: Share): boolean {
  return behind === partition.acked
}

export function firstHalf(share: Share): Share {
  const rows = share.rows.slice(0, Math.ceil(share.rows.length / 2))
  return { ...share, rows, last: share.first + BigInt(rows.length - 1), more: true }
}
