import type { Stack } from '@hub/local/stack'
import { topicName, type Region } from '@hub/schemas/streams'
import { figure, mustEqual, VoidRun, type Bench, type BenchContext } from './bench.ts'
import { runChild } from './child.ts'
import { newComplaints } from './complaints.ts'
import { cpuFigure, describeCpu } from './cpu-figure.ts'
import { openHub, type Hub } from './hub.ts'
import { encodeComplaints, fillLog } from './log-fill.ts'
import { cpuSeconds, cpuUse, type CpuSeconds, type CpuUse } from './machine.ts'
import type { EachBatchSettings } from './peers/each-batch.ts'
import { appliedOf, mustHold } from './replica.ts'
import { until } from './wait.ts'

const ORIGIN = 'zj'
const READER = 'sh'
/** Its replica keeps no roll-ups: what they cost. */
const PLAIN_READER = 'ah'
const PEER = 'kafkajs eachBatch + unnest 1000, at least once'

const WITHOUT_ROLLUPS = `--import=${new URL('./peers/without-rollups.ts', import.meta.url).href}`
const WHO = ['ours', 'plain', 'peer'] as const
type Who = (typeof WHO)[number]

/** From the first event seen done to the last: events per second, and per processor second of everything together. */
interface Drained { perSecond: number, cpu: CpuUse | undefined, sinceStart: number }

/** One replica, the same without roll-ups, and the hand-written consumer, in turn, over the same log; a fresh topic and fresh tables each round. */
export const drain: Bench = {
  name: 'drain',
  what: '一个副本追平积压 · one replica draining complaints that wait in 6 partitions',
  async run(context) {
    const stack = await context.stack()
    const count = context.quick ? 100_000 : 300_000
    const rounds = context.quick ? 2 : 5
    const all: Record<Who, Drained[]> = { ours: [], plain: [], peer: [] }
    let encoded: Awaited<ReturnType<typeof encodeComplaints>> | undefined
    for (let round = 0; round <= rounds; round++) { // the first warms everything up and does not count
      context.signal.throwIfAborted()
      await using hub = await openHub(stack, context.profileDir)
      encoded ??= await encodeComplaints(hub, ORIGIN, newComplaints(count, context.seed, ORIGIN))
      await fillLog(hub, ORIGIN, encoded)
      const measured: Record<Who, () => Promise<Drained>> = {
        ours: () => drainOurs(context, hub, count, READER), plain: () => drainOurs(context, hub, count, PLAIN_READER), peer: () => drainPeer(context, stack, hub, count),
      }
      for (const who of round % 2 === 0 ? WHO : WHO.toReversed()) {
        const drained = await measured[who]()
        if (round > 0) all[who].push(drained)
        context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  ${who}  ${Math.round(drained.perSecond)}/s  ${describeCpu(drained.cpu)}`)
      }
    }
    const { ours, plain, peer: peers } = all
    const settings = { events: count, partitions: 6, bytesPerEvent: Math.round(meanBytes(encoded!)), rounds, warmUpRounds: 1, secondsSinceProcessStart: ours.map(({ sinceStart }) => Number(sinceStart.toFixed(2))) }
    const peerSettings = { ...settings, secondsSinceProcessStart: peers.map(({ sinceStart }) => Number(sinceStart.toFixed(2))), partitionsAtOnce: 6 }
    const services = [`replicator ${READER}`]
    return [
      figure({ bench: 'drain', unit: 'events/s', better: 'higher', floor: 40_000, aim: 85_000, services, settings }, ours.map((one) => one.perSecond)),
      figure({ bench: 'drain', peer: PEER, unit: 'events/s', better: 'higher', services: [], settings: peerSettings }, peers.map((one) => one.perSecond)),
      ...cpuFigure('drain', ours, { services, settings }),
      figure({ bench: 'drain', peer: 'without roll-ups', unit: 'events/s', better: 'higher', services, settings }, plain.map((one) => one.perSecond)),
      ...cpuFigure('drain', plain, { peer: 'without roll-ups', services, settings }),
      figure({ bench: 'drain.roll-ups', unit: '% of the throughput of applying', better: 'lower', floor: 10, services, settings }, ours.map(({ perSecond }, round) => (1 - perSecond / plain[round]!.perSecond) * 100)),
      ...cpuFigure('drain', peers, { peer: PEER, services: [], settings: peerSettings }),
    ]
  },
}

async function drainOurs(context: BenchContext, hub: Hub, count: number, reader: Region): Promise<Drained> {
  const topic = topicName(ORIGIN, 'complaint', hub.prefix)
  const began = performance.now()
  const starting = hub.start('replicator', reader, reader === PLAIN_READER ? [WITHOUT_ROLLUPS] : [])
  starting.catch(() => {}) // awaited below
  const db = hub.db(reader)
  const progress = track(count, began)
  await until('the replica has all', 120_000, async () => {
    const done = await appliedOf(db, topic).catch(() => 0) // before its tables are there
    return progress.see(done)
  }, context.signal, 50)
  const replicator = await starting
  await mustHold(db, topic, count)
  await replicator.stop()
  return progress.drained()
}

async function drainPeer(context: BenchContext, stack: Stack, hub: Hub, count: number): Promise<Drained> {
  const progress = track(count, performance.now())
  const settings: EachBatchSettings = {
    brokers: hub.brokers, ...hub.credentials(READER), topic: topicName(ORIGIN, 'complaint', hub.prefix), groupId: `${hub.prefix}${READER}.peer`,
    registryUrl: stack.registryUrl, databaseUrl: hub.databaseUrl('js'), partitionsAtOnce: 6, expected: count,
  }
  await runChild<{ written: number }>('./peers/each-batch.ts', settings, { signal: context.signal, onMessage: ({ written }) => void progress.see(written) })
  const { rows: [row] } = await hub.db('js').query<{ n: bigint }>('SELECT count(*) AS n FROM complaint_plain')
  mustEqual('rows of the peer', Number(row!.n), count)
  return progress.drained()
}

function track(count: number, began: number): { see(done: number): true | undefined, drained(): Drained } {
  let first: { at: number, done: number, cpu: CpuSeconds } | undefined
  let last: { at: number, cpu: CpuSeconds } | undefined
  return {
    see(done) {
      if (done > 0) first ??= { at: performance.now(), done, cpu: cpuSeconds() }
      if (done < count) return undefined
      last ??= { at: performance.now(), cpu: cpuSeconds() }
      return true
    },
    drained() {
      if (first === undefined || last === undefined || last.at === first.at) throw new VoidRun('all was drained before the first look: more events are needed')
      const events = count - first.done
      return { perSecond: events / ((last.at - first.at) / 1000), cpu: cpuUse(events, first.cpu, last.cpu), sinceStart: (last.at - began) / 1000 }
    },
  }
}

function meanBytes(partitions: readonly (readonly { value: Buffer }[])[]): number {
  const values = partitions.flat()
  return values.reduce((sum, { value }) => sum + value.length, 0) / values.length
}
