import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { isFree } from '@hub/local/ports'
import { figure, median, mustEqual, VoidRun, type Bench, type BenchContext, type Figure } from './bench.ts'
import { runChild } from './child.ts'
import { codeOf, openCreditLog, type CreditLog } from './credit.ts'
import { openHub, type Hub, type HubProcess } from './hub.ts'
import type { LookupLoad, LookupLoadResult } from './loads/lookup.ts'
import { cpuSeconds, cpuSecondsOf, residentBytes } from './machine.ts'
import type { LookupServers, LookupServersSettings } from './peers/lookup-servers.ts'
import { until } from './wait.ts'

const REGION = 'ah'
export const CONNECTIONS = 32
const LOAD = './loads/lookup.ts'
const UPDATES_PER_SECOND = 2_000
const PARTS = ['lookup', 'pg', 'redis'] as const
type Part = (typeof PARTS)[number]

/** The lookup in a process of its own, beside what a team would put together over PostgreSQL and over Redis: see `peers/lookup-servers.ts`. */
export const lookup: Bench = {
  name: 'lookup',
  what: '信用查询服务：逐个、批量、更新中、重启 · the credit lookup: single questions, batches, while lists change, and its start',
  async run(context) {
    const subjects = context.quick ? 200_000 : 1_000_000
    await using hub = await openHub(await context.stack(), context.profileDir)
    await using log = await openCreditLog(hub)
    await log.listings(range(0, subjects), 1)
    context.say(`${subjects} listings on the log`)
    let began = performance.now()
    let process = await hub.start('credit-lookup', REGION)
    const fromNothing = (performance.now() - began) / 1000
    const stop = new AbortController()
    const redis = await startRedis(context)
    try {
      const peers = await serve(hub, process, subjects, redis?.port, AbortSignal.any([context.signal, stop.signal]))
      for (const url of [`${peers.url}/pg`, ...(redis === undefined ? [] : [`${peers.url}/redis`])]) await mustAgree(hub, process.url, url, subjects)
      const { pid } = process
      const cpu: Record<Part, () => number> = { lookup: () => cpuSecondsOf([pid]), pg: () => cpuSecondsOf([peers.pid]) + cpuSeconds().database, redis: () => cpuSecondsOf([peers.pid, redis!.child.pid!]) }
      const figures = await measure(context, hub, log, { lookup: process.url, pg: `${peers.url}/pg`, ...(redis !== undefined && { redis: `${peers.url}/redis` }) }, subjects, process, cpu)
      await process.stop()
      began = performance.now()
      process = await hub.start('credit-lookup', REGION)
      const restart = (performance.now() - began) / 1000
      context.say(`from nothing ${fromNothing.toFixed(1)} s, from its snapshot ${restart.toFixed(2)} s`)
      await mustAnswer(hub, process, subjects)
      const settings = { subjects }
      return [
        ...figures,
        figure({ bench: 'lookup.start.log', unit: 's from the log alone until ready', better: 'lower', services: ['credit-lookup'], settings }, [fromNothing]),
        figure({ bench: 'lookup.start.snapshot', unit: 's from the snapshot until ready, process and broker included', better: 'lower', services: ['credit-lookup'], settings }, [restart]),
      ]
    } finally {
      stop.abort()
      redis?.child.kill('SIGKILL')
    }
  },
}

