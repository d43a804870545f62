import { setTimeout as pause } from 'node:timers/promises'
import { verifyReplicas } from '@hub/cli/verify'
import type { Stack } from '@hub/local/stack'
import { REGIONS } from '@hub/schemas/streams'
import { boundViolations, sampleOf, type Sample } from '../check/bounds.ts'
import { seeded } from '../data/random.ts'
import { eventually } from '../eventually.ts'
import { openHub } from '../hub.ts'
import { openKeeper, readyAt, type Keeper } from './keeper.ts'
import { startLoad, type Load } from './load.ts'
import { BETWEEN_MS, strike, type Fault } from './nemesis.ts'

/** What became of one fault once. */
export interface Round {
  readonly fault: string
  readonly round: number
  readonly seed: number
  /** `void`: the nemesis did not strike, so nothing is proven. */
  readonly outcome: 'passed' | 'failed' | 'void'
  readonly strikes: number
  /** Events acknowledged. */
  readonly published: number
  readonly unanswered: number
  /** Violations of V1, V3 and V4; all others are in `violations`. */
  readonly lost: number
  readonly doubled: number
  readonly outOfOrder: number
  readonly violations: readonly string[]
  /** From the healing until every region is ready with all it depends on, and until all is applied everywhere, seconds. */
  readonly readySeconds: number | null
  readonly drainedSeconds: number | null
}

const WARM_UP_MS = 3_000
const SAMPLE_MS = 2_000
const RECOVERY_MS = 120_000
const SHOWN = 10

/** Runs a fault once, on topics and databases of its own, with four regions and a load in two of them, and judges what is left. */
export async function runRound(stack: Stack, fault: Fault, round: number, seed: number): Promise<Round> {
  await using hub = await openHub({ stack: stack.describe(), regions: [] })
  const keepers: Keeper[] = []
  const loads: Load[] = []
  const samples: Sample[] = []
  const sampling = new AbortController()
  try {
    for (const region of REGIONS) keepers.push(await openKeeper(hub, region))
    await Promise.all(keepers.map((keeper) => keeper.start()))
    loads.push(...keepers.slice(0, 2).map(({ region }) => startLoad(hub, region, seed, BETWEEN_MS)))
    const watch = sample(hub.url, keepers, samples, sampling.signal)
    await pause(WARM_UP_MS)
    const { strikes, poison = 0, compacted = false } = await strike({ stack, hub, keepers, more: loads, seed, random: seeded(seed) }, fault)

    const healed = performance.now()
    const since = (): number => Math.round((performance.now() - healed) / 100) / 10
    const problems: string[] = []
    const noted = async (what: string, come: Promise<unknown>): Promise<number | null> => await come.then(since, (error: unknown) => {
      problems.push(`V8 ${what}: ${error instanceof Error ? error.message : String(error)}`)
      return null
    })
    const readySeconds = await noted('ready', eventually('every region is ready', async () => (await Promise.all(keepers.map(({ region }) => readyAt(hub.url(region))))).every(Boolean), RECOVERY_MS))
    await noted('load', Promise.all(loads.map((load) => load.stop())))
    const drainedSeconds = await noted('drained', hub.settled(RECOVERY_MS))
    sampling.abort()
    await watch

    const found = drainedSeconds === null ? [] : await hub.violations({ poison, compacted })
    const unequal = drainedSeconds === null ? [] : (await verifyReplicas(hub.replicas())).filter(({ verdict, replicas }) => verdict !== 'equal' || replicas.some(({ matchesKept }) => !matchesKept))
    const count = (invariant: string): number => found.filter((one) => one.invariant === invariant).length
    const violations = [
      ...problems, ...found.map(({ invariant, region, what }) => `${invariant} ${region} ${what}`),
      ...unequal.map(({ topic, verdict }) => `V5 ${topic}: ${verdict}`), ...boundViolations(samples),
    ]
    return {
      fault: fault.name, round, seed, strikes, readySeconds, drainedSeconds,
      outcome: strikes < (fault.least ?? 1) ? 'void' : violations.length > 0 ? 'failed' : 'passed',
      published: loads.reduce((sum, load) => sum + load.published, 0), unanswered: loads.reduce((sum, load) => sum + load.unanswered, 0),
      lost: count('V1'), doubled: count('V3'), outOfOrder: count('V4'), violations: violations.slice(0, SHOWN),
    }
  } finally {
    sampling.abort()
    await Promise.all(keepers.map((keeper) => keeper[Symbol.asyncDispose]()))
    await Promise.allSettled(loads.map((load) => load.stop()))
  }
}

async function sample(urlOf: (region: Keeper['region']) => string, keepers: readonly Keeper[], samples: Sample[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { region, pid } of keepers) {
      const one = pid === undefined ? undefined : await sampleOf(region, pid, urlOf(region))
      if (one !== undefined) samples.push(one)
    }
    await pause(SAMPLE_MS, undefined, { signal }).catch(() => {})
  }
}
