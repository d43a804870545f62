import { appendOutbox, lockHeads, notifyOutbox, type Db, type DbTx } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Wakeup } from '@hub/runtime/wakeup'
import { planBatch, type Histories, type NewRow, type Outcome, type PreparedEvent } from './publish-batch.ts'
import { countedBySource, type PublishedVersion } from './publish-decision.ts'
import { insertPublished, readBodies, readCurrent, readVersions, type PublishedRow, type RecordKey } from './published.ts'

/**
 * Publishes a batch in one transaction: lock the heads, then read what is published, then decide and write (design 3, "Outbox").
 * The lock is what makes sequence order commit order, and what lets two gateways decide on the same record.
 */
export async function publishBatch(db: Db, events: PreparedEvent[], isEnded: (kind: string) => boolean, wakeup: Wakeup): Promise<Outcome[]> {
  const { outcomes, rows } = await db.tx((client) => publishIn(client, events, isEnded))
  failpoint('publish.committed')
  if (rows.length > 0) {
    wakeup.signal()
    notifyOutbox(db)
  }
  return outcomes
}

/** The same within a transaction that does more; whoever commits it rings the bell. `importId` where the events come of a file. */
export async function publishIn(client: DbTx, events: PreparedEvent[], isEnded: (kind: string) => boolean, importId: string | null = null): Promise<{ outcomes: Outcome[]; rows: NewRow[] }> {
  // Asked for together and done in this order, each on a snapshot of its own: what is read was committed before the lock was ours.
  const [heads, histories] = await Promise.all([lockHeads(client, partitionsOf(events)), readHistories(client, events, isEnded)])
  const plan = planBatch(events, histories, (topic, partition) => {
    const next = heads.get(`${topic}/${partition}`)
    if (next === undefined) throw new Error(`no outbox head for ${topic}/${partition}`)
    return next
  })
  failpoint('publish.decided')
  if (plan.rows.length > 0) {
    appendOutbox(
      client,
      plan.rows.map(({ event, sequence, value }) => ({
        topic: event.topic,
        partition: event.partition,
        sequence,
        key: event.recordId,
        value,
        type: event.type,
        eventId: event.eventId,
        subject: event.subject,
        timeMs: event.timeMs,
        traceparent: event.traceparent,
      })),
    )
    insertPublished(client, plan.rows, importId)
  }
  return plan
}

/** Reads what a batch is decided against; without the heads' lock (a rehearsal) the answer may be outdated at once. */
export async function readHistories(db: Pick<Db, 'query'>, events: PreparedEvent[], isEnded: (kind: string) => boolean): Promise<Histories> {
  const keys = new Map<string, RecordKey>()
  for (const { topic, recordId } of events) keys.set(`${topic} ${recordId}`, { topic, recordId })
  const current = new Map((await readCurrent(db, [...keys.values()])).map((row) => [recordKey(row), versionOf(row)]))
  const older = events.flatMap(({ topic, recordId, origin }) => {
    const newest = current.get(recordKey({ topic, recordId }))
    if (newest === undefined || origin.from === 'hub') return []
    const known = countedBySource(newest)
    return [...(newest.own ? [known] : []), ...(origin.from !== 'counter' && origin.version < known ? [origin.version] : [])].map((version) => ({ topic, recordId, version }))
  })
  const versions = older.length === 0 ? new Map<string, PublishedVersion>() : new Map((await readVersions(db, older)).map((row) => [versionKey({ ...row, version: countedBySource(row) }), versionOf(row)]))
  const repeated = events.filter(({ again, origin }) => again === true && origin.from === 'counter')
  const bodies = new Map((repeated.length === 0 ? [] : await readBodies(db, repeated)).map((row) => [bodyKey(row), versionOf(row)]))
  return {
    findBody: (topic, recordId, hash) => bodies.get(bodyKey({ topic, recordId, hash })),
    current: (topic, recordId) => current.get(recordKey({ topic, recordId })),
    find: (topic, recordId, version) => versions.get(versionKey({ topic, recordId, version })),
  }

  function versionOf({ version, hash, eventId, kind, sourceVersion, own }: PublishedRow): PublishedVersion {
    return { version, hash, eventId, sourceVersion, own, ended: isEnded(kind), erased: kind === 'erasure' }
  }
}

function partitionsOf(events: PreparedEvent[]): { topic: string; partition: number }[] {
  const partitions = new Map<string, { topic: string; partition: number }>()
  for (const { topic, partition } of events) partitions.set(`${topic}/${partition}`, { topic, partition })
  return [...partitions.values()]
}

function recordKey({ topic, recordId }: RecordKey): string {
  return `${topic} ${recordId}`
}

function bodyKey({ topic, recordId, hash }: RecordKey & { hash: Buffer }): string {
  return `${hash.toString('hex')} ${topic} ${recordId}`
}

function versionKey({ topic, recordId, version }: RecordKey & { version: number }): string {
  return `${version} ${topic} ${recordId}`
}
