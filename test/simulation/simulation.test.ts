import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { checkAlways, checkAtRest } from './invariants.ts'
import { ACTIONS, type Action, type Fault, faults, type What, World } from './world.ts'

interface Plan {
  readonly faults: readonly Fault[]
  readonly actions: readonly Action[]
}

const RUNS = Number(process.env['SEEDS'] ?? 2_000)
/** Fixed, so that a change of the product and not of the weather makes this fail; a long run by hand draws its own. */
const SEED = Number(process.env['SEED'] ?? (process.env['SEEDS'] === undefined ? 20_261_125 : Date.now() % 2 ** 31))
/** Plans that once found a fault, shrunk: they run first. */
const KEPT = JSON.parse(readFileSync(new URL('failures.json', import.meta.url), 'utf8')) as { readonly found: string; readonly plan: Plan }[]

const WEIGHTS: Partial<Record<What, number>> = { publish: 6, commit: 7, beat: 2, relay: 8, flush: 2, trim: 1, fetch: 12, apply: 12, republish: 2, wait: 3, arrive: 2 }
const action: fc.Arbitrary<Action> = fc.oneof(...ACTIONS.map((what) => ({
  weight: WEIGHTS[what] ?? 1,
  arbitrary: fc.tuple(fc.constant(what), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 })),
})))
const plan: fc.Arbitrary<Plan> = fc.record({ faults: fc.subarray([...faults()]), actions: fc.array(action, { minLength: 40, maxLength: 300, size: 'max' }) })

/** The product reads this clock too. */
let clock = (): number => 0
beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => clock())
})
afterEach(() => {
  vi.restoreAllMocks()
})

test(`publishers, relays, the log and replicas keep V1 to V6 under any interleaving (${RUNS} runs, seed ${SEED})`, { timeout: 60_000 + RUNS * 60 }, async () => {
  const seen = { commits: 0, fenced: 0, stale: 0, duplicate: 0, parked: 0, absent: 0, shadowed: 0, lost: 0, holes: 0, checkpoints: 0 }
  await fc.assert(
    fc.asyncProperty(plan, async (one) => {
      const { world, problems } = await play(one)
      expect(problems).toEqual([])
      count(world)
    }),
    { numRuns: RUNS + KEPT.length, seed: SEED, examples: KEPT.map(({ plan: one }) => [one]), endOnFailure: process.env['SHRINK'] === 'no' },
  )
  // Void unless what is to be survived happened.
  if (RUNS >= 1_000) for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(RUNS / 20)

  function count(world: World): void {
    seen.commits += world.told.size
    for (const process of world.processes.flat()) seen.fenced += process.fenced
    for (const store of world.replicas) {
      for (const { counts } of store.positions.values()) {
        for (const name of ['stale', 'duplicate', 'parked', 'absent'] as const) seen[name] += counts[name]
      }
      seen.checkpoints += store.checkpoints.size
    }
    seen.shadowed += world.republished
    seen.lost += world.lost.size
    for (const { holes } of world.origins) seen.holes += holes.size
  }
})

async function play({ faults: faultsOn, actions }: Plan): Promise<{ world: World; problems: string[] }> {
  const world = new World(faultsOn)
  const problems: string[] = []
  world.onApplied = (process) => problems.push(...checkAlways(world, process))
  clock = () => world.now
  for (const one of actions) await world.act(one)
  await world.heal()
  return { world, problems: problems.length > 0 ? problems : await checkAtRest(world) }
}
