import type { Writer } from '@hub/runtime/codec'
import { appendOutbox, lockHeads, notifyOutbox, type Db, type DbClient, type OutboxRow } from '@hub/runtime/db'
import { Problem } from '@hub/runtime/http'
import type { Wakeup } from '@hub/runtime/wakeup'
import type { SourceStatus } from '@hub/schemas/generated/source-status'
import { topicName, type Region } from '@hub/schemas/streams'
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Declaration } from './declaration.ts'
import { deleteHandOver, findHandOver, insertHandOver, readReached, readStoredSources, writeStoredSource, type StoredHandOver, type StoredSource } from './store.ts'

/** Full name of the contract that sources are published by. */
export const SOURCE_STATUS = 'cn.yrd.source_status.SourceStatus'

/** A finished delivery. */
export interface HandOver {
  /** Given by the caller, or the id of the import: the same one twice counts once. */
  readonly id: string
  /** Rows or events that it had. */
  readonly rows: number | null
  readonly way: 'import' | 'api'
  /** Everything that the source has was in it. A complete file of a source with `mode: full` always is. */
  readonly baseline: boolean
  readonly caller: string
}

export interface HandedOver {
  readonly at: Date
  readonly baselineCompleteAt: Date | null
  /** It was told before. */
  readonly duplicate: boolean
}

export interface Sources {
  /** Publishes what is new or other in the declarations, and what is no longer declared. @returns the ids that were published */
  declare(declarations: readonly Declaration[]): Promise<string[]>
  /**
   * Publishes a finished delivery, with the sequences that everything the source wrote stands at or below; once durable it is never lost. Call it after the events are
   * committed. @throws Problem SOURCE_UNDECLARED, HAND_OVER_CONFLICT for the same id with other content
   */
  handOver(source: string, handOver: HandOver): Promise<HandedOver>
  /**
   * Withdraws a hand-over whose content is taken back, where it is the source's last: the one before is the last again, for what came since is gone. A later one stands, for it says that all is here.
   */
  takeBack(source: string, handOverId: string): Promise<void>
}

export interface SourcesOptions {
  readonly db: Db
  /** Of `SOURCE_STATUS`. */
  readonly writer: Writer
  readonly region: Region
  readonly topicPrefix: string
  /** The outbox's bell. */
  readonly wakeup: Wakeup
}

