import { HubError } from '@hub/runtime/errors'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'

/** The commit did not come about in time; whatever its outcome, sending the same events again is safe. */
export class CommitUnavailableError extends HubError {
  override readonly name = 'CommitUnavailableError'

  constructor(message: string) {
    super('COMMIT_UNAVAILABLE', message, { retriable: true })
  }
}

export interface GroupCommit<T, R> extends AsyncDisposable {
  /** Resolves with one result per item once all are durable; rejects when that has not happened within `deadlineMs`. */
  submit(items: T[], deadlineMs: number): Promise<R[]>
  readonly waiting: number
}

interface Submission<T, R> {
  items: T[]
  deadline: number
  settled: boolean
  resolve(results: R[]): void
  reject(error: unknown): void
}

/**
 * Makes one transaction of everything that waits (at most `maxItems`, whole submissions), one transaction at a time: while one
 * commits the next gathers, so the batch grows with the load and a lone request waits for nobody. A transient failure is tried
 * again until the deadlines of its submissions; any other failure is tried once more for each submission alone, so that no
 * publisher fails for what another one sent.
 */
export function createGroupCommit<T, R>(options: {
  commit(items: T[]): Promise<R[]>
  isTransient(error: unknown): boolean
  onRetry(error: unknown): void
  maxItems: number
  maxWaiting: number
}): GroupCommit<T, R> {
  const queue: Submission<T, R>[] = []
  const inFlight = new Set<Submission<T, R>>()
  let waiting = 0
  let running: Promise<void> | undefined
  let closed = false
  // A commit may hang with its connection: deadlines are kept beside it.
  const sweeper = setInterval(expire, 250).unref()

  return {
    get waiting() {
      return waiting
    },
    submit(items, deadlineMs) {
      if (closed || waiting + items.length > options.maxWaiting) {
        return Promise.reject(new CommitUnavailableError(closed ? 'the gateway is closing' : 'too many events wait for the database'))
      }
      const { promise, resolve, reject } = Promise.withResolvers<R[]>()
      waiting += items.length
      queue.push({ items, deadline: performance.now() + deadlineMs, settled: false, resolve, reject })
      running ??= run()
      return promise
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await running
      clearInterval(sweeper)
    },
  }

  async function run(): Promise<void> {
    let failures = 0
    while (queue.length > 0) {
      // One turn of the event loop first: requests that have come meanwhile, and those that the last answers brought about, share the transaction.
      await nextTurn()
      const batch = take()
      if (batch.length === 0) continue
      try {
        await commitTogether(batch)
        failures = 0
      } catch (error) {
        if (options.isTransient(error)) {
          options.onRetry(error)
          queue.unshift(...batch.filter((s) => !s.settled))
          await delay(Math.min(1000, 50 * 2 ** failures++))
        } else {
          await commitApart(batch, error)
        }
      } finally {
        inFlight.clear()
      }
    }
    running = undefined
  }

  function take(): Submission<T, R>[] {
    const batch: Submission<T, R>[] = []
    let items = 0
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      if (!next.settled) {
        if (batch.length > 0 && items + next.items.length > options.maxItems) break
        items += next.items.length
        batch.push(next)
        inFlight.add(next)
      }
      queue.shift()
    }
    return batch
  }

  async function commitTogether(batch: Submission<T, R>[]): Promise<void> {
    const results = await options.commit(batch.length === 1 ? batch[0]!.items : batch.flatMap((s) => s.items))
    let start = 0
    for (const submission of batch) {
      const end = start + submission.items.length
      settle(submission, () => submission.resolve(results.slice(start, end)))
      start = end
    }
  }

  async function commitApart(batch: Submission<T, R>[], error: unknown): Promise<void> {
    for (const submission of batch) {
      if (batch.length === 1) settle(submission, () => submission.reject(error))
      else await commitTogether([submission]).catch((own: unknown) => settle(submission, () => submission.reject(own)))
    }
  }

  function expire(): void {
    const now = performance.now()
    for (const submissions of [queue, inFlight]) {
      for (const submission of submissions) {
        if (submission.deadline > now) continue
        settle(submission, () => submission.reject(new CommitUnavailableError('the database did not commit in time')))
      }
    }
  }

  function settle(submission: Submission<T, R>, how: () => void): void {
    if (submission.settled) return
    submission.settled = true
    waiting -= submission.items.length
    how()
  }
}
