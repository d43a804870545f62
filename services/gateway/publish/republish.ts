import { appendOutbox, lockHeads, notifyOutbox, type Db } from '@hub/runtime/db'
import type { Log } from '@hub/runtime/log'
import type { Wakeup } from '@hub/runtime/wakeup'
import { setTimeout as delay } from 'node:timers/promises'
import { isCaughtUp, markQueued, readNewest, readShadowed, type ShadowedRow } from './republish-store.ts'

const BATCH = 500
const EVERY_MS = 5_000

/** Looks for shadowed records every few seconds until aborted, at zero lag alone: before, the replica's `shadowed` may be outdated. */
export async function keepRepublished(db: Db, topics: readonly string[], wakeup: Wakeup, log: Log, signal: AbortSignal): Promise<void> {
  while (await delay(EVERY_MS, true, { signal }).catch(() => false)) {
    try {
      if (!(await isCaughtUp(db, topics))) continue
      const count = await republishShadowed(db, topics, wakeup)
      if (count > 0) log.info({ count }, 'shadowed records published again')
    } catch (error) {
      log.warn({ err: error }, 'shadowed records not published again, will be tried later')
    }
  }
}

/**
 * Publishes shadowed records again: compaction would otherwise keep an older version, or a parked one, as the last of its key.
 * The same event (id, version, bytes) goes into the outbox at a new sequence, unless a newer version is on its way already; which of
 * the two is noted in `queued_sequence`, so that nothing is queued twice. The replicator removes the row when it sees the event.
 * Returns how many rows it took care of.
 */
export async function republishShadowed(db: Db, topics: readonly string[], wakeup: Wakeup): Promise<number> {
  if ((await readShadowed(db, topics, 1)).length === 0) return 0
  const taken = await db.tx(async (client) => {
    const candidates = await readShadowed(client, topics, BATCH)
    const partitions = new Map(candidates.map(({ topic, partition }) => [`${topic}/${partition}`, { topic, partition }]))
    const heads = await lockHeads(client, [...partitions.values()])
    // Read again under the lock: another gateway may have taken the same rows, or the replicator removed them.
    const rows = (await readShadowed(client, topics, BATCH)).filter((row) => heads.has(`${row.topic}/${row.partition}`))
    const newest = new Map((await readNewest(client, rows.map((row) => ({ topic: row.topic, recordId: row.record_id })))).map((row) => [`${row.topic} ${row.recordId}`, row]))
    const queued = planRepublication(rows, (row) => newest.get(`${row.topic} ${row.record_id}`), heads)
    appendOutbox(
      client,
      queued
        .filter((row) => row.append)
        .map((row) => ({
          topic: row.topic,
          partition: row.partition,
          sequence: row.queued,
          key: row.record_id,
          value: row.value,
          type: row.type,
          eventId: row.event_id,
          subject: row.subject,
          timeMs: Number(row.time_ms),
          traceparent: null,
        })),
    )
    await markQueued(client, queued)
    return queued.length
  })
  if (taken > 0) {
    wakeup.signal()
    notifyOutbox(db)
  }
  return taken
}

/** A shadowed record and the sequence at which its newest version goes, or went, into the outbox. */
export interface Republication extends ShadowedRow {
  readonly queued: bigint
  /** False where a newer version is on its way already. */
  readonly append: boolean
}

/** Decides what to publish again, numbered on from the locked heads (by `topic/partition`), which it raises. */
export function planRepublication(
  rows: readonly ShadowedRow[],
  newest: (row: ShadowedRow) => { readonly version: bigint; readonly sequence: bigint } | undefined,
  heads: Map<string, bigint>,
): Republication[] {
  return rows.map((row) => {
    const published = newest(row)
    if (published !== undefined && published.version > row.version) return { ...row, queued: published.sequence, append: false }
    const head = `${row.topic}/${row.partition}`
    const sequence = heads.get(head)!
    heads.set(head, sequence + 1n)
    return { ...row, queued: sequence, append: true }
  })
}