/** The source systems of this region on the log: one record each. The lock of their topic's head orders declarations and hand-overs of all gateways of the region. */
export function createSources({ db, writer, region, topicPrefix, wakeup }: SourcesOptions): Sources {
  const topic = topicName(region, 'source-status', topicPrefix)

  return {
    async declare(declarations) {
      const published = await publishing(async (c) => {
        const stored = new Map((await readStoredSources(c)).map((source) => [source.id, source]))
        const now = new Date()
        const changed = declarations.flatMap((declaration) => changedBy(stored.get(declaration.id), declaration, now))
        const kept = new Set(declarations.map(({ id }) => id))
        const gone = [...stored.values()].filter(({ id, declared, published: told }) => (declared || !told) && !kept.has(id)).map((source) => ({ ...source, declared: false }))
        return { publish: [...changed, ...gone], result: undefined }
      })
      return published.ids
    },

    async handOver(id, { rows, way, baseline, caller, id: handOverId }) {
      const { result } = await publishing<HandedOver>(async (c) => {
        const [source] = await readStoredSources(c, id)
        if (source?.declared !== true) throw new Problem(404, 'SOURCE_UNDECLARED', '来源系统未申报 · the source is not declared', "Add it to the region's sources.yaml; the gateway reads it at its start.")
        const known = await findHandOver(c, id, handOverId)
        if (known !== undefined) {
          if (known.baseline !== baseline || known.way !== way || (known.rows === null ? null : Number(known.rows)) !== rows) {
            throw new Problem(409, 'HAND_OVER_CONFLICT', '同一交付编号已用于另一次交付 · the hand-over id was used for another one', 'Give each hand-over an id of its own.')
          }
          return { publish: [], result: { at: known.at, baselineCompleteAt: source.baselineCompleteAt, duplicate: true } }
        }
        const at = new Date(Math.max(Date.now(), (source.lastHandOver?.at.getTime() ?? 0) + 1))
        const reached = await readReached(c, source.declaration.streams.map((stream) => topicName(region, stream, topicPrefix)))
        const handOver: StoredHandOver = { id: handOverId, at, rows: rows === null ? null : BigInt(rows), way, baseline, partitions: reached.map((one) => ({ ...one, topic: one.topic.slice(topicPrefix.length) })) }
        await insertHandOver(c, id, caller, handOver)
        const whole = baseline || (way === 'import' && source.declaration.mode === 'full')
        const next = { ...source, lastHandOver: handOver, baselineCompleteAt: source.baselineCompleteAt ?? (whole ? at : null) }
        return { publish: [next], result: { at, baselineCompleteAt: next.baselineCompleteAt, duplicate: false } }
      })
      return result
    },

    async takeBack(id, handOverId) {
      await publishing(async (c) => {
        const [source] = await readStoredSources(c, id)
        const last = source?.lastHandOver
        if (source === undefined || last?.id !== handOverId) return { publish: [], result: undefined }
        const before = await deleteHandOver(c, id, handOverId)
        const baselineCompleteAt = source.baselineCompleteAt?.getTime() === last.at.getTime() ? null : source.baselineCompleteAt
        return { publish: [{ ...source, lastHandOver: before ?? null, baselineCompleteAt }], result: undefined }
      })
    },
  }

  /** Decides under the lock of the topic's head, and writes what is to be published with it. */
  async function publishing<T>(decide: (c: DbClient) => Promise<{ publish: readonly StoredSource[]; result: T }>): Promise<{ ids: string[]; result: T }> {
    const { ids, result } = await db.tx(async (c) => {
      const heads = await lockHeads(c, [{ topic, partition: 0 }])
      const first = heads.get(`${topic}/0`)!
      const { publish, result } = await decide(c)
      const now = Date.now()
      const rows = publish.map((source, i): OutboxRow & { stored: StoredSource } => {
        const stored = { ...source, version: BigInt(Math.max(now, Number(source.version) + 1)) }
        return { stored, topic, partition: 0, sequence: first + BigInt(i), key: source.id, value: writer.encode(statusOf(stored, region, now)), type: SOURCE_STATUS, eventId: randomUUID(), subject: null, timeMs: now, traceparent: null }
      })
      for (const { stored } of rows) await writeStoredSource(c, stored)
      await appendOutbox(c, rows)
      return { ids: publish.map(({ id }) => id), result }
    })
    if (ids.length > 0) {
      wakeup.signal()
      notifyOutbox(db)
    }
    return { ids, result }
  }
}

/** What a declaration makes of what is published; nothing where it says the same. One that comes back owes from now on. */
function changedBy(stored: StoredSource | undefined, declaration: Declaration, now: Date): StoredSource[] {
  if (stored === undefined) return [{ id: declaration.id, version: 0n, declaration, declared: true, declaredSince: now, baselineCompleteAt: null, lastHandOver: null, published: true }]
  if (!stored.declared) return [{ ...stored, declaration, declared: true, declaredSince: now }]
  return stored.published && isDeepStrictEqual(stored.declaration, declaration) ? [] : [{ ...stored, declaration }]
}

function statusOf({ id, version, declaration, declared, declaredSince, baselineCompleteAt, lastHandOver }: StoredSource, region: Region, at: number): SourceStatus {
  const { owner, contact, caller, streams, mode, cadenceSeconds, versionRule } = declaration
  return {
    region, version: Number(version), at, sourceSystem: id, declared, declaredSince: declaredSince.getTime(), owner, dutyLine: contact, caller, streams: [...streams], mode, cadenceSeconds, versionRule,
    baselineCompleteAt: baselineCompleteAt?.getTime() ?? null,
    lastHandOver: lastHandOver === null ? null : {
      handOverId: lastHandOver.id, at: lastHandOver.at.getTime(), rows: lastHandOver.rows === null ? null : Number(lastHandOver.rows), way: lastHandOver.way, partitions: [...lastHandOver.partitions],
    },
  }
}
