import type { Db } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import type { Wakeup } from '@hub/runtime/wakeup'
import { HEARTBEAT } from './heartbeats.ts'
import { keyOf, setAside, type OwnPartition } from './partition.ts'
import type { Sender } from './sender.ts'
import { followsOn, shareOf, type Share } from './shares.ts'
import type { Standing } from './standing.ts'
import { readWaiting } from './store.ts'

/** Every loss of a wake-up is made good within this time. */
const POLL_MS = 1_000
/** Per partition and request: small enough not to hold the event loop, large enough that a backlog costs little per event. */
const BOUNDS = { rows: 250, bytes: 512 * 1024, heartbeat: HEARTBEAT }
const LAST_BACKOFF_MS = 5_000
/**
 * Least time between two requests while there is no backlog. An event on an idle relay goes at once; those that follow it within this time share a
 * request, a fetch and a transaction in each of the four replicas, which cost far more than the events in them.
 */
const BETWEEN_SENDS_MS = 10

export interface PumpOptions {
  readonly db: Db
  readonly sender: Sender
  readonly standing: Standing
  readonly wakeup: Wakeup
  readonly log: Log
}

/**
 * Brings everything from the outbox to the log, one request in flight, until `signal` fires. While one is under way what waits behind
 * it is read. After an unknown outcome everything not acknowledged is read and sent again.
 */
export async function pump({ db, sender, standing, wakeup, log }: PumpOptions, signal: AbortSignal): Promise<void> {
  let ahead: Promise<Share[]> | undefined
  let failures = 0
  let sentAt = -Infinity
  while (!signal.aborted) {
    if (ahead === undefined) await pause(sentAt + BETWEEN_SENDS_MS - performance.now(), signal)
    const usable = await standing.usable()
    const shares = (await (ahead ?? read(usable, new Map()))).filter((share) => usable.includes(share.partition) && followsOn(share))
    ahead = undefined
    if (shares.length === 0) {
      await wakeup.wait(POLL_MS, signal)
      continue
    }
    // Whoever writes rings after its commit, and a ring meanwhile is remembered: only a read that left something behind needs another at once.
    if (shares.some(({ more }) => more)) {
      ahead = read(usable, new Map(shares.map(({ partition, last }) => [partition, last])))
      ahead.catch(() => { /* thrown where it is awaited, unless what it follows was not acknowledged */ })
    }
    sentAt = performance.now()
    if (await sender.send(shares, signal)) {
      failures = 0
      const partly = shares.some(({ partition, last }) => partition.fault === undefined && partition.acked < last)
      if (ahead === undefined && !partly) await wakeup.wait(POLL_MS, signal)
      continue
    }
    await ahead?.catch(() => {})
    ahead = undefined
    await pause(Math.min(100 * 2 ** failures++, LAST_BACKOFF_MS), signal)
  }

  async function read(partitions: readonly OwnPartition[], sent: ReadonlyMap<OwnPartition, bigint>): Promise<Share[]> {
    const readAt = performance.now()
    const byKey = new Map(partitions.map((partition) => [keyOf(partition), partition]))
    const behind = new Map(partitions.map((partition) => [partition, sent.get(partition) ?? partition.acked]))
    const waiting = await readWaiting(db, [...behind].map(([{ topic, partition }, after]) => ({ topic, partition, after })), BOUNDS)
    failpoint('relay.read')
    return waiting.flatMap((one) => {
      const partition = byKey.get(keyOf(one))!
      const share = shareOf(one, partition, behind.get(partition)!, readAt)
      if ('rows' in share) return [share]
      const found = share.found === undefined ? `下一序号 ${one.nextSequence} · next sequence ${one.nextSequence}` : `之后是 ${share.found} · ${share.found} comes next`
      setAside(partition, { code: 'sequence-gap', text: `发件箱缺少序号 ${share.missing}（${found}）：事件已丢失，请恢复或重新发布 · sequence ${share.missing} is missing in the outbox: events are lost; restore them or publish them again` }, performance.now())
      log.error({ topic: partition.topic, partition: partition.partition, missing: share.missing.toString() }, 'events are missing in the outbox')
      return []
    })
  }
}
