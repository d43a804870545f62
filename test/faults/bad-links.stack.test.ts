import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { openKeeper, readyAt, type Keeper } from './keeper.ts'
import type { Conditions, Link } from './link.ts'
import { startLoad } from './load.ts'

let hub: Hub
let keeper: Keeper
beforeAll(async () => {
  hub = await openHub({ regions: ['sh'] })
  keeper = await openKeeper(hub, 'zj')
  await keeper.start()
})
afterAll(async () => {
  await keeper?.[Symbol.asyncDispose]()
  await hub?.[Symbol.asyncDispose]()
})

test.each<[string, (of: Keeper) => Link, Conditions, number]>([
  ['database connections cut in the middle of commits', (of) => of.database, { cutCommits: 5 }, 16],
  ['what the broker says comes in pieces of seven bytes', (of) => of.broker, { sliceBytes: 7 }, 40],
])('%s: nothing lost or doubled, and the region recovers by itself', { timeout: 240_000 }, async (name, linkOf, conditions, least) => {
  const link = linkOf(keeper)
  const before = link.struck
  const loads = (['zj', 'sh'] as const).map((region, n) => startLoad(hub, region, name.length * 10 + n, 50))
  link.set(conditions)
  await eventually(`struck ${least} times`, () => link.struck >= before + least, 60_000)
  link.set({})
  await eventually('ready', () => readyAt(hub.url('zj')), 60_000)
  await Promise.all(loads.map((load) => load.stop()))
  expect(loads.every(({ published }) => published > 0)).toBe(true)
  await hub.settled(60_000)
  await hub.expectEqual()
})
