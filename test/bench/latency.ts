import { REGIONS, topicName } from '@hub/schemas/streams'
import { figure, mustEqual, type Bench } from './bench.ts'
import { runChild } from './child.ts'
import { cpuFigure, describeCpu } from './cpu-figure.ts'
import { openHub } from './hub.ts'
import { percentile } from './load.ts'
import type { LatencyResult, LatencySettings } from './loads/latency.ts'
import { cpuSeconds, cpuUse, type CpuUse } from './machine.ts'
import { installProbe } from './probe.ts'
import { mustHold } from './replica.ts'

const ORIGIN = 'zj'
const PER_SECOND = 500

/** From the moment a request is due to the moment its record is visible in the slowest of the three other regions. */
export const latency: Bench = {
  name: 'latency',
  what: '发布到三地可见的时延（每秒 500 条） · publish to visible in the slowest of three regions, 500/s open loop',
  async run(context) {
    const rounds = context.quick ? 2 : 5
    const seconds = context.quick ? 10 : 30
    const warmUpSeconds = 5
    await using hub = await openHub(await context.stack(), context.profileDir)
    const readers = REGIONS.filter((region) => region !== ORIGIN)
    const [origin] = await Promise.all(([ORIGIN, ...readers] as const).map((region) => hub.start('region', region)))
    await Promise.all(readers.map((region) => installProbe(hub.db(region))))
    const results: (LatencyResult & { cpu: CpuUse | undefined })[] = []
    for (let round = 0; round < rounds; round++) {
      const settings: LatencySettings = {
        url: origin!.url, key: hub.keys.publisher, region: ORIGIN, seed: context.seed + round, perSecond: PER_SECOND, warmUpSeconds, seconds,
        replicas: readers.map((region) => hub.databaseUrl(region)),
      }
      const before = cpuSeconds()
      const result = await runChild<LatencyResult>('./loads/latency.ts', settings, { signal: context.signal })
      mustEqual('requests answered with 201', result.statuses['201'] ?? JSON.stringify(result.statuses), result.sent)
      mustEqual('notices of the replicas', result.notices, result.sent * readers.length)
      const cpu = cpuUse(result.sent, before, cpuSeconds())
      results.push({ ...result, cpu })
      const at = (p: number): string => percentile(result.milliseconds, p).toFixed(1)
      context.say(`round ${round + 1}  visible p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  max ${at(1)} ms  answered p50 ${percentile(result.answered, 0.5).toFixed(1)} ms  p99 ${percentile(result.answered, 0.99).toFixed(1)} ms  ${describeCpu(cpu)}`)
    }
    for (const region of readers) await mustHold(hub.db(region), topicName(ORIGIN, 'complaint', hub.prefix), PER_SECOND * (warmUpSeconds + seconds) * rounds)
    const services = [...REGIONS.map((region) => `region ${region} (gateway, relay, replicator)`), 'load and probe']
    const settings = { perSecond: PER_SECOND, seconds, warmUpSeconds, rounds, loop: 'open', probe: 'row trigger + NOTIFY in three replicas' }
    const judged = { unit: 'ms', better: 'lower' as const, services, settings }
    return [
      figure({ bench: 'latency.p50', floor: 10, aim: 6, ...judged }, results.map(({ milliseconds }) => percentile(milliseconds, 0.5))),
      figure({ bench: 'latency.p99', floor: 100, aim: 25, ...judged }, results.map(({ milliseconds }) => percentile(milliseconds, 0.99))),
      figure({ bench: 'latency.answer.p50', ...judged }, results.map(({ answered }) => percentile(answered, 0.5))),
      figure({ bench: 'latency.answer.p99', ...judged }, results.map(({ answered }) => percentile(answered, 0.99))),
      ...cpuFigure('latency', results, { services, settings }),
    ]
  },
}
