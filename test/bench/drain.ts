import type { Stack } from '@hub/local/stack'
import { topicName } from '@hub/schemas/streams'
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
const PEER = 'kafkajs eachBatch + unnest 1000, at least once'

/** From the first event seen done to the last: events per second, and per processor second of everything together. */
interface Drained { perSecond: number, cpu: CpuUse | undefined, sinceStart: number }

/** One replica and the hand-written consumer, in turn, over the same log; a fresh topic and fresh tables each round. */
export const drain: Bench = {
  name: 'drain',
  what: '一个副本追平积压 · one replica draining complaints that wait in 6 partitions',
  async run(context) {
    const stack = await context.stack()
    const count = context.quick ? 100_000 : 300_000
    const rounds = context.quick ? 2 : 5
    const ours: Drained[] = []
    const peers: Drained[] = []
    let encoded: Awaited<ReturnType<typeof encodeComplaints>> | undefined
    for (let round = 0; round <= rounds; round++) { // the first warms everything up and does not count
      context.signal.throwIfAborted()
      await using hub = await openHub(stack, context.profileDir)
      encoded ??= await encodeComplaints(hub, ORIGIN, newComplaints(count, context.seed, ORIGIN))
      await fillLog(hub, ORIGIN, encoded)
      const measured = { ours: (): Promise<Drained> => drainOurs(context, hub, count), peer: (): Promise<Drained> => drainPeer(context, stack, hub, count) }
      const order = round % 2 === 0 ? ['ours', 'peer'] as const : ['peer', 'ours'] as const
      for (const who of order) {
        const drained = await measured[who]()
        if (round > 0) (who === 'ours' ? ours : peers).push(drained)
        context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  ${who}  ${Math.round(drained.perSecond)}/s  ${describeCpu(drained.cpu)}`)
      }
    }
    const settings = { events: count, partitions: 6, bytesPerEvent: Math.round(meanBytes(encoded!)), rounds, warmUpRounds: 1, secondsSinceProcessStart: ours.map(({ sinceStart }) => Number(sinceStart.toFixed(2))) }
    const peerSettings = { ...settings, secondsSinceProcessStart: peers.map(({ sinceStart }) => Number(sinceStart.toFixed(2))), partitionsAtOnce: 6 }
    const services = [`replicator ${READER}`]
    return [
      figure({ bench: 'drain', unit: 'events/s', better: 'higher', floor: 40_000, aim: 85_000, services, settings }, ours.map((one) => one.perSecond)),
      figure({ bench: 'drain', peer: PEER, unit: 'events/s', better: 'higher', services: [], settings: peerSettings }, peers.map((one) => one.perSecond)),
      ...cpuFigure('drain', ours, { services, settings }),
      ...cpuFigure('drain', peers, { peer: PEER, services: [], settings: peerSettings }),
    ]
  },
}

async function drainOurs(context: BenchContext, hub: Hub, count: number): Promise<Drained> {
  const topic = topicName(ORIGIN, 'complaint', hub.prefix)
  const began = performance.now()
  const starting = hub.start('replicator', READER)
  starting.catch(() => {}) // awaited below
  const db = hub.db(READER)
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
