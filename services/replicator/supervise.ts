import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { createWakeup } from '@hub/runtime/wakeup'
import type { Topic } from '@hub/schemas/streams'
import type { Feed } from './feed.ts'
import type { LogWatch } from './log-watch.ts'
import type { Partitions } from './partitions.ts'
import { loadPositions } from './store/positions.ts'

const EVERY_MS = 60_000
const SOON_MS = 5_000
const AGAIN_MS = 1_000

export interface Supervisor {
  /** Looks now: the lease is ours, positions are to be read again. */
  look(): void
  /** The group gave out its partitions, all of them paused. */
  rejoined(): void
  /** Why the last look failed, if it did. */
  fault(): string | undefined
  run(signal: AbortSignal): Promise<void>
}

/**
 * Keeps the subscription and the partitions in order: looks at the logs (ends, generations) at every assignment, when the lease comes, and every
 * minute, more often while a partition waits or a topic does not exist. Without the lease it only stays joined, so that taking over takes no time.
 */
export function createSupervisor(options: { db: Db; watch: LogWatch; topics: readonly Topic[]; feed: Feed; partitions: Partitions; leading(): boolean; log: Log }): Supervisor {
  const { watch, feed, partitions } = options
  const bell = createWakeup()
  let paused = false
  let missing = false
  let joined = false
  let fault: string | undefined

  return {
    look: bell.signal,
    rejoined() {
      paused = true
      // The first join follows a reading; another one may have come about because a topic is another one now.
      if (joined) watch.forget()
      joined = true
      bell.signal()
    },
    fault: () => fault,
    async run(signal) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      while (!signal.aborted) {
        try {
          const looking = look()
          looking.catch(() => {}) // it may outlast the end by the deadlines of the broker
          await Promise.race([looking, aborted])
          fault = undefined
        } catch (error) {
          if (fault === undefined) options.log.warn({ err: error }, 'cannot look after the logs now')
          fault = error instanceof Error ? error.message : String(error)
          paused = true
          await pause(AGAIN_MS, signal)
          continue
        }
        await bell.wait(missing || partitions.stopped.size > 0 ? SOON_MS : EVERY_MS, signal)
      }
    },
  }

  async function look(): Promise<void> {
    const { era } = partitions
    const stored = options.leading() ? await loadPositions(options.db) : undefined
    const logs = await watch.read()
    const topics = [...new Set([...logs.keys()].map((key) => key.slice(0, key.lastIndexOf('/'))))]
    missing = topics.length < options.topics.length
    if (topics.length > 0) await feed.subscribe(topics)
    if (stored === undefined) return
    const rejoined = paused
    paused = false
    await partitions.reconcile(stored, logs, { era, rejoined })
  }
}
