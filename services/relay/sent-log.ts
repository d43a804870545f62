import type { Db } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import { pause } from '@hub/runtime/pause'
import { createWakeup } from '@hub/runtime/wakeup'
import { recordSent, type SentRun } from './store.ts'

export interface SentLog {
  /** Takes over what the broker acknowledged; it is written soon. */
  note(run: SentRun): void
  /** Writes everything noted; after a failure it is lost here, and the events are sent again. */
  flush(): Promise<void>
  run(signal: AbortSignal): Promise<void>
}

// Acknowledgements of this time share a transaction: a relay that dies repeats at most these, and readers know the repeats.
const BETWEEN_WRITES_MS = 100
const IDLE_MS = 60_000

/** Writes positions behind the acknowledgements, beside the next send; `onOvertaken` is told of events whose positions another relay wrote first. Not for two callers of `flush` at once. */
export function createSentLog(db: Db, onOvertaken: (events: number) => void): SentLog {
  const bell = createWakeup()
  let runs: SentRun[] = []

  async function flush(): Promise<void> {
    const taken = runs
    runs = []
    if (taken.length === 0) return
    failpoint('relay.noting')
    onOvertaken(await recordSent(db, taken))
    failpoint('relay.noted')
  }

  return {
    note(run) {
      append(runs, run)
      bell.signal()
    },
    flush,
    async run(signal) {
      while (!signal.aborted) {
        await bell.wait(IDLE_MS, signal)
        await flush()
        await pause(BETWEEN_WRITES_MS, signal)
      }
    },
  }
}

/** Adds a run, as part of the partition's latest one where both sequences and offsets continue it. */
export function append(runs: SentRun[], run: SentRun): void {
  const at = runs.findLastIndex((one) => one.topic === run.topic && one.partition === run.partition)
  const latest = runs[at]
  if (latest !== undefined && run.first === latest.last + 1n && run.firstOffset - latest.firstOffset === run.first - latest.first) runs[at] = { ...latest, last: run.last }
  else runs.push(run)
}
