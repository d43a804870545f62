import { setTimeout as sleep } from 'node:timers/promises'
import { VoidRun } from './bench.ts'

/** Asks again every `everyMs` until the answer is not undefined. @throws VoidRun after `deadlineMs` */
export async function until<T>(what: string, deadlineMs: number, ask: () => Promise<T | undefined>, signal: AbortSignal, everyMs = 100): Promise<T> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) throw new VoidRun(`${what}: not within ${deadlineMs / 1000} s`)
    await sleep(everyMs, undefined, { signal })
  }
}

/** Takes a sample every `everyMs` until `work` has ended, one more when it has. */
export async function sampling<T, S>(work: Promise<T>, everyMs: number, sample: () => S | Promise<S>): Promise<{ result: T, samples: S[] }> {
  const samples: S[] = []
  const over = new AbortController()
  const ended = work.finally(() => over.abort())
  ended.catch(() => {}) // thrown below
  while (!over.signal.aborted) {
    samples.push(await sample())
    await sleep(everyMs, undefined, { signal: over.signal }).catch(() => {})
  }
  const result = await ended
  samples.push(await sample())
  return { result, samples }
}
