import { type Db, type DbTx, DbError } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import type { Log } from '@hub/runtime/log'
import { pause } from '@hub/runtime/pause'
import { setTimeout as delay } from 'node:timers/promises'
import type { Here } from './handlers/handler.ts'
import { applyTechnical } from './handlers/index.ts'
import type { Item } from '@hub/schemas/log-item'
import type { ReplicatorMetrics } from './metrics.ts'
import type { Partitions } from './partitions.ts'
import type { Part, Queue } from './queue.ts'
import { decideParts, writeDecisions } from './store/apply.ts'
import { copyCuts } from './store/cuts.ts'
import { cutCheckpoints } from './store/checkpoints.ts'
import { fence, FencedError, type Lease, renewLease } from './store/lease.ts'
import { fenced, movePositions, type Move } from './store/positions.ts'

/** Most events of one transaction: more make it no faster, and building its parameters holds the event loop. */
const MAX_EVENTS = 3_000
const RETRY_MS = 100
const RETRY_MAX_MS = 2_000

export interface ApplierOptions {
  readonly db: Db
  readonly here: Here
  readonly queue: Queue
  readonly partitions: Partitions
  readonly leaseMs: number
  readonly metrics: ReplicatorMetrics
  readonly log: Log
  /** Rung after every transaction that moved a partition of the data streams. */
  onApplied(): void
  /** Positions must be read again: it is not known whether the last transaction happened. */
  onUnknownOutcome(): void
}

/**
 * Applies what waits, everything of all partitions in one transaction, until `signal` fires: at once when little waits, thousands at a time
 * behind a backlog. @throws FencedError when another process applies.
 */
export async function applyWhileHolding(lease: Lease, options: ApplierOptions, signal: AbortSignal): Promise<void> {
  const { db, queue, partitions, metrics, log } = options
  let renewAt = performance.now() + options.leaseMs / 3

  while (!signal.aborted) {
    if (queue.items === 0) {
      await waitForWork(Math.max(0, renewAt - performance.now()))
      if (queue.items === 0) await renew()
      continue
    }
    await apply(queue.take(MAX_EVENTS))
    renewAt = performance.now() + options.leaseMs / 3
  }

  function waitForWork(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
      void queue.filled().then(end)
    })
  }

  async function renew(): Promise<void> {
    if (signal.aborted || performance.now() < renewAt) return
    try {
      await renewLease(db, lease.epoch, options.leaseMs)
      renewAt = performance.now() + options.leaseMs / 3
    } catch (error) {
      if (error instanceof FencedError || !isTransient(error)) throw error
      log.warn({ err: error }, 'cannot renew the lease')
      await delay(RETRY_MS)
    }
  }

  /** Applies these parts or, where the database refuses, all of them but the one event that is refused and what comes behind it. */
  async function apply(parts: readonly Part[]): Promise<void> {
    const valid = parts.filter(({ slot }) => partitions.holds(slot))
    if (valid.length === 0 || signal.aborted) return
    const refusal = await attempt(valid)
    if (refusal === undefined) return
    if (valid.length > 1) {
      for (const part of valid) await apply([part])
      return
    }
    const { slot, items } = valid[0]!
    if (items.length === 1) {
      log.error({ err: refusal, topic: slot.topic, partition: slot.partition, offset: items[0]!.offset }, 'the database refuses an event')
      partitions.expel(slot, {
        code: 'database-refused',
        text: `数据库拒绝位移 ${items[0]!.offset} 的事件（${codeOf(refusal)}） · the database refuses the event at offset ${items[0]!.offset} (${codeOf(refusal)})`,
      })
      return
    }
    const half = items.length >> 1
    await apply([{ slot, items: items.slice(0, half) }])
    await apply([{ slot, items: items.slice(half) }])
  }

  /** @returns why the database, or our own code, refuses these parts; undefined when they are applied or nothing can be said. */
  async function attempt(parts: readonly Part[]): Promise<unknown> {
    for (let wait = RETRY_MS; ; wait = Math.min(wait * 2, RETRY_MAX_MS)) {
      const began = performance.now()
      try {
        failpoint('replicate.taken')
        const moves = await db.tx((c) => transact(c, lease, options, parts))
        failpoint('replicate.committed')
        advance(parts, moves, metrics, (performance.now() - began) / 1000)
        failpoint('replicate.advanced')
        if (moves.some(({ slot }) => !slot.technical)) options.onApplied()
        return undefined
      } catch (thrown) {
        const error = fenced(thrown)
        if (error instanceof FencedError) throw error
        if (!isTransient(error)) return error
        metrics.failures.inc()
        log.warn({ err: error }, 'the database does not take this transaction now')
        if (error instanceof DbError && error.outcomeUnknown) {
          partitions.dropAll()
          options.onUnknownOutcome()
          return undefined
        }
        await pause(wait, signal)
        if (signal.aborted) return undefined
      }
    }
  }
}

/** Two round trips: what is read goes out behind the fence, what is written together with the COMMIT. */
export async function transact(c: DbTx, lease: Lease, { here, leaseMs }: Pick<ApplierOptions, 'here' | 'leaseMs'>, parts: readonly Part[]): Promise<Move[]> {
  const [first, moves] = await Promise.all([fence(c, lease.epoch, leaseMs, count(parts, 'record')), decideParts(c, parts)])
  failpoint('replicate.decided')
  movePositions(c, moves)
  writeDecisions(c, moves, first)
  applyTechnical(c, here, moves.flatMap(({ decision }) => decision.technical))
  cutCheckpoints(c, here.region, moves)
  copyCuts(c, moves)
  return moves
}

/** Takes over in memory what was committed. */
function advance(parts: readonly Part[], moves: readonly Move[], metrics: ReplicatorMetrics, seconds: number): void {
  let events = 0
  for (const [i, { slot, decision }] of moves.entries()) {
    slot.next = decision.next
    slot.parkedOpen += decision.parkedOpen
    if (decision.shadowed.length > 0) slot.shadowing = true
    if (decision.heartbeatAt !== undefined) slot.freshness.heartbeatApplied(decision.heartbeatAt, decision.heartbeat?.delayMs ?? 0)
    for (const [name, number] of Object.entries(decision.counts)) if (number > 0) metrics.events.inc({ class: name }, number)
    events += parts[i]!.items.length
  }
  metrics.batchEvents.observe(events)
  metrics.transactionSeconds.observe(seconds)
}

function count(parts: readonly Part[], what: Item['what']): number {
  let number = 0
  for (const { items } of parts) for (const item of items) if (item.what === what) number++
  return number
}

function isTransient(error: unknown): boolean {
  return error instanceof DbError && error.class === 'transient'
}

function codeOf(error: unknown): string {
  return error instanceof DbError && error.sqlState !== undefined ? `SQLSTATE ${error.sqlState}` : error instanceof Error ? error.name : 'error'
}
