import type { Dependency } from './http.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Wakeup } from './wakeup.ts'

/** What every service's `start` returns: it runs until disposed. */
export interface Service extends AsyncDisposable {
  /** What it depends on and whether that answers now; what is wrong and what to do where it does not. */
  health(): Promise<readonly Dependency[]>
}

/** What every service's `start` is given beside its config. */
export interface Context {
  readonly log: Log
  readonly metrics: Metrics
  /** Ends the process in order, as failed. */
  fail(error: unknown): void
  /** Rung when the outbox has something new: gateway and relay of one process share it. */
  readonly wakeup: Wakeup
}

/**
 * Owns resources in the order they were made and disposes them in reverse, each step named and bounded in time,
 * so that a hanging client cannot keep the process and the log says which one hung.
 */
export class Scope implements AsyncDisposable {
  readonly #steps: { name: string; dispose: () => unknown; deadlineMs: number }[] = []
  readonly #log: Log
  #closing: Promise<void> | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** Registers a resource (or a disposing function) and returns it. */
  use<T extends AsyncDisposable | Disposable | (() => unknown) | { close(): unknown }>(name: string, resource: T, deadlineMs = 5000): T {
    this.#steps.push({ name, dispose: disposer(resource), deadlineMs })
    return resource
  }

  /** Disposes everything once; a second call waits for the first. Failures are logged, never thrown: shutdown goes on. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<'late'>((resolve) => { timer = setTimeout(() => resolve('late'), step.deadlineMs) })
      try {
        const outcome = await Promise.race([Promise.resolve(step.dispose()).then(() => 'done' as const), late])
        if (outcome === 'late') this.#log.warn({ step: step.name, deadlineMs: step.deadlineMs }, 'shutdown step ran out of time')
      } catch (error) {
        this.#log.warn({ step: step.name, err: error }, 'shutdown step failed')
      } finally {
        clearTimeout(timer)
      }
    }
  }
}

/**
 * Runs a service as this process: SIGINT, SIGTERM, an unhandled rejection or `context.fail` dispose it in order; the exit code is 0 after a
 * signal and 1 after a failure, or when `deadlineMs` have passed since. A second signal ends at once. Services themselves never touch signals or exit codes.
 */
export async function runService(log: Log, start: (context: { signal: AbortSignal; fail: (error: unknown) => void }) => Promise<Service>, deadlineMs = 9000): Promise<void> {
  const stop = new AbortController()
  const { promise: stopped, resolve: onStop } = Promise.withResolvers<void>()
  stop.signal.addEventListener('abort', () => {
    onStop()
    // From here on: a start that hangs must not outlive the stop either.
    setTimeout(() => {
      log.error({ deadlineMs }, 'shutdown ran out of time')
      process.exit(1)
    }, deadlineMs).unref()
  }, { once: true })
  const fail = (error: unknown): void => {
    log.fatal({ err: error }, 'service failed')
    process.exitCode = 1
    stop.abort()
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(130)
    log.info({ signal }, 'stopping')
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  process.on('unhandledRejection', fail).on('uncaughtException', fail)
  try {
    const service = await start({ signal: stop.signal, fail })
    await stopped
    await service[Symbol.asyncDispose]()
  } catch (error) {
    fail(error)
  }
  log.info('stopped')
  log.flush()
  // Something outside our care (a socket of a library) may still hold the loop; everything of ours is closed by now.
  setTimeout(() => process.exit(), 1000).unref()
}

function disposer(resource: AsyncDisposable | Disposable | (() => unknown) | { close(): unknown }): () => unknown {
  if (typeof resource === 'function') return resource
  if (Symbol.asyncDispose in resource) return () => resource[Symbol.asyncDispose]()
  if (Symbol.dispose in resource) return () => resource[Symbol.dispose]()
  return () => resource.close()
}
