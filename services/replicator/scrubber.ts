import type { Codec } from '@hub/runtime/codec'
import { createDb } from '@hub/runtime/db'
import type { Kafka } from '@hub/runtime/kafka'
import { pause } from '@hub/runtime/pause'
import { setImmediate } from 'node:timers/promises'
import type { Place } from './check-row.ts'
import type { Finding } from './difference.ts'
import { rebuild, type Rebuilding } from './rebuild.ts'
import { recopyCuts } from './recopy.ts'
import { localiseAndRepair, repairCounts, type Repaired } from './repair.ts'
import { type Pace, type Pass, scrubPartition } from './scrub.ts'
import type { ScrubMetrics } from './scrub-metrics.ts'
import { FencedError, type Lease } from './store/lease.ts'
import { finishRequest, nextRequest, readDifferent, readPlaces, type ScrubOutcome, type ScrubRequest, writeScrub } from './store/scrub.ts'

/** How soon a request is taken up. */
const LOOK_MS = 500
const AGAIN_MS = 10_000
/** A pass in its own time waits this many times as long as it worked, so that it takes a fifth of the event loop. */
const REST = 4
const MOST_TOLD = 100

/** Who the scrubber is in the audit, and why it repairs. */
const ITSELF = { who: 'scrub', why: '副本与日志不符 · the replica was not what the log makes of it' }

export interface Scrubbing extends Rebuilding {
  readonly databaseUrl: string
  readonly kafka: Kafka
  readonly codec: Codec
  readonly groupPrefix: string
  /** In this time every partition is looked at once. */
  readonly passMs: number
  /** True while a backlog is applied: no pass is begun then, unless somebody asks. */
  busy(): boolean
  readonly metrics: ScrubMetrics
}

/**
 * Looks at one partition after the other, all of them once in `passMs`, and does what operators ask for, at once, until `signal` fires. What differs from the
 * log is put right. Reads on connections of its own.
 */
