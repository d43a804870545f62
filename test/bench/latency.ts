import type { Db } from '@hub/runtime/db'
import { REGIONS, topicName } from '@hub/schemas/streams'
import { setTimeout as delay } from 'node:timers/promises'
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
    const scrubbed: LatencyResult[] = []
    // Each round without and then with the readers' scrubbers at work all the time, at full speed: as a pass of its own time never is.
    for (const [n, scrubbing] of Array.from({ length: rounds }, () => [false, true]).flat().entries()) {
      const round = Math.floor(n / 2)
      const settings: LatencySettings = {
        url: origin!.url, key: hub.keys.publisher, region: ORIGIN, seed: context.seed + n, perSecond: PER_SECOND, warmUpSeconds, seconds,
        replicas: readers.map((region) => hub.databaseUrl(region)),
      }
      const before = cpuSeconds()
      const stop = new AbortController()
      const scrubs = scrubbing ? Promise.all(readers.map((region) => scrubUntil(hub.db(region), stop.signal))) : undefined
      const result = await runChild<LatencyResult>('./loads/latency.ts', settings, { signal: context.signal })
      stop.abort()
      const passes = await scrubs
      mustEqual('requests answered with 201', result.statuses['201'] ?? JSON.stringify(result.statuses), result.sent)
      mustEqual('notices of the replicas', result.notices, result.sent * readers.length)
      const cpu = cpuUse(result.sent, before, cpuSeconds())
      if (scrubbing) scrubbed.push(result)
      else results.push({ ...result, cpu })
      const at = (p: number): string => percentile(result.milliseconds, p).toFixed(1)
      context.say(`round ${round + 1}${passes === undefined ? '' : `, scrubbed ${passes.join(' + ')} times`}  visible p50 ${at(0.5)} ms  p99 ${at(0.99)} ms  max ${at(1)} ms  answered p50 ${percentile(result.answered, 0.5).toFixed(1)} ms  p99 ${percentile(result.answered, 0.99).toFixed(1)} ms  ${describeCpu(cpu)}`)
    }
    for (const region of readers) await mustHold(hub.db(region), topicName(ORIGIN, 'complaint', hub.prefix), PER_SECOND * (warmUpSeconds + seconds) * rounds * 2)
    const services = [...REGIONS.map((region) => `region ${region} (gateway, relay, replicator)`), 'load and probe']
    const settings = { perSecond: PER_SECOND, seconds, warmUpSeconds, rounds, loop: 'open', probe: 'row trigger + NOTIFY in three replicas' }
    const judged = { unit: 'ms', better: 'lower' as const, services, settings }
    return [
      figure({ bench: 'latency.p50', floor: 10, aim: 6, ...judged }, results.map(({ milliseconds }) => percentile(milliseconds, 0.5))),
      figure({ bench: 'latency.p99', floor: 100, aim: 25, ...judged }, results.map(({ milliseconds }) => percentile(milliseconds, 0.99))),
      figure({ bench: 'latency.scrub.p50', ...judged }, scrubbed.map(({ milliseconds }) => percentile(milliseconds, 0.5))),
      figure({ bench: 'latency.scrub.p99', ...judged }, scrubbed.map(({ milliseconds }) => percentile(milliseconds, 0.99))),
      figure({ bench: 'latency.answer.p50', ...judged }, results.map(({ answered }) => percentile(answered, 0.5))),
      figure({ bench: 'latency.answer.p99', ...judged }, results.map(({ answered }) => percentile(answered, 0.99))),
      ...cpuFigure('latency', results, { services, settings }),
    ]
  },
}

/** Has a replica looked at as a whole, again and again. @returns how often */
async function scrubUntil(db: Db, signal: AbortSignal): Promise<number> {
  for (let passes = 0; ; passes++) {
    const { rows: [request] } = await db.query<{ id: bigint }>(`INSERT INTO scrub_request (kind, who, why) VALUES ('scrub', 'bench', 'latency') RETURNING id`)
    while (!signal.aborted && (await db.query('SELECT FROM scrub_request WHERE id = $1 AND finished_at IS NULL', [request!.id])).rows.length > 0) await delay(50)
    if (signal.aborted) return passes
  }
}