async function measure(context: BenchContext, hub: Hub, log: CreditLog, urls: Readonly<Partial<Record<Part, string>>>, subjects: number, process: HubProcess, cpu: Record<Part, () => number>): Promise<Figure[]> {
  const rounds = context.quick ? 3 : 5
  const requests = context.quick ? 30_000 : 60_000
  const load = (url: string, over: Partial<LookupLoad>): Promise<LookupLoadResult> => runChild(LOAD, { url, key: hub.keys.reader, subjects, seed: context.seed, connections: CONNECTIONS, requests, ...over } satisfies LookupLoad, { signal: context.signal })
  const singles: Record<Part, LookupLoadResult[]> = { lookup: [], pg: [], redis: [] }
  const batches: Record<Part, LookupLoadResult[]> = { lookup: [], pg: [], redis: [] }
  const perCpuSecond: Record<Part, number[]> = { lookup: [], pg: [], redis: [] }
  for (let round = 0; round <= rounds; round++) { // the first warms everything up and does not count
    for (const part of round % 2 === 0 ? PARTS : PARTS.toReversed()) {
      const url = urls[part]
      if (url === undefined) continue
      const { single, perCpu } = await askSingly(context, { url, key: hub.keys.reader, subjects }, round, requests, cpu[part])
      if (round > 0) singles[part].push(single)
      if (round > 0) perCpuSecond[part].push(perCpu)
      if (part === 'redis') continue
      const batch = await load(url, { batch: 1_000, requests: 200, connections: 2, seed: context.seed + round })
      mustEqual(`${part}: batches answered with 200`, batch.statuses['200'] ?? JSON.stringify(batch.statuses), 200)
      if (round > 0) batches[part].push(batch)
      if (round > 0) context.say(`round ${round}  ${part}  ${Math.round(single.perSecond)}/s  p50 ${single.p50.toFixed(2)}  p99 ${single.p99.toFixed(2)} ms; a batch of 1 000 ${batch.p50.toFixed(1)} ms`)
    }
  }
  const resident = residentBytes([process.pid]) / 1e6

  const seconds = context.quick ? 8 : 20
  const updating = new AbortController()
  const updates = update(log, subjects, updating.signal)
  updates.catch(() => {}) // awaited below
  const open = await load(urls.lookup!, { perSecond: 5_000, requests: 5_000 * seconds })
  updating.abort()
  const applied = await updates
  mustEqual('questions answered with 200 while lists change', open.statuses['200'] ?? JSON.stringify(open.statuses), 5_000 * seconds)
  context.say(`5 000/s with ${Math.round(applied)} updates/s: p50 ${open.p50.toFixed(2)}  p99 ${open.p99.toFixed(2)}  p99.9 ${open.p999.toFixed(2)} ms`)

  const common = { services: ['credit-lookup', 'load'], settings: { subjects, misses: 0.5, connections: CONNECTIONS, requests, rounds } }
  const rate = (part: Part): number => median(singles[part].map(({ perSecond }) => perSecond))
  const perBatch = (part: Part): number => median(batches[part].map(({ perSecond }) => perSecond))
  return [
    // The load is one process on the other core, and no server can be asked faster than it asks: this is what answering costs.
    ...PARTS.filter((part) => urls[part] !== undefined).map((part) => figure({
      bench: 'lookup.closed.cpu', unit: 'answers per CPU second of the server and what it asks', better: 'higher', ...common, ...(part !== 'lookup' && { peer: `Fastify + ${part === 'pg' ? 'pg' : 'ioredis'}` }),
    }, perCpuSecond[part])),
    ...PARTS.filter((part) => urls[part] !== undefined).flatMap((part) => [
      figure({ bench: 'lookup.closed', unit: 'answers/s', better: 'higher', ...common, ...(part !== 'lookup' && { peer: `Fastify + ${part === 'pg' ? 'pg' : 'ioredis'}` }) }, singles[part].map(({ perSecond }) => perSecond)),
      figure({ bench: 'lookup.closed.p99', unit: 'ms', better: 'lower', ...common, ...(part !== 'lookup' && { peer: `Fastify + ${part === 'pg' ? 'pg' : 'ioredis'}` }) }, singles[part].map(({ p99 }) => p99)),
    ]),
    figure({ bench: 'lookup.closed.against-pg', unit: 'times', better: 'higher', floor: 3, aim: 6, ...common }, singles.lookup.map(({ perSecond }) => perSecond / rate('pg'))),
    ...(urls.redis === undefined ? [] : [figure({ bench: 'lookup.closed.against-redis', unit: 'times', better: 'higher', floor: 1.5, aim: 2, ...common }, singles.lookup.map(({ perSecond }) => perSecond / rate('redis')))]),
    figure({ bench: 'lookup.batch', unit: 'codes/s', better: 'higher', ...common }, batches.lookup.map(({ perSecond }) => perSecond * 1_000)),
    figure({ bench: 'lookup.batch.against-pg', unit: 'times', better: 'higher', floor: 10, ...common }, batches.lookup.map(({ perSecond }) => perSecond / perBatch('pg'))),
    figure({ bench: 'lookup.open.p99', unit: 'ms at 5 000/s with 2 000 updates/s', better: 'lower', floor: 10, ...common }, [open.p99]),
    figure({ bench: 'lookup.open.p999', unit: 'ms at 5 000/s with 2 000 updates/s', better: 'lower', aim: 10, ...common }, [open.p999]),
    figure({ bench: 'lookup.resident', unit: 'MB resident of the lookup', better: 'lower', ...common }, [resident]),
  ]
}

/** A round of single questions, and answers per processor second of `cpu`. The warm-up, round 0, asks three times as many: until then no process answered as fast as it ever does. */
export async function askSingly(context: BenchContext, of: Pick<LookupLoad, 'url' | 'key' | 'subjects'>, round: number, requests: number, cpu: () => number): Promise<{ single: LookupLoadResult, perCpu: number }> {
  const asked = round === 0 ? 3 * requests : requests
  const before = cpu()
  const single = await runChild<LookupLoadResult>(LOAD, { ...of, seed: context.seed + round, connections: CONNECTIONS, requests: asked } satisfies LookupLoad, { signal: context.signal })
  mustEqual(`${of.url}: questions answered with 200`, single.statuses['200'] ?? JSON.stringify(single.statuses), asked)
  return { single, perCpu: asked / (cpu() - before) }
}

