import { pause } from '@hub/runtime/pause'
import type { Cursor } from './cursor.ts'

/** Between two looks, and after one that failed. */
const POLL_MS = 20
const RETRY_MS = 1_000

interface Waiting {
  readonly seen: Cursor
  readonly wake: () => void
}

/** One look at the replica for all who wait for it to move; it is looked at only while somebody waits. */
export interface TipWatch {
  /** Resolves when the replica has moved on from `seen`, is another one or cannot be read, after `timeoutMs`, or when `signal` fires. */
  moved(seen: Cursor, timeoutMs: number, signal: AbortSignal): Promise<void>
}

/** @param onMoved called before those who wait are woken */
export function createTipWatch(read: () => Promise<Cursor>, onMoved: () => void): TipWatch {
  const waiting = new Set<Waiting>()
  let running = false
  const idle = new AbortController().signal

  async function run(): Promise<void> {
    running = true
    while (waiting.size > 0) {
      await pause(POLL_MS, idle)
      // Whoever waits finds out by itself what is wrong when it reads on.
      const now = await read().catch(() => undefined)
      const due = [...waiting].filter(({ seen }) => now === undefined || now.replica !== seen.replica || now.change > seen.change)
      if (due.length > 0) onMoved()
      for (const { wake } of due) wake()
      if (now === undefined) await pause(RETRY_MS, idle)
    }
    running = false
  }

  return {
    moved(seen, timeoutMs, signal) {
      if (signal.aborted || timeoutMs <= 0) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', wake)
          waiting.delete(entry)
          resolve()
        }
        const entry: Waiting = { seen, wake }
        const timer = setTimeout(wake, timeoutMs)
        signal.addEventListener('abort', wake, { once: true })
        waiting.add(entry)
        if (!running) void run()
      })
    },
  }
}
