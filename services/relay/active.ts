import type { Codec } from '@hub/runtime/codec'
import type { Db, Lease } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Kafka } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import type { Wakeup } from '@hub/runtime/wakeup'
import type { Region, Topic } from '@hub/schemas/streams'
import type { GenesisWatch } from './genesis.ts'
import { beat } from './heartbeats.ts'
import type { RelayMetrics } from './metrics.ts'
import { type OwnPartition, ownPartition, reasonOf } from './partition.ts'
import { pump } from './pump.ts'
import { recoverOnRequest } from './recover.ts'
import { closeOutbox } from './recover-store.ts'
import { serveRequests } from './republish.ts'
import { checkAgainstLog, LogAheadError, pauseOf } from './restored.ts'
import { createSender, type Failpoint, type Sender } from './sender.ts'
import { createSentLog } from './sent-log.ts'
import { createStanding } from './standing.ts'
import { readPositions } from './store.ts'
import { together, withGrace } from './tasks.ts'
import { trim } from './trim.ts'

/** The delay in a heartbeat is right to within this time: a request is not tried longer. */
const PRODUCE_DEADLINE_MS = 10_000
const CLOSE_GRACE_MS = 1_000

export interface ActiveOptions {
  readonly region: Region
  readonly topics: readonly Topic[]
  readonly db: Db
  readonly kafka: Kafka
  readonly codec: Codec
  readonly genesis: GenesisWatch
  /** Of the consumer groups that read the own logs. */
  readonly groupPrefix: string
  readonly registryUrl: string
  /** For contracts of the registry. */
  readonly cacheDir: string
  readonly wakeup: Wakeup
  readonly metrics: RelayMetrics
  readonly log: Log
  readonly failpoint?: Failpoint | undefined
}

/** What the holder of the lease does: send, note what was sent, beat, trim. Begins from the stored positions each time. */
export function relayActive(options: ActiveOptions): { run(lease: Lease, signal: AbortSignal): Promise<void>; fault(): string | undefined } {
  const { region, topics, db, kafka, codec, genesis, groupPrefix, wakeup, metrics, log, failpoint: tested } = options
  const names = topics.map(({ topic }) => topic)
  const dataTopics = new Set(topics.filter(({ technical }) => !technical).map(({ topic }) => topic))
  let sender: Sender | undefined

  async function run(lease: Lease, signal: AbortSignal): Promise<void> {
    failpoint('relay.leased')
    const partitions = (await readPositions(db, names)).map(ownPartition)
    try {
      await send(partitions, lease, signal)
    } catch (error) {
      if (!(error instanceof LogAheadError)) throw error
      await stopped(error, partitions, signal)
    }
  }

  /** Until somebody asks for the recovery of this database nothing is sent, and nothing is taken in. */
  async function stopped({ ahead }: LogAheadError, partitions: readonly OwnPartition[], signal: AbortSignal): Promise<void> {
    const pause = pauseOf(ahead)
    log.error({ code: pause.code, ahead: ahead.map((one) => ({ ...one, sequence: String(one.sequence), next: String(one.next) })) }, 'this database is older than its own logs, nothing is sent or taken in')
    await closeOutbox(db, names, reasonOf(pause))
    metrics.paused.set({ reason: pause.code }, partitions.length)
    try {
      await recoverOnRequest({ ...options, partitions, groupPrefix }, signal)
    } finally {
      metrics.paused.reset()
    }
  }

  async function send(partitions: readonly OwnPartition[], lease: Lease, signal: AbortSignal): Promise<void> {
    const standing = createStanding(partitions, genesis, db, metrics, log, (fresh) => checkAgainstLog(db, kafka, groupPrefix, fresh))
    const sent = createSentLog(db, (events) => metrics.overtaken.inc(events))
    const producer = kafka.producer({ deadlineMs: PRODUCE_DEADLINE_MS })
    sender = createSender({ producer, sent, region, metrics, log, onDoubt: genesis.refresh, failpoint: tested })
    const heartbeats = { db, codec, lease, wakeup, metrics, log, partitions: () => standing.moving().filter(({ topic }) => dataTopics.has(topic)) }
    metrics.active.set(1)
    try {
      await standing.usable()
      await together(signal, [
        (ended) => pump({ db, sender: sender!, standing, wakeup, log }, ended),
        (ended) => sent.run(ended),
        (ended) => beat(heartbeats, ended),
        (ended) => trim(db, names, metrics.trimmed, log, ended),
        (ended) => serveRequests({ ...options, partitions }, ended),
      ])
    } finally {
      // Also when a task failed: what was acknowledged meanwhile would be sent once more.
      await sent.flush().catch((error: unknown) => log.warn({ err: error }, 'where the last events stand could not be noted, they are sent again'))
      metrics.active.set(0)
      metrics.paused.reset()
      sender = undefined
      await withGrace(producer.close(), AbortSignal.abort(), CLOSE_GRACE_MS)
    }
  }

  return { run, fault: () => sender?.fault() }
}
