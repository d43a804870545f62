import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FAILPOINTS, type Strike } from '@hub/runtime/failpoint'
import { topicName, type Region } from '@hub/schemas/streams'
import { boundViolations, sampleOf, type Sample } from '../check/bounds.ts'
import { openHub, type Hub } from '../hub.ts'
import { startLoad, type Load } from './load.ts'
import { endNow, expireLeases, nameOf, spawnStruck } from './struck.ts'

const STRIKES = JSON.parse(readFileSync(new URL('./strikes.json', import.meta.url), 'utf8')) as Strike[]
/** Both are struck, each in every second place, and each replicates what the other one publishes. */
const REGIONS: readonly Region[] = ['zj', 'sh']

let hub: Hub
beforeAll(async () => { hub = await openHub({ regions: [] }) })
afterAll(() => hub?.[Symbol.asyncDispose]())

test('the sweep has every failpoint but those of announcements, imports and acts, which test/announcer/killed, test/gateway/imports-killed and acts.stack.test.ts have', () => {
  expect([...new Set(STRIKES.map(({ point }) => point))].sort()).toEqual(FAILPOINTS.filter((point) => !/^(announce|import|act)\./.test(point)).sort())
})

test('killed once at every step of publishing, relaying and applying, under load: nothing lost, doubled, swapped or unexplained', { timeout: 360_000 }, async () => {
  const samples: Sample[] = []
  const kills: string[] = []
  for (const region of REGIONS) await endNow(await hub.spawn(region)) // so that both databases are there
  await poison()
  const loads = REGIONS.map((region, n) => startLoad(hub, region, 31 + n))
  await Promise.all(REGIONS.map((region, n) => sweep(region, STRIKES.filter((_, i) => i % REGIONS.length === n))))
  const children = await Promise.all(REGIONS.map(async (region) => {
    await expireLeases(hub, region)
    return await hub.spawn(region)
  }))
  await Promise.all(loads.map((load: Load) => load.stop()))
  await hub.settled(60_000)
  for (const [n, region] of REGIONS.entries()) samples.push(...[await sampleOf(region, children[n]!.pid!, hub.url(region))].filter((one) => one !== undefined))
  expect(kills.toSorted()).toEqual(STRIKES.map(nameOf).toSorted())
  expect(loads.every(({ published, unanswered }) => published > 0 && unanswered > 0)).toBe(true)
  await hub.expectEqual({ poison: REGIONS.length })
  expect(boundViolations(samples)).toEqual([])

  async function sweep(region: Region, strikes: readonly Strike[]): Promise<void> {
    for (const strike of strikes) {
      await expireLeases(hub, region)
      const { child, struck } = await spawnStruck(hub, region, strike)
      await struck()
      if (child.signalCode === null) await once(child, 'exit')
      expect(child.signalCode).toBe('SIGKILL')
      kills.push(nameOf(strike))
    }
  }
})

/** One event that no replica can take, on each of the logs. */
async function poison(): Promise<void> {
  for (const region of REGIONS) {
    await using producer = hub.fixture.kafka(region).producer()
    await producer.send([{ topic: topicName(region, 'complaint', hub.fixture.prefix), partition: 1, messages: [{ key: 'poison', value: Buffer.from('not an event') }] }])
  }
}
