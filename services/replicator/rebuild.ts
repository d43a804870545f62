import type { Db } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { isDataStream } from '@hub/schemas/streams'
import type { Here } from './handlers/handler.ts'
import type { LogState, LogWatch } from './log-watch.ts'
import { type Partitions, REBUILDING } from './partitions.ts'
import { fence, type Lease } from './store/lease.ts'
import { type BegunPlace, clearSlice, forgetPartition, markClearing, noteRebuild, readBegun } from './store/rebuild.ts'
import { writeAudit } from './store/repair.ts'
import type { ScrubRequest } from './store/scrub.ts'
import { keyOf } from './topic-partition.ts'

/** Records looked at in one transaction: what is applied meanwhile waits some hundredths of a second. */
const SLICE = 2_000

export interface Rebuilding {
  readonly db: Db
  readonly here: Here
  readonly leaseMs: number
  readonly partitions: Partitions
  readonly watch: LogWatch
  readonly log: Log
  /** Partitions may begin anew. */
  onCleared(): void
}

/** What became of one partition: how many rows went, or why it was left as it is. */
interface Cleared {
  readonly place: string
  readonly rows: number
  readonly refused: string | null
}

/**
 * Clears partitions of this replica, one after the other, so that each begins anew at the beginning of its log, while the others go on. A partition is left as
 * it is where its log could not give back what would be taken. A request that was begun and not finished is begun anew.
 * @returns the outcome that its asker reads. @throws FencedError when another process applies
 */
export async function rebuild(lease: Lease, options: Rebuilding, request: ScrubRequest, signal: AbortSignal): Promise<object> {
  const { db, watch, log } = options
  watch.forget()
  const logs = await watch.read()
  const cleared: Cleared[] = []
  for (const place of await readBegun(db, request.topic, request.partition)) {
    signal.throwIfAborted()
    const key = keyOf(place)
    const refused = whyNot(place, logs.get(key), options.here.region)
    if (refused !== undefined) {
      cleared.push({ place: key, rows: 0, refused })
      continue
    }
    log.warn({ topic: place.topic, partition: place.partition, who: request.who, why: request.why }, 'partition is cleared on request and replayed')
    cleared.push({ place: key, rows: await clear(lease, options, request, place, signal), refused: null })
  }
  return { partitions: cleared }
}

/** Why a partition must not be cleared: what it holds would not come back from this log. */
export function whyNot(place: Pick<BegunPlace, 'topic' | 'partition' | 'region' | 'records' | 'relayGeneration' | 'sent'>, state: LogState | undefined, region: string): string | undefined {
  if (state?.generation === undefined) return '日志不存在或不以 genesis 开头，请先运行 hub topics apply · the log does not exist or does not begin with its genesis: run "hub topics apply" first'
  if (place.region === region && place.sent && place.relayGeneration !== state.generation) {
    return '本地区尚未在新日志上重新发布，请先运行 hub republish · this region has not published again on the new log: run "hub republish" first'
  }
  if (BigInt(state.high - state.low) < place.records) {
    return `日志只有 ${state.high - state.low} 条，副本有 ${place.records} 条记录：请等来源地重新发布完毕 · the log has ${state.high - state.low} events and this replica ${place.records} records: wait until the origin has published everything again`
  }
  return undefined
}

/** @returns how many rows went */
async function clear(lease: Lease, options: Rebuilding, request: ScrubRequest, place: BegunPlace, signal: AbortSignal): Promise<number> {
  const { db, leaseMs, partitions } = options
  const slot = [...partitions.slots].find(({ topic, partition }) => topic === place.topic && partition === place.partition)
  if (slot !== undefined) partitions.expel(slot, REBUILDING)
  await db.tx(async (c) => {
    await fence(c, lease.epoch, leaseMs, 0)
    await markClearing(c, place)
  })
  let rows = 0
  for (const what of isDataStream(place.stream) ? ['current', 'history'] as const : []) {
    for (let after: string | undefined = ''; after !== undefined;) {
      signal.throwIfAborted()
      after = await db.tx(async (c): Promise<string | undefined> => {
        await fence(c, lease.epoch, leaseMs, 0)
        const slice = await clearSlice(c, what, place.stream as Parameters<typeof clearSlice>[2], place, after!, SLICE)
        rows += slice.rows
        await noteRebuild(c, request.id, { place: keyOf(place), rows })
        return slice.last
      })
      failpoint('act.cleared')
    }
  }
  await db.tx(async (c) => {
    await fence(c, lease.epoch, leaseMs, 0)
    forgetPartition(c, options.here.region, place)
    writeAudit(c, [{ who: request.who, what: 'rebuild', target: keyOf(place), why: request.why, detail: { rows, records: String(place.records), generation: place.generation, next: String(place.next) } }])
  })
  failpoint('act.rebuilt')
  options.onCleared()
  return rows
}
