import type { Region } from '@hub/schemas/streams'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import type { Hub } from '../hub.ts'

const BATCH = 50

export interface Load {
  /** Waits until so many more batches have been answered. */
  answered(batches: number): Promise<void>
  /** Ends it after the batch under way. @returns how often a batch got no answer and was sent again */
  stop(): Promise<number>
}

/** Publishes complaints in a region without a pause; a batch that nobody answered is sent again until it is, as a publisher does. */
export function publishWithoutPause(hub: Hub, region: Region, seed: number): Load {
  const events = complaints(1_000_000, seed, region)
  let stopped = false
  let batches = 0
  let unanswered = 0
  const running = publishing()
  running.catch(() => {}) // thrown by stop
  return {
    async answered(more) {
      const goal = batches + more
      await eventually(`${more} batches answered`, () => batches >= goal)
    },
    async stop() {
      stopped = true
      await running
      return unanswered
    },
  }

  async function publishing(): Promise<void> {
    while (!stopped) {
      const batch = Array.from({ length: BATCH }, () => events.next().value!)
      await eventually('an answer', () => hub.publish(region, 'complaint', batch).then(() => true, (error: unknown) => {
        unanswered++
        throw error
      }))
      batches++
    }
  }
}
