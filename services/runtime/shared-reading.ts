/** One reading for all that ask within `freshMs` (several gauges of one query); one that fails fails for those who wait for it, and the next asks anew. */
export function sharedReading<T>(read: () => Promise<T>, freshMs = 1_000): () => Promise<T> {
  let reading: Promise<T> | undefined
  let readAt = -Infinity
  return () => {
    if (reading !== undefined && performance.now() - readAt < freshMs) return reading
    readAt = performance.now()
    const now = read()
    reading = now
    now.catch(() => {
      if (reading === now) reading = undefined
    })
    return now
  }
}
