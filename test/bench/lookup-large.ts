import { figure, median, type Bench } from './bench.ts'
import { codeOf, openCreditLog } from './credit.ts'
import { openHub } from './hub.ts'
import { cpuSecondsOf, residentBytes } from './machine.ts'
import { askSingly, CONNECTIONS, mustAnswer, range } from './lookup.ts'
import { until } from './wait.ts'

const REGION = 'ah'

/** The same process with a tenth of the listings, and after the rest has come while it ran: what an answer costs must not grow with them. */
export const lookupLarge: Bench = {
  name: 'lookup-large',
  what: '信用查询服务：名单增至十倍 · the credit lookup with ten times the listings',
  async run(context) {
    const [few, many] = context.quick ? [50_000, 500_000] : [1_000_000, 10_000_000]
    const [rounds, requests] = context.quick ? [3, 30_000] : [5, 60_000]
    await using hub = await openHub(await context.stack(), context.profileDir)
    await using log = await openCreditLog(hub)
    await log.listings(range(0, few), 1)
    let process = await hub.start('credit-lookup', REGION)
    const isListed = async (n: number): Promise<true | undefined> => {
      const response = await fetch(`${process.url}/v1/credit/${codeOf(n)}`, { headers: { authorization: `Bearer ${hub.keys.reader}` } })
      return (await response.json() as { verdict?: string }).verdict === 'listed' ? true : undefined
    }
    const measure = async (subjects: number): Promise<{ perSecond: number[], p99: number[], perCpuSecond: number[] }> => {
      await mustAnswer(hub, process, subjects)
      const found = { perSecond: [] as number[], p99: [] as number[], perCpuSecond: [] as number[] }
      for (let round = 0; round <= rounds; round++) { // the first warms everything up and does not count
        const { single, perCpu } = await askSingly(context, { url: process.url, key: hub.keys.reader, subjects }, round, requests, () => cpuSecondsOf([process.pid]))
        if (round === 0) continue
        found.perSecond.push(single.perSecond)
        found.p99.push(single.p99)
        found.perCpuSecond.push(perCpu)
      }
      context.say(`${subjects} listings: ${Math.round(median(found.perSecond))}/s, p99 ${median(found.p99).toFixed(2)} ms, ${Math.round(median(found.perCpuSecond))} per CPU second, ${Math.round(residentBytes([process.pid]) / 1e6)} MB resident`)
      return found
    }
    const before = await measure(few)
    await log.listings(range(few, many), 1)
    for (let n = many - 24; n < many; n++) await until('the last listings of every partition are there', 600_000, () => isListed(n), context.signal, 500)
    const after = await measure(many)
    const resident = residentBytes([process.pid]) / 1e6
    await process.stop()
    const began = performance.now()
    process = await hub.start('credit-lookup', REGION)
    const restart = (performance.now() - began) / 1000
    await mustAnswer(hub, process, many)
    context.say(`from its snapshot ${restart.toFixed(2)} s`)

    const common = { services: ['credit-lookup', 'load'], settings: { few, many, misses: 0.5, connections: CONNECTIONS, requests, rounds } }
    return [
      figure({ bench: 'lookup-large.few', unit: 'answers/s', better: 'higher', ...common }, before.perSecond),
      figure({ bench: 'lookup-large.many', unit: 'answers/s', better: 'higher', ...common }, after.perSecond),
      figure({ bench: 'lookup-large.few.cpu', unit: 'answers per CPU second of the lookup', better: 'higher', ...common }, before.perCpuSecond),
      figure({ bench: 'lookup-large.many.cpu', unit: 'answers per CPU second of the lookup', better: 'higher', ...common }, after.perCpuSecond),
      figure({ bench: 'lookup-large.slower', unit: '% fewer answers with ten times the listings', better: 'lower', floor: 15, ...common }, after.perSecond.map((one) => (1 - one / median(before.perSecond)) * 100)),
      figure({ bench: 'lookup-large.resident', unit: 'MB resident of the lookup', better: 'lower', floor: 600, aim: 450, ...common }, [resident]),
      figure({ bench: 'lookup-large.start', unit: 's from the snapshot until ready, process and broker included', better: 'lower', floor: 5, aim: 1.5, ...common }, [restart]),
    ]
  },
}