export async function scrubWhileHolding(lease: Lease, options: Scrubbing, signal: AbortSignal): Promise<void> {
  const { db, metrics, log } = options
  await using own = createDb({ url: options.databaseUrl, name: 'replicator scrub', max: 1, log })
  const startedAt = performance.now()
  let nextAt = 0
  let failing = false
  while (!signal.aborted) {
    try {
      const request = await nextRequest(db)
      if (request !== undefined) {
        await serve(request)
        continue
      }
      if (performance.now() >= nextAt) await goOn()
      failing = false
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof FencedError) return
      if (!failing) log.warn({ err: error }, 'cannot scrub now')
      failing = true
      await pause(AGAIN_MS, signal)
    }
    await pause(Math.min(LOOK_MS, Math.max(0, nextAt - performance.now())), signal)
  }

  /** The partition whose turn it is, if its time has come. */
  async function goOn(): Promise<void> {
    const places = await readPlaces(db)
    const between = options.passMs / Math.max(1, places.length)
    nextAt = performance.now() + between
    const [first] = places
    if (first === undefined) return
    metrics.age.set((first.ageMs ?? performance.now() - startedAt) / 1000)
    if (options.busy() || (first.ageMs !== null && first.ageMs < options.passMs - between)) return
    await look(first, rest, ITSELF)
  }

  async function serve(request: ScrubRequest): Promise<void> {
    log.info({ kind: request.kind, topic: request.topic, partition: request.partition, who: request.who }, 'scrub on request')
    if (request.kind === 'rebuild') return await finishRequest(db, request.id, await rebuild(lease, options, request, signal))
    const began = performance.now()
    const places = (await readPlaces(db)).filter(({ topic, partition }) => (request.topic === null || topic === request.topic) && (request.partition === null || partition === request.partition))
    const outcomes: ScrubOutcome[] = []
    for (const place of places) {
      signal.throwIfAborted()
      const outcome = await look(place, atOnce, { who: request.who, why: request.why }, request.kind === 'repair')
      if (outcome !== undefined) outcomes.push(outcome)
    }
    const number = (result: ScrubOutcome['result']): number => outcomes.filter((one) => one.result === result).length
    await finishRequest(db, request.id, {
      partitions: outcomes.length, rows: outcomes.reduce((sum, { rows }) => sum + rows, 0), ms: Math.round(performance.now() - began),
      equal: number('equal'), repaired: number('repaired'), different: number('different'),
      reasons: outcomes.flatMap(({ reason }) => reason ?? []).slice(0, MOST_TOLD), findings: outcomes.flatMap(({ findings }) => findings).slice(0, MOST_TOLD),
    })
  }

  /** One pass; what it finds is localised, put right and looked at again. `thorough`: compares with the log whatever the pass says. */
  async function look(place: Place, pace: Pace, by: { who: string; why: string }, thorough = false): Promise<ScrubOutcome | undefined> {
    const began = performance.now()
    const { topic, partition } = place
    const pass = await scrubPartition(own, options.codec, place, pace, signal)
    if (pass === undefined) return undefined
    const outcome = isClean(pass) && !thorough ? told(pass, 'equal') : await mend(place, pass, pace, by, thorough)
    const all = { ...outcome, ms: performance.now() - began }
    await writeScrub(db, place, all)
    metrics.partitions.inc({ result: all.result })
    metrics.rows.inc(all.rows)
    metrics.seconds.observe(all.ms / 1000)
    metrics.different.set(await readDifferent(db))
    for (const { what } of all.findings) metrics.findings.inc({ what })
    if (all.result !== 'equal') {
      const records = all.findings.slice(0, MOST_TOLD).map(({ recordId, what, fields }) => ({ recordId, what, fields: fields.map(({ field }) => field) }))
      log.error({ topic, partition, result: all.result, reason: all.reason, records, ...by }, 'a partition was not what the log makes of it')
    }
    return all
  }

  async function mend(place: Place, pass: Pass, pace: Pace, by: { who: string; why: string }, thorough: boolean): Promise<Omit<ScrubOutcome, 'ms'>> {
    let repaired: Repaired = { findings: [], rows: 0, corrected: false }
    let recopied: Finding[] = []
    await using replaying = createDb({ url: options.databaseUrl, name: 'replicator replay', max: 1, log })
    const repairing = { ...options, ...by, db: replaying, main: db, lease }
    try {
      if (!pass.rowsMatch || thorough) repaired = await localiseAndRepair(repairing, place, pass.wrong, signal)
      if (pass.miscounted.length > 0 && repaired.rows === 0 && !repaired.corrected) await repairCounts(repairing, place, pass.miscounted)
      recopied = await recopyCuts(repairing, place, signal)
    } catch (error) {
      if (signal.aborted || error instanceof FencedError) throw error
      log.error({ err: error, topic: place.topic, partition: place.partition }, 'cannot put a partition right')
      return told(pass, 'different', [], `无法修复，下一轮再试：${messageOf(error)} · cannot be put right now, the next pass tries again: ${messageOf(error)}`)
    }
    metrics.repaired.inc(repaired.rows)
    // Wrong rows make wrong counts, and both were put right together.
    const findings = [...repaired.findings, ...(repaired.rows > 0 ? [] : pass.miscounted), ...recopied]
    const again = await scrubPartition(own, options.codec, place, pace, signal) ?? pass
    if (isClean(again)) return told(again, repaired.rows > 0 || repaired.corrected || pass.miscounted.length > 0 || recopied.length > 0 ? 'repaired' : 'equal', findings)
    return told(again, 'different', findings, again.kept.parkedMatches
      ? '修复后行与摘要仍不一致 · rows and digest still differ after the repair'
      : '搁置事件与其计数不一致 · parked events are not as many as are counted, or others')
  }

  function told({ kept, rows }: Pass, result: ScrubOutcome['result'], findings: readonly Finding[] = [], reason: string | null = null): Omit<ScrubOutcome, 'ms'> {
    return { next: kept.next, rows, result, reason, findings }
  }

  function rest(workedMs: number): Promise<void> {
    return pause(workedMs * REST, signal)
  }
}

function isClean({ rowsMatch, miscounted }: Pass): boolean {
  return rowsMatch && miscounted.length === 0
}

function atOnce(): Promise<void> {
  return setImmediate()
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
