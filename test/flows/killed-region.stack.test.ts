import { once } from 'node:events'
import { expect, test } from 'vitest'
import { complaints } from '../data/generate.ts'
import { openHub } from '../hub.ts'
import { publishWithoutPause } from './load.ts'

const KILLS = 2

test('a region killed while it publishes and applies comes back by itself: nothing is lost, doubled or swapped', { timeout: 60_000 }, async () => {
  await using hub = await openHub({ regions: ['sh'] })
  let region = await hub.spawn('zj')
  const load = publishWithoutPause(hub, 'zj', 21)
  for (let kill = 0; kill < KILLS; kill++) {
    await load.answered(5)
    region.kill('SIGKILL')
    await once(region, 'exit')
    await hub.publish('sh', 'complaint', complaints(200, 100 + kill, 'sh'))
    region = await hub.spawn('zj')
  }
  await load.answered(5)
  expect(await load.stop()).toBeGreaterThan(0)
  await hub.settled()
  await hub.expectEqual()
})