/** Newer versions, a twentieth of a second at a time; how many a second went out. */
async function update(log: CreditLog, subjects: number, signal: AbortSignal): Promise<number> {
  const began = performance.now()
  let [sent, version] = [0, 2]
  while (!signal.aborted) {
    const due = Math.floor((performance.now() - began) / 1000 * UPDATES_PER_SECOND)
    if (due > sent) {
      await log.listings(Array.from({ length: due - sent }, (_, n) => ((sent + n) * 7_919) % subjects), version++)
      sent = due
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return sent / ((performance.now() - began) / 1000)
}

async function ask(hub: Hub, { url }: HubProcess, n: number): Promise<Record<string, unknown>> {
  return await (await fetch(`${url}/v1/credit/${codeOf(n)}`, { headers: { authorization: `Bearer ${hub.keys.reader}` } })).json() as Record<string, unknown>
}

/** Whoever is listed is said to be, and whoever is not, not. */
export async function mustAnswer(hub: Hub, process: HubProcess, subjects: number): Promise<void> {
  await until('every region is fresh', 30_000, async () => ((await ask(hub, process, subjects))['verdict'] === 'not-listed' ? true : undefined), new AbortController().signal, 200)
  for (let n = 0; n < 200; n++) {
    const at = (n * 104_729) % subjects
    mustEqual(`verdict of subject ${at}`, (await ask(hub, process, at))['verdict'], 'listed')
    mustEqual(`verdict of subject ${at + subjects}`, (await ask(hub, process, at + subjects))['verdict'], 'not-listed')
  }
}

/** A peer says the same of everybody, byte for byte but for what an answer says of its moment and for the offset, which the peers do not know; in batches too. */
async function mustAgree(hub: Hub, ours: string, peer: string, subjects: number): Promise<void> {
  const headers = { authorization: `Bearer ${hub.keys.reader}` }
  const codes = Array.from({ length: 400 }, (_, n) => codeOf((n * 104_729) % (2 * subjects)))
  const plain = (text: string): string => text.replace(/"offset":\d+/g, '"offset":0')
  const single = async (url: string, code: string): Promise<string> => {
    const { at, cursor, asOf, ...said } = await (await fetch(`${url}/v1/credit/${code}`, { headers })).json() as Record<string, unknown>
    mustEqual(`answer of ${url} to ${code} has its moment`, typeof at === 'string' && typeof cursor === 'string' && Array.isArray(asOf), true)
    return plain(JSON.stringify(said))
  }
  for (const code of codes) mustEqual(`answer of ${peer} to ${code}`, await single(peer, code), await single(ours, code))
  if (peer.endsWith('/redis')) return
  const batch = async (url: string): Promise<string> => {
    const text = await (await fetch(`${url}/v1/credit/batch`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ codes }) })).text()
    return plain(text.split('\n').filter((line) => line.startsWith('{"uscc"')).join('\n'))
  }
  mustEqual(`batch of ${peer}`, await batch(peer), await batch(ours))
}

async function serve(hub: Hub, process: HubProcess, subjects: number, redisPort: number | undefined, signal: AbortSignal): Promise<LookupServers> {
  await mustAnswer(hub, process, subjects)
  const settings: LookupServersSettings = {
    region: REGION, key: hub.keys.reader, databaseUrl: hub.databaseUrl(REGION), subjects, ...(redisPort !== undefined && { redisPort }),
  }
  return await new Promise<LookupServers>((resolve, reject) => {
    // It serves until it is told to end, which is no failure then.
    runChild<LookupServers>('./peers/lookup-servers.ts', settings, { signal, onMessage: resolve }).then(() => reject(new VoidRun('the servers ended')), reject)
  })
}

/** `HUB_BENCH_REDIS`, else the `redis-server` of the machine; without one that peer is left out, and the table says so. */
async function startRedis({ say }: BenchContext): Promise<{ child: ChildProcess, port: number } | undefined> {
  let port = 21_000
  while (!await isFree(port)) port++
  const child = spawn(process.env['HUB_BENCH_REDIS'] ?? 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: ['ignore', 'pipe', 'ignore'] })
  const [how] = await Promise.race([once(child, 'error').then(() => ['none']), once(child.stdout!, 'data').then(() => ['there'])])
  child.stdout?.resume()
  if (how === 'there') return { child, port }
  say('这台机器没有 redis-server，不与之比较 · no redis-server on this machine: not compared with it')
  return undefined
}

export function* range(from: number, to: number): Generator<number> {
  for (let n = from; n < to; n++) yield n
}
