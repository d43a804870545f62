import { HubError, isTransient } from '@hub/runtime/errors'

/** Runs tasks side by side until all have ended. The first to end, well or badly, ends the others; throws what it threw. */
export async function together(signal: AbortSignal, tasks: readonly ((signal: AbortSignal) => Promise<void>)[]): Promise<void> {
  const ended = new AbortController()
  const either = AbortSignal.any([signal, ended.signal])
  const failures: unknown[] = []
  await Promise.all(tasks.map(async (task) => {
    try {
      await task(either)
    } catch (error) {
      failures.push(error)
    } finally {
      ended.abort()
    }
  }))
  if (failures.length > 0) throw failures[0]
}

/** What `work` gives, or undefined when it is still busy `graceMs` after `signal` fired. */
export async function withGrace<T>(work: Promise<T>, signal: AbortSignal, graceMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  let onAbort = (): void => {}
  const late = new Promise<undefined>((resolve) => {
    onAbort = () => { timer = setTimeout(() => resolve(undefined), graceMs) }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * What `reading` the log gives. Whatever fails is worth another try: while topics and leaders change, the client library throws type errors of its own, and they must
 * not end the process. @throws HubError (retriable)
 */
export async function fromLog<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (isTransient(error)) throw error
    throw new HubError('LOG_UNREADABLE', `the log cannot be read now: ${error instanceof Error ? error.message : String(error)}`, { retriable: true, cause: error })
  }
}
