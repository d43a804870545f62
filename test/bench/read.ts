import { topicName } from '@hub/schemas/streams'
import { figure, median, mustEqual, VoidRun, type Bench, type BenchContext } from './bench.ts'
import { runChild } from './child.ts'
import { newComplaints } from './complaints.ts'
import { openHub, type Hub } from './hub.ts'
import type { ClosedLoopResult } from './load.ts'
import type { ReadSettings } from './loads/read.ts'
import { encodeComplaints, fillLog } from './log-fill.ts'
import type { ReadServers, ReadServersSettings } from './peers/read-servers.ts'
import { appliedOf, mustHold } from './replica.ts'
import { until } from './wait.ts'

const ORIGIN = 'zj'
const READER = 'sh'
const RECORDS = 20_000
const CONNECTIONS = 16

/** What a key and the visibility table cost a read of one record: the same read with and without them, in turn, from one process. */
export const read: Bench = {
  name: 'read',
  what: '读取一条记录，有无身份验证和可见性 · reads of one record, with and without authentication and visibility',
  async run(context) {
    const rounds = context.quick ? 6 : 12
    const requests = context.quick ? 6_000 : 12_000
    await using hub = await openHub(await context.stack(), context.profileDir)
    const events = newComplaints(RECORDS, context.seed, ORIGIN)
    await fillLog(hub, ORIGIN, await encodeComplaints(hub, ORIGIN, events))
    await replicate(hub, context)
    const recordIds = events.map(({ recordId }) => recordId)
    const stop = new AbortController()
    const servers = await serve(hub, AbortSignal.any([context.signal, stop.signal]))
    const perSecond: number[] = []
    const microseconds: Record<keyof ReadServers, number[]> = { guarded: [], plain: [] }
    try {
      for (let round = 0; round <= rounds; round++) { // the first warms everything up and does not count
        for (const which of round % 2 === 0 ? ['guarded', 'plain'] as const : ['plain', 'guarded'] as const) {
          const settings: ReadSettings = { url: servers[which], key: hub.keys.reader, recordIds, connections: CONNECTIONS, requests }
          const before = await cpuOf(servers)
          const result = await runChild<ClosedLoopResult>('./loads/read.ts', settings, { signal: context.signal })
          const cost = (await cpuOf(servers) - before) / requests
          mustEqual('reads answered with 200', result.statuses['200'] ?? JSON.stringify(result.statuses), requests)
          if (round > 0) microseconds[which].push(cost)
          if (round > 0 && which === 'guarded') perSecond.push(result.perSecond)
          context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  ${which}  ${Math.round(result.perSecond)}/s  p50 ${result.p50.toFixed(1)} ms  p99 ${result.p99.toFixed(1)} ms  ${cost.toFixed(0)} µs of the gateway's processor`)
        }
      }
    } finally {
      stop.abort()
    }
    const services = ['gateway (its record route)', 'load']
    const settings = { records: RECORDS, requests, connections: CONNECTIONS, rounds, warmUpRounds: 1 }
    // Processor time of the serving process alone: what the database does is the same, and throughput on shared cores says little.
    const costs = microseconds.guarded.map((guarded, i) => (guarded / microseconds.plain[i]! - 1) * 100)
    context.say(`with ${median(microseconds.guarded).toFixed(0)} µs, without ${median(microseconds.plain).toFixed(0)} µs`)
    return [
      figure({ bench: 'read', unit: 'records/s', better: 'higher', services, settings }, perSecond),
      figure({ bench: 'read.cost', unit: '%', better: 'lower', floor: 10, services, settings }, costs),
    ]
  },
}

async function replicate(hub: Hub, { signal }: BenchContext): Promise<void> {
  const topic = topicName(ORIGIN, 'complaint', hub.prefix)
  const replicator = await hub.start('replicator', READER)
  await until('the replica has all', 60_000, async () => (await appliedOf(hub.db(READER), topic).catch(() => 0) >= RECORDS ? true : undefined), signal, 50)
  await mustHold(hub.db(READER), topic, RECORDS)
  await replicator.stop()
}

/** Microseconds of processor time that the serving process has used. */
async function cpuOf(servers: ReadServers): Promise<number> {
  const { user, system } = await (await fetch(`${servers.plain}/cpu`)).json() as NodeJS.CpuUsage
  return user + system
}

async function serve(hub: Hub, signal: AbortSignal): Promise<ReadServers> {
  const settings: ReadServersSettings = {
    region: READER, databaseUrl: hub.databaseUrl(READER), registryUrl: hub.registryUrl, topicPrefix: hub.prefix, callersFile: hub.callersFile(READER), stateDir: hub.stateDir,
  }
  return await new Promise<ReadServers>((resolve, reject) => {
    // It serves until it is told to end, which is no failure then.
    runChild<ReadServers>('./peers/read-servers.ts', settings, { signal, onMessage: resolve }).then(() => reject(new VoidRun('the servers ended')), reject)
  })
}
