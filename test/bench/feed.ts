import { PARTITIONS, topicName } from '@hub/schemas/streams'
import { figure, mustEqual, type Bench, type BenchContext } from './bench.ts'
import { runChild } from './child.ts'
import { complaintVersions, newComplaints } from './complaints.ts'
import { openHub, type Hub } from './hub.ts'
import { percentile } from './load.ts'
import type { FeedLiveResult, FeedLiveSettings } from './loads/feed-live.ts'
import type { FeedReadResult, FeedReadSettings } from './loads/feed-read.ts'
import { encodeComplaints, fillLog } from './log-fill.ts'
import { appliedOf } from './replica.ts'
import { until } from './wait.ts'

const ORIGIN = 'zj'
const READER = 'js'
const READERS = 50
const PER_SECOND = 500

/** A region's change feed: from the beginning to one reader, and live to many. */
export const feed: Bench = {
  name: 'feed',
  what: '变更流：从头读取，以及 50 个实时读者 · change feed: from the beginning, and live to 50 readers',
  async run(context) {
    return [...await fromTheBeginning(context), ...await live(context)]
  },
}

async function fromTheBeginning(context: BenchContext) {
  const events = context.quick ? 60_000 : 200_000
  const rounds = context.quick ? 2 : 5
  await using hub = await openHub(await context.stack(), context.profileDir)
  await fillLog(hub, ORIGIN, await encodeComplaints(hub, ORIGIN, complaintVersions(events, context.seed, ORIGIN)))
  const region = await hub.start('region', READER)
  await applied(hub, events, context)
  const { rows: [row] } = await hub.db(READER).query<{ n: bigint }>(`SELECT (SELECT count(*) FROM complaint) + (SELECT count(*) FROM history WHERE change_no IS NOT NULL) AS n`)
  const expected = Number(row!.n)
  const perSecond: number[] = []
  for (let round = 0; round <= rounds; round++) { // the first warms up
    const settings: FeedReadSettings = { url: region.url, key: hub.keys.reader, expected }
    const { seconds, changes, inOrder } = await runChild<FeedReadResult>('./loads/feed-read.ts', settings, { signal: context.signal })
    mustEqual('changes read', changes, expected)
    mustEqual('changes in order', inOrder, true)
    if (round > 0) perSecond.push(changes / seconds)
    context.say(`${round === 0 ? 'warm-up' : `round ${round}`}  ${Math.round(changes / seconds)} changes/s to one reader`)
  }
  return [figure({ bench: 'feed.read', unit: 'changes/s', better: 'higher', floor: 20_000, services: [`region ${READER} (gateway, relay, replicator)`, 'one reader'], settings: { changes: expected, rounds, form: 'server-sent events' } }, perSecond)]
}

async function live(context: BenchContext) {
  const seconds = context.quick ? 10 : 30
  const warmUpSeconds = 5
  const rounds = context.quick ? 2 : 5
  const p50: number[] = []
  const p99: number[] = []
  await using hub = await openHub(await context.stack(), context.profileDir)
  const region = await hub.start('region', READER)
  let sequence = Array.from({ length: PARTITIONS.complaint }, () => 0)
  for (let round = 0; round < rounds; round++) {
    const events = newComplaints(PER_SECOND * (warmUpSeconds + seconds), context.seed + round, ORIGIN)
    const partitions = await encodeComplaints(hub, ORIGIN, events, sequence)
    sequence = partitions.map((part, n) => sequence[n]! + part.length)
    const messages: FeedLiveSettings['messages'] = []
    for (let n = 0; messages.length < events.length; n++) {
      for (const [partition, part] of partitions.entries()) for (const message of part.slice(n, n + 1)) messages.push({ partition, message })
    }
    const settings: FeedLiveSettings = {
      url: region.url, key: hub.keys.reader, readers: READERS, brokers: hub.brokers, ...hub.credentials(ORIGIN), topic: topicName(ORIGIN, 'complaint', hub.prefix), messages, perSecond: PER_SECOND, warmUpSeconds,
      databaseUrl: hub.databaseUrl(READER),
    }
    const result = await runChild<FeedLiveResult>('./loads/feed-live.ts', settings, { signal: context.signal })
    mustEqual('changes that every reader has', result.changes, events.length)
    mustEqual('changes in order', result.inOrder, true)
    p50.push(percentile(result.milliseconds, 0.5))
    p99.push(percentile(result.milliseconds, 0.99))
    context.say(`round ${round + 1}  behind apply p50 ${p50.at(-1)!.toFixed(1)} ms  p99 ${p99.at(-1)!.toFixed(1)} ms  max ${percentile(result.milliseconds, 1).toFixed(1)} ms`)
  }
  const judged = { unit: 'ms', better: 'lower' as const, services: [`region ${READER} (gateway, relay, replicator)`, 'load and readers'], settings: { perSecond: PER_SECOND, readers: READERS, seconds, warmUpSeconds, rounds, from: 'begin of the applying transaction' } }
  return [figure({ bench: 'feed.live.p50', ...judged }, p50), figure({ bench: 'feed.live.p99', floor: 50, ...judged }, p99)]
}

async function applied(hub: Hub, events: number, context: BenchContext): Promise<void> {
  const topic = topicName(ORIGIN, 'complaint', hub.prefix)
  await until('the replica has all', 120_000, async () => (await appliedOf(hub.db(READER), topic) === events ? true : undefined), context.signal)
}
