import { once } from 'node:events'
import { afterAll, beforeAll, test } from 'vitest'
import { readTargets } from '@hub/cli/replicas'
import type { Strike } from '@hub/runtime/failpoint'
import { metric } from '../check/bounds.ts'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { freePort } from '../runtime/free-port.ts'
import { startLoad } from './load.ts'
import { expireLeases, nameOf, spawnStruck } from './struck.ts'

let hub: Hub
beforeAll(async () => { hub = await openHub({ regions: ['sh'] }) })
afterAll(() => hub?.[Symbol.asyncDispose]())

// `refused`: what counts the writes of a process that another has taken over from.
const CASES: readonly (Strike & { refused: string[] })[] = [
  { point: 'replicate.taken', at: 4, action: 'stop', refused: ['hub_replicator_fenced_total'] },
  { point: 'replicate.decided', at: 4, action: 'stop', refused: ['hub_replicator_fenced_total'] },
  // Its events go to the log once more, and their positions are not written again; where the answer did not come either, they are unknown to it.
  { point: 'relay.encoded', at: 4, action: 'stop', refused: ['hub_relay_overtaken_events_total', 'hub_relay_unknown_outcomes_total'] },
]

test.each(CASES.map((one, n) => [nameOf(one), one, n] as const))('stopped at %s until another has taken over: its first write is refused, nothing is doubled', { timeout: 240_000 }, async (_name, { refused, ...strike }, n) => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const sleeper = await spawnStruck(hub, 'zj', strike, { port })
  await hub.publish('sh', 'complaint', complaints(200, 60 + n, 'sh'))
  const successor = await hub.spawn('zj')
  const load = startLoad(hub, 'zj', 50 + n)
  await sleeper.struck()
  const before = { ...load }.published
  await expireLeases(hub, 'zj')
  await eventually('another sends and applies', async () => {
    const text = await (await fetch(`${hub.url('zj')}/metrics`)).text()
    return metric(text, 'hub_relay_active') === 1 && metric(text, 'hub_replicator_active') === 1
  }, 60_000)
  await eventually('publishing goes on', () => load.published >= before + 400, 60_000)
  // What the sleeper is about to send must have been sent by the other one: else the other one would be late.
  const heads = await readTargets([{ region: 'zj', db: hub.db('zj') }])
  await eventually('the other one has brought to the log what there was', async () => {
    const sent = (await hub.db('zj').query<{ topic: string; partition: number; last: bigint }>('SELECT topic, partition, last_sequence AS last FROM relay_position')).rows
    return heads.every(({ topic, partition, nextSequence }) => sent.some((one) => one.topic === topic && one.partition === partition && one.last >= nextSequence - 1n))
  }, 60_000)
  sleeper.child.kill('SIGCONT')
  await eventually(`${refused.join(' or ')} of the one that stood still`, async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return refused.some((name) => metric(text, name) >= 1)
  }, 60_000)
  await load.stop()
  await hub.settled(60_000)
  await hub.expectEqual()
  for (const child of [sleeper.child, successor]) {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  await expireLeases(hub, 'zj')
})
