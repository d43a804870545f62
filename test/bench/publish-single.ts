import { REGIONS, topicName } from '@hub/schemas/streams'
import { figure, mustEqual, type Bench } from './bench.ts'
import { runChild } from './child.ts'
import { cpuFigure, describeCpu } from './cpu-figure.ts'
import { openHub } from './hub.ts'
import type { ClosedLoopResult } from './load.ts'
import type { SingleSettings } from './loads/single.ts'
import { cpuSeconds, cpuUse, type CpuUse } from './machine.ts'
import { mustBePublished, outboxEmpty } from './outbox.ts'
import { appliedOf, mustHold } from './replica.ts'
import { until } from './wait.ts'

const ORIGIN = 'zj'
const CONNECTIONS = 64

/** One durable event per request while gateway, relay and replicator of the region all do their part. */
export const publishSingle: Bench = {
  name: 'publish-single',
  what: '逐条发布（64 个连接） · single durable events over 64 connections',
  async run(context) {
    const requests = context.quick ? 10_000 : 30_000
    const rounds = context.quick ? 2 : 5
    await using hub = await openHub(await context.stack(), context.profileDir)
    const region = await hub.start('region', ORIGIN)
    const db = hub.db(ORIGIN)
    const topic = topicName(ORIGIN, 'complaint', hub.prefix)
    const results: (ClosedLoopResult & { cpu: CpuUse | undefined })[] = []
    for (let round = 0; round <= rounds; round++) { // the first warms up
      const settings: SingleSettings = { url: region.url, key: hub.keys.publisher, region: ORIGIN, seed: context.seed + round, connections: CONNECTIONS, requests }
      const before = cpuSeconds()
      const result = await runChild<ClosedLoopResult>('./loads/single.ts', settings, { signal: context.signal })
      mustEqual('requests answered with 201', result.statuses['201'] ?? JSON.stringify(result.statuses), requests)
      await mustBePublished(db, topic, requests * (round + 1))
      await until('the outbox is empty', 30_000, () => outboxEmpty(db), context.signal)
      await until('the own replica has all', 30_000, async () => (await appliedOf(db, topic) === requests * (round + 1) ? true : undefined), context.signal)
      const cpu = cpuUse(requests, before, cpuSeconds()) // the load's own preparation included, and the replica's share
      if (round > 0) results.push({ ...result, cpu })
      context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  ${Math.round(result.perSecond)}/s  p50 ${result.p50.toFixed(1)} ms  p99 ${result.p99.toFixed(1)} ms  ${describeCpu(cpu)}`)
    }
    await mustHold(db, topic, requests * (rounds + 1))
    const services = [`region ${ORIGIN} (gateway, relay, replicator)`, 'load']
    const settings = { requests, connections: CONNECTIONS, rounds, warmUpRounds: 1, otherRegions: `${REGIONS.length - 1} not running` }
    return [
      figure({ bench: 'publish-single', unit: 'events/s', better: 'higher', floor: 5_000, aim: 10_000, services, settings }, results.map((one) => one.perSecond)),
      figure({ bench: 'publish-single.p99', unit: 'ms', better: 'lower', aim: 15, services, settings }, results.map((one) => one.p99)),
      ...cpuFigure('publish-single', results, { services, settings }),
    ]
  },
}
