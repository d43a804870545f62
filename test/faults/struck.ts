import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FailpointPlan, Strike } from '@hub/runtime/failpoint'
import type { Region } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import type { Hub } from '../hub.ts'

/** A process of a region that strikes itself at one failpoint. */
export interface Struck {
  readonly child: ChildProcess
  /** Waits until the strike has come about. @throws when it does not: the run is void */
  struck(deadlineMs?: number): Promise<void>
}

/** Starts a region's process with one strike in it; resolves when it is ready, or was struck before it was. */
export async function spawnStruck(hub: Hub, region: Region, strike: Strike, over: Parameters<Hub['spawn']>[1] = {}): Promise<Struck> {
  const note = join(await hub.fixture.stateDir(), 'struck')
  const plan: FailpointPlan = { note, strikes: [strike] }
  const isStruck = (): boolean => {
    try {
      return readFileSync(note, 'utf8') !== ''
    } catch {
      return false // nothing noted yet
    }
  }
  let child: ChildProcess | undefined
  const env = { ...over.env, HUB_TEST_PROCESS: 'true', HUB_FAILPOINTS: JSON.stringify(plan) }
  const onSpawned = (spawned: ChildProcess): void => {
    child = spawned
    over.onSpawned?.(spawned)
  }
  await hub.spawn(region, { ...over, env, onSpawned }).catch((error: unknown) => {
    // One that is slow to get ready is struck all the same; one that ended by itself is not.
    const alive = child !== undefined && child.exitCode === null && child.signalCode === null
    if (!isStruck() && !alive) throw error
  })
  return {
    child: child!,
    async struck(deadlineMs = 90_000) {
      await eventually(`${region} is struck at ${nameOf(strike)}`, () => {
        if (isStruck()) return true
        if (child!.exitCode !== null || child!.signalCode !== null) throw new Error(`it ended by itself: ${String(child!.exitCode ?? child!.signalCode)}`)
        return false
      }, deadlineMs)
    },
  }
}

/** Kills a process; resolves when it has gone. */
export async function endNow(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

export function nameOf({ point, of }: Strike): string {
  return of === undefined ? point : `${point} (${of})`
}

/** What a machine does within ten seconds: nobody waits for the leases of a process that was killed or stands still. */
export async function expireLeases(hub: Hub, region: Region): Promise<void> {
  await hub.db(region).query(`UPDATE applier SET lease_until = '-infinity' WHERE id = 1`)
  await hub.db(region).query(`UPDATE lease SET until = '-infinity'`)
}
