import { topicName, type Region } from '@hub/schemas/streams'
import { setTimeout as pause } from 'node:timers/promises'
import { appendHistory } from '../check/history.ts'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import type { Hub } from '../hub.ts'

const BATCH = 40
/** Longest a batch is tried: regions are down for a minute in some faults. */
const PATIENCE_MS = 150_000
const AGAIN_MS = 200

export interface Load {
  readonly region: Region
  /** Events acknowledged so far. */
  readonly published: number
  /** Batches that nobody answered; each was sent again. */
  readonly unanswered: number
  /** Ends it once the batch under way is answered. */
  stop(): Promise<void>
}

/**
 * Publishes complaints of one region, a batch at a time with `betweenMs` behind each, and records what became of each: an event nobody answered for is `info` in
 * the history, and sent again until it is acknowledged, as a publisher does.
 */
export function startLoad(hub: Pick<Hub, 'publish' | 'fixture' | 'historyFile'>, region: Region, seed: number, betweenMs = 0): Load {
  const events = complaints(10_000_000, seed, region)
  const topic = topicName(region, 'complaint', hub.fixture.prefix)
  const load = { region, published: 0, unanswered: 0, stop }
  let stopped = false
  const running = publish()
  running.catch(() => {}) // thrown by stop

  async function publish(): Promise<void> {
    while (!stopped) {
      const batch = Array.from({ length: BATCH }, () => events.next().value!)
      await eventually(`${region} takes a batch`, () => hub.publish(region, 'complaint', batch).then(() => true, async (error: unknown) => {
        load.unanswered++
        appendHistory(hub.historyFile, batch.map(({ recordId, version }) => ({ topic, key: recordId, ver: version, outcome: 'info' })))
        await pause(AGAIN_MS)
        throw error
      }), PATIENCE_MS)
      load.published += BATCH
      if (betweenMs > 0) await pause(betweenMs)
    }
  }

  async function stop(): Promise<void> {
    stopped = true
    await running
  }

  return load
}
