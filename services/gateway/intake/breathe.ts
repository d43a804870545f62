/** Work on one body goes on this long before others get their turn of the event loop. */
const SLICE_MS = 5

const waiting: (() => void)[] = []
let sliceStart = 0
let looks = 0

/**
 * To be awaited between pieces of work of some tens of microseconds each: gives the event loop back when a slice is used up. Slices of
 * all bodies come one after another, each in a turn of its own, so that many of them together hold the loop no longer than one.
 */
export function breathe(): Promise<void> | undefined {
  // The clock costs more than the piece of work is worth looking at it for.
  if (waiting.length === 0 && (++looks & 15) !== 0) return undefined
  if (waiting.length === 0 && performance.now() - sliceStart < SLICE_MS) return undefined
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(next)
  })
}

function next(): void {
  sliceStart = performance.now()
  waiting.shift()?.()
  if (waiting.length > 0) setImmediate(next)
}
