import type { Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { recordVector } from './store/vectors.ts'

const EVERY_S = 60
/** How often it is looked whether it is time: the lease may have come just now. */
const LOOK_MS = 5_000

/** Writes down once a minute where the replica is, while this process applies. */
export async function recordVectors(db: Db, leading: () => boolean, log: Log, signal: AbortSignal): Promise<void> {
  let failing = false
  while (!signal.aborted) {
    if (leading()) {
      await recordVector(db, EVERY_S).then(() => { failing = false }, (error: unknown) => {
        if (!failing) log.warn({ err: error }, 'cannot write down where the replica is')
        failing = true
      })
    }
    await pause(LOOK_MS, signal)
  }
}
