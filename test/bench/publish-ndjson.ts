import type { Db } from '@hub/runtime/db'
import { topicName } from '@hub/schemas/streams'
import { figure, median, mustEqual, VoidRun, type Bench, type BenchContext, type Figure } from './bench.ts'
import { runChild } from './child.ts'
import { cpuFigure, describeCpu } from './cpu-figure.ts'
import { openHub, type Hub, type ServiceName } from './hub.ts'
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

/**
 * NDJSON through the gateway while what comes behind it keeps up: the relay alone, each in a process of its own, and the whole region in one
 * process, whose single thread then also applies every event to its replica.
 */
export const publishNdjson: Bench = {
  name: 'publish-ndjson',
  what: '批量发布 NDJSON · NDJSON published while the outbox stays young',
  async run(context) {
    return [...await publishWith(context, ['gateway', 'relay']), ...await publishWith(context, ['region']), ...await peers(context)]
  },
}

async function publishWith(context: BenchContext, names: readonly ServiceName[]): Promise<Figure[]> {
  const { events, rounds } = sizeOf(context)
  const whole = names.includes('region')
  await using hub = await openHub(await context.stack(), context.profileDir)
  const [gateway] = await Promise.all(names.map((name) => hub.start(name, ORIGIN)))
  const topic = topicName(ORIGIN, 'complaint', hub.prefix)
  const arrived = (): Promise<number> => (whole ? appliedOf(hub.db(ORIGIN), topic) : sentOf(hub.db(ORIGIN), topic))
  const ours: Round[] = []
  let records = 0
  for (let round = 0; round <= rounds; round++) { // the first warms up
    const one = await publishRound(context, hub, { url: gateway!.url, round, events, earlier: events * round, arrived })
    records += one.records
    if (round > 0) ours.push(one)
    context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  ${names.join(' + ')}  ${Math.round(one.perSecond)}/s  oldest at the end ${one.oldestAtEnd.toFixed(2)} s  all arrived ${one.secondsToCatchUp.toFixed(1)} s later  ${describeCpu(one.cpu)}`)
  }
  if (whole) await mustHold(hub.db(ORIGIN), topic, records)
  const services = [...(whole ? [`region ${ORIGIN} (gateway, relay, replicator in one process)`] : names.map((name) => `${name} ${ORIGIN}`)), 'load']
  const settings = { events, bodiesAtOnce: BODIES, rounds, warmUpRounds: 1, secondsUntilAllArrived: ours.map(({ secondsToCatchUp }) => Number(secondsToCatchUp.toFixed(2))) }
  const bench = whole ? 'publish-ndjson-region' : 'publish-ndjson'
  return [
    figure({ bench, unit: 'events/s', better: 'higher', ...(whole ? {} : { floor: 20_000, aim: 100_000 }), services, settings }, ours.map((one) => one.perSecond)),
    figure({ bench: `${bench}.outbox-age`, unit: 's, oldest unpublished event in the last third of a run', better: 'lower', floor: FLAT_SECONDS, services, settings }, ours.map((one) => one.oldestAtEnd)),
    ...cpuFigure(bench, ours, { services, settings }),
  ]
}

/** On a hub of its own: nobody else may write the topic of a region that runs. */
async function peers(context: BenchContext): Promise<Figure[]> {
  const { events, rounds } = sizeOf(context)
  await using hub = await openHub(await context.stack())
  const rates: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const perSecond = await peerRound(context, hub, events)
    if (round > 0) rates.push(perSecond)
    context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  peer  ${Math.round(perSecond)}/s`)
  }
  return [figure({ bench: 'publish-ndjson', peer: PEER, unit: 'events/s', better: 'higher', services: ['load'], settings: { events, batch: 100, inFlight: 1, idempotent: true, acks: 'all', rounds, warmUpRounds: 1 } }, rates)]
}

function sizeOf({ quick }: BenchContext): { events: number, rounds: number } {
  return quick ? { events: 100_000, rounds: 2 } : { events: 300_000, rounds: 5 }
}

/** Events of the topic that the relay knows to be on the log. */
async function sentOf(db: Db, topic: string): Promise<number> {
  const { rows: [row] } = await db.query<{ events: bigint }>(
    'SELECT count(*) AS events FROM published p JOIN relay_position r USING (topic, partition) WHERE p.topic = $1 AND p.sequence <= r.last_sequence', [topic])
  return Number(row?.events ?? 0n)
}

async function publishRound(context: BenchContext, hub: Hub, { url, round, events, earlier, arrived }: { url: string, round: number, events: number, earlier: number, arrived: () => Promise<number> }): Promise<Round> {
  const db = hub.db(ORIGIN)
  const topic = topicName(ORIGIN, 'complaint', hub.prefix)
  let before: CpuSeconds | undefined // from the first byte on
  const settings: NdjsonSettings = { url, key: hub.keys.publisher, region: ORIGIN, seed: context.seed + round * BODIES, events, bodies: BODIES }
  const load = runChild<NdjsonResult>('./loads/ndjson.ts', settings, { signal: context.signal, onMessage: () => { before ??= cpuSeconds() } })
  const { result, samples } = await sampling(load, 100, async () => (before !== undefined ? await outboxAge(db) : undefined))
  const ended = performance.now()
  mustEqual('accepted events', acceptedOf(result), events)
  await mustBePublished(db, topic, earlier + events)
  await until('everything is on the log, or in the own replica', 120_000, async () => (await arrived() === earlier + events ? true : undefined), context.signal)
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
