import { setTimeout as sleep } from 'node:timers/promises'
import { REGIONS, topicName } from '@hub/schemas/streams'
import { figure, mustEqual, type Bench } from './bench.ts'
import { runChild } from './child.ts'
import { openHub, type HubProcess } from './hub.ts'
import { acceptedOf, type NdjsonResult, type NdjsonSettings } from './ndjson-result.ts'
import { residentBytes } from './machine.ts'
import { appliedOf, mustHold } from './replica.ts'
import { sampling, until } from './wait.ts'

const ORIGIN = 'zj'
const GB = 1e9
const EVENTS = 300_000

/** Resident memory of the four regions' processes together: at rest, and while three of them drain what waited for them. */
export const memory: Bench = {
  name: 'memory',
  what: '四个地区进程的内存 · resident memory of the four regions, idle and draining 300 000',
  async run(context) {
    const idleSeconds = context.quick ? 15 : 60
    await using hub = await openHub(await context.stack(), context.profileDir)
    const topic = topicName(ORIGIN, 'complaint', hub.prefix)
    const readers = REGIONS.filter((region) => region !== ORIGIN)
    const processes = await Promise.all(([ORIGIN, ...readers] as const).map((region) => hub.start('region', region)))
    const [origin, ...others] = processes
    const resident = (): number => residentBytes(processes.map(({ pid }) => pid)) / GB
    const { samples: idle } = await sampling(sleep(idleSeconds * 1000, undefined, { signal: context.signal }), 500, resident)
    const atRest = Math.max(...idle.slice(-10))
    context.say(`idle  ${atRest.toFixed(2)} GB after ${idleSeconds} s`)

    await Promise.all(others.map((one) => one.stop()))
    const load: NdjsonSettings = { url: origin!.url, key: hub.keys.publisher, region: ORIGIN, seed: context.seed, events: EVENTS, bodies: 2 }
    const published = await runChild<NdjsonResult>('./loads/ndjson.ts', load, { signal: context.signal })
    mustEqual('accepted events', acceptedOf(published), EVENTS)

    // Sampled while they start, too: whoever is up counts.
    const up: HubProcess[] = [origin!]
    const draining = Promise.all(readers.map(async (region) => {
      const started = await hub.start('region', region)
      up.push(started)
      await until(`${region} has all`, 180_000, async () => (await appliedOf(hub.db(region), topic) === EVENTS ? true : undefined), context.signal)
    }))
    const { samples } = await sampling(draining, 200, () => residentBytes(up.map(({ pid }) => pid)) / GB)
    const peak = Math.max(...samples)
    context.say(`draining  ${peak.toFixed(2)} GB at most`)
    for (const region of REGIONS) await mustHold(hub.db(region), topic, published.records)

    const services = REGIONS.map((region) => `region ${region} (gateway, relay, replicator)`)
    const judged = { unit: 'GB resident, four processes', better: 'lower' as const, services }
    return [
      figure({ bench: 'memory.idle', floor: 1.2, ...judged, settings: { idleSeconds } }, [atRest]),
      figure({ bench: 'memory.draining', floor: 1.5, ...judged, settings: { events: EVENTS, drainedBy: readers, publishedBy: ORIGIN } }, [peak]),
    ]
  },
}
