/** A coalescing in-process bell: any number of `signal`s before a `wait` wake it once. */
export interface Wakeup {
  signal(): void
  /** Resolves at the next signal (at once when one is pending), after `timeoutMs`, or when `abort` fires. */
  wait(timeoutMs: number, abort?: AbortSignal): Promise<void>
}

export function createWakeup(): Wakeup {
  let pending = false
  const waiting = new Set<() => void>()
  return {
    signal() {
      if (waiting.size === 0) {
        pending = true
        return
      }
      for (const wake of [...waiting]) wake()
    },
    wait(timeoutMs, abort) {
      if (abort?.aborted === true) return Promise.resolve()
      if (pending) {
        pending = false
        return Promise.resolve()
      }
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          abort?.removeEventListener('abort', wake)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, timeoutMs)
        abort?.addEventListener('abort', wake, { once: true })
        waiting.add(wake)
      })
    },
  }
}
