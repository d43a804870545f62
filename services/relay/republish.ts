import type { Codec } from '@hub/runtime/codec'
import { appendOutbox, type Db, lockHeads, type OutboxRow } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import type { Wakeup } from '@hub/runtime/wakeup'
import { contractFor } from '@hub/schemas/contracts'
import { isDataStream, type Topic } from '@hub/schemas/streams'
import { type GenesisWatch, judge } from './genesis.ts'
import { keyOf, type OwnPartition } from './partition.ts'
import { forgetLostActs, readOwnActs } from './republish-acts.ts'
import { adoptLog, forgetLost, moveVersions, readOnTheirWay, readRecords, tellParkedAgain, tellSourcesAgain } from './republish-store.ts'
import { audit, finishRequest, nextRequest, noteProgress, type RelayRequest } from './requests.ts'
import { fromLog } from './tasks.ts'

/** How soon a request is taken up. */
const LOOK_MS = 500
const PAGE = 300
const MOST_TOLD = 100

/** How far each partition is, by `topic/partition`. */
type Progress = Readonly<Record<string, PartitionProgress>>

interface PartitionProgress {
  /** The last record that was looked at. */
  readonly after: string
  readonly published: number
  /** Records of which a version was in the outbox anyway. */
  readonly waiting: number
  readonly lost: number
  /** The first of those lost. */
  readonly records: readonly string[]
  readonly done: boolean
}

const NOTHING: PartitionProgress = { after: '', published: 0, waiting: 0, lost: 0, records: [], done: false }

export interface Republishing {
  readonly db: Db
  readonly codec: Codec
  readonly region: string
  readonly topics: readonly Topic[]
  readonly partitions: readonly OwnPartition[]
  readonly genesis: GenesisWatch
  readonly wakeup: Wakeup
  readonly log: Log
}

/**
 * Waits until an operator asks for what was published to be published again, because its topic was created anew, and does it. Ends when it is done: positions
 * must be read again. Takes up what another process began. Who asks for a recovery is told that there is nothing to recover, once that is known.
 */
export async function serveRequests(options: Republishing, signal: AbortSignal): Promise<void> {
  const { db, partitions } = options
  while (!signal.aborted) {
    const request = await nextRequest<Progress>(db)
    if (request?.kind === 'republish') return await republish(options, request, signal)
    if (request?.kind === 'recover' && partitions.some(({ checked }) => checked)) await finishRequest(db, request, { recovered: false })
    await pause(LOOK_MS, signal)
  }
}

/**
 * Puts the current version of every record of a topic that was created anew into the outbox, stubs included, as this region's replica has it: the same event,
 * version and bytes, behind what waits. Sequences go on where they were. What waits in a newer version is left to it. Of an announcement topic, every act.
 */
async function republish(options: Republishing, request: RelayRequest<Progress>, signal: AbortSignal): Promise<void> {
  const { db, log, wakeup } = options
  await fromLog(options.genesis.read())
  let progress = request.progress
  const places = placesOf(options, request)
  log.info({ topic: request.topic, partitions: places.length, who: request.who, why: request.why }, 'publishing again on request')
  for (const { topic, own } of places) {
    const key = keyOf(own)
    while (progress[key]?.done !== true) {
      if (signal.aborted) return
      const now = progress[key] ?? NOTHING
      const next = await db.tx(async (client) => {
        const step = await page(client, options, topic, own, now) ?? await complete(client, options, request, topic, own, now)
        await noteProgress(client, request, progress, { ...progress, [key]: step })
        return step
      })
      progress = { ...progress, [key]: next }
      failpoint('act.republished')
      wakeup.signal()
    }
  }
  await finishRequest(db, request, outcomeOf(options, request, progress))
}

/** Own partitions that were asked for and stand still because their log is another one. */
function placesOf({ topics, partitions, genesis }: Republishing, request: RelayRequest<Progress>): { topic: Topic; own: OwnPartition }[] {
  return partitions.flatMap((own) => {
    if (request.topic !== null && own.topic !== request.topic) return []
    const verdict = judge(genesis.of(own.topic, own.partition), own)
    return verdict.usable || verdict.pause.code !== 'generation-changed' ? [] : [{ topic: topics.find(({ topic }) => topic === own.topic)!, own }]
  })
}

type Client = Parameters<Parameters<Db['tx']>[0]>[0]

/** The next page; undefined when there is none. */
async function page(client: Client, { codec, region }: Republishing, { stream }: Topic, own: OwnPartition, now: PartitionProgress): Promise<PartitionProgress | undefined> {
  const { topic, partition, acked } = own
  if (stream === 'announcement') {
    const acts = await readOwnActs(client, codec, region, now.after)
    if (acts.length === 0) return undefined
    let sequence = (await lockHeads(client, [own])).get(keyOf(own))!
    appendOutbox(client, acts.map(({ row }): OutboxRow => ({ ...row, topic, partition, sequence: sequence++ })))
    return { ...now, after: acts.at(-1)!.id, published: now.published + acts.length }
  }
  if (!isDataStream(stream)) return undefined
  // Lock first: whoever publishes a newer version meanwhile comes before it or behind it, never beside it.
  let sequence = (await lockHeads(client, [own])).get(keyOf(own))!
  const records = await readRecords(client, stream, region, partition, now.after, PAGE)
  if (records.length === 0) return undefined
  const onTheirWay = await readOnTheirWay(client, topic, records, acked)
  const rows = records.filter(({ recordId }) => !onTheirWay.has(recordId)).map((record) => ({ ...record, sequence: sequence++ }))
  appendOutbox(client, rows.map((row): OutboxRow => ({
    topic, partition, sequence: row.sequence, key: row.recordId, value: row.body, type: contractFor(stream, row.ended ? 'void' : 'original').fullName, eventId: row.eventId,
    subject: row.subject, timeMs: Number(row.timeMs), traceparent: null,
  })))
  await moveVersions(client, topic, rows)
  return { ...now, after: records.at(-1)!.recordId, published: now.published + rows.length, waiting: now.waiting + records.length - rows.length }
}

/** The end of a partition: the relay may use its new log. */
async function complete(client: Client, { region }: Republishing, request: RelayRequest<Progress>, { stream }: Topic, own: OwnPartition, now: PartitionProgress): Promise<PartitionProgress> {
  const lost = isDataStream(stream) ? await forgetLost(client, own, stream, region, own.acked) : stream === 'announcement' ? await forgetLostActs(client, own, region, own.acked) : []
  if (stream === 'parked') await tellParkedAgain(client)
  if (stream === 'source-status') await tellSourcesAgain(client)
  await adoptLog(client, own)
  const done = { ...now, lost: lost.length, records: lost.slice(0, MOST_TOLD).map(({ recordId }) => recordId), done: true }
  await audit(client, request, 'republish', keyOf(own), { published: done.published, waiting: done.waiting, lost: done.lost, records: done.records, generation: own.generation })
  return done
}

function outcomeOf({ topics, partitions, genesis }: Republishing, { topic }: RelayRequest<Progress>, progress: Progress): object {
  const refused = topic !== null && !topics.some((one) => one.topic === topic)
    ? [`${topic} 不是本地区的主题 · ${topic} is no topic of this region`]
    : partitions.flatMap((own) => {
        if ((topic !== null && own.topic !== topic) || progress[keyOf(own)] !== undefined) return []
        const beginning = genesis.of(own.topic, own.partition)
        return 'generation' in beginning ? [] : [`${keyOf(own)}: ${beginning.text}`]
      })
  return { partitions: Object.entries(progress).map(([place, { published, waiting, lost, records }]) => ({ place, published, waiting, lost, records })), refused }
}
