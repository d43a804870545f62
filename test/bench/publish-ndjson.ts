import { topicName } from '@hub/schemas/streams'
import { figure, median, mustEqual, VoidRun, type Bench, type BenchContext } from './bench.ts'
import { runChild } from './child.ts'
import { cpuFigure, describeCpu } from './cpu-figure.ts'
import { openHub, type Hub } from './hub.ts'
import { cpuSeconds, cpuUse, type CpuSeconds, type CpuUse } from './machine.ts'
import { acceptedOf, type NdjsonResult, type NdjsonSettings } from './ndjson-result.ts'
import { mustBePublished, outboxAge } from './outbox.ts'
import type { PublishPeerResult, PublishPeerSettings } from './peers/publish.ts'
import { appliedOf, mustHold } from './replica.ts'
import { sampling, until } from './wait.ts'

const ORIGIN = 'zj'
const PEER = 'kafkajs + registry client, batches of 100, no HTTP, no outbox'
/** The outbox age is flat when its last third is no older than this, or than its middle third. */
const FLAT_SECONDS = 1
const BODIES = 2

interface Round { perSecond: number, cpu: CpuUse | undefined, records: number, oldestAtEnd: number, secondsToCatchUp: number }

/** NDJSON through the gateway while relay and replicator of the region keep up with it. */
export const publishNdjson: Bench = {
  name: 'publish-ndjson',
  what: '批量发布 NDJSON · NDJSON published while the outbox stays young',
  async run(context) {
    const events = context.quick ? 100_000 : 300_000
    const rounds = context.quick ? 2 : 5
    await using hub = await openHub(await context.stack(), context.profileDir)
    const region = await hub.start('region', ORIGIN)
    const topic = topicName(ORIGIN, 'complaint', hub.prefix)
    const ours: Round[] = []
    const peers: number[] = []
    let records = 0
    for (let round = 0; round <= rounds; round++) { // the first warms up
      const one = await publishRound(context, hub, { url: region.url, round, events, earlier: events * round })
      records += one.records
      if (round > 0) ours.push(one)
      context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  ours  ${Math.round(one.perSecond)}/s  oldest at the end ${one.oldestAtEnd.toFixed(2)} s  all applied ${one.secondsToCatchUp.toFixed(1)} s later  ${describeCpu(one.cpu)}`)
    }
    await mustHold(hub.db(ORIGIN), topic, records)
    await region.stop() // the peer writes the same topic, which nobody may while the region runs
    for (let round = 0; round <= rounds; round++) {
      const perSecond = await peerRound(context, hub, events)
      if (round > 0) peers.push(perSecond)
      context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  peer  ${Math.round(perSecond)}/s`)
    }
    const services = [`region ${ORIGIN} (gateway, relay, replicator)`, 'load']
    const settings = { events, bodiesAtOnce: BODIES, rounds, warmUpRounds: 1, secondsUntilAllApplied: ours.map(({ secondsToCatchUp }) => Number(secondsToCatchUp.toFixed(2))) }
    return [
      figure({ bench: 'publish-ndjson', unit: 'events/s', better: 'higher', floor: 20_000, aim: 100_000, services, settings }, ours.map((one) => one.perSecond)),
      figure({ bench: 'publish-ndjson.outbox-age', unit: 's, oldest unpublished event in the last third of a run', better: 'lower', floor: FLAT_SECONDS, services, settings }, ours.map((one) => one.oldestAtEnd)),
      ...cpuFigure('publish-ndjson', ours, { services, settings }),
      figure({ bench: 'publish-ndjson', peer: PEER, unit: 'events/s', better: 'higher', services: ['load'], settings: { events, batch: 100, inFlight: 1, idempotent: true, acks: 'all', rounds, warmUpRounds: 1 } }, peers),
    ]
  },
}

async function publishRound(context: BenchContext, hub: Hub, { url, round, events, earlier }: { url: string, round: number, events: number, earlier: number }): Promise<Round> {
  const db = hub.db(ORIGIN)
  const topic = topicName(ORIGIN, 'complaint', hub.prefix)
  let before: CpuSeconds | undefined // from the first byte on
  const settings: NdjsonSettings = { url, key: hub.keys.publisher, region: ORIGIN, seed: context.seed + round * BODIES, events, bodies: BODIES }
  const load = runChild<NdjsonResult>('./loads/ndjson.ts', settings, { signal: context.signal, onMessage: () => { before ??= cpuSeconds() } })
  const { result, samples } = await sampling(load, 100, async () => (before !== undefined ? await outboxAge(db) : undefined))
  const ended = performance.now()
  mustEqual('accepted events', acceptedOf(result), events)
  await mustBePublished(db, topic, earlier + events)
  await until('the own replica has all', 120_000, async () => (await appliedOf(db, topic) === earlier + events ? true : undefined), context.signal)
  const cpu = cpuUse(events, before ?? cpuSeconds(), cpuSeconds())
  const ages = samples.flatMap((age) => (age === undefined ? [] : [age]))
  const third = Math.floor(ages.length / 3)
  if (third === 0) throw new VoidRun('too few looks at the outbox: more events are needed')
  return { perSecond: events / result.seconds, cpu, records: result.records, oldestAtEnd: median(ages.slice(-third)), secondsToCatchUp: (performance.now() - ended) / 1000 }
}

async function peerRound(context: BenchContext, hub: Hub, events: number): Promise<number> {
  const settings: PublishPeerSettings = {
    brokers: hub.brokers, ...hub.credentials(ORIGIN), topic: topicName(ORIGIN, 'complaint', hub.prefix), registryUrl: hub.registryUrl,
    region: ORIGIN, seed: context.seed, events, batch: 100,
  }
  const { seconds, acknowledged } = await runChild<PublishPeerResult>('./peers/publish.ts', settings, { signal: context.signal })
  mustEqual('events acknowledged to the peer', acknowledged, events)
  return events / seconds
}
