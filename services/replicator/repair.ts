import { type Db, DbError } from '@hub/runtime/db'
import { failpoint } from '@hub/runtime/failpoint'
import { contractByName, contractFor } from '@hub/schemas/contracts'
import { keptNames, keptOf, type Place, readBody, splitKept } from './check-row.ts'
import { bodyDifferences, bytesDifference, columnDifferences, type FieldDifference, type Finding } from './difference.ts'
import type { RecordItem } from '@hub/schemas/log-item'
import { type Judgement, judgePair, replay, type Replaying } from './localise.ts'
import { MOST_WRONG } from './scrub.ts'
import { fence, type Lease } from './store/lease.ts'
import { correctKept, type Correction, MOVED_ON, replaceRows, writeAudit } from './store/repair.ts'
import { type Pair, readPairs } from './store/replay.ts'
import { recountPartition } from './store/rollups.ts'
import { countRedriven } from './store/redrive.ts'
import { readKept } from './store/scrub.ts'

/** A comparison is made anew when a row that it found wrong moved on before the repair. */
const TRIES = 5

export interface Repairing extends Replaying {
  /** The applier's database; `db` is the connection of the replay. */
  readonly main: Db
  readonly lease: Lease
  readonly leaseMs: number
  readonly who: string
  readonly why: string
}

export interface Repaired {
  readonly findings: readonly Finding[]
  /** Rows written or taken out. */
  readonly rows: number
  /** True when the kept digest or counts were wrong and are right now. */
  readonly corrected: boolean
}

/** Rows put right from this log would not give the digest that was kept: what belongs there may be a version that compaction took. */
export class UndecidedError extends Error {
  override readonly name = 'UndecidedError'
}

/** An event of the partition was redriven while the log was replayed, which passed over it. */
class OutdatedError extends Error {
  override readonly name = 'OutdatedError'
}

/** More rows differ than a repair takes on: the partition is better made anew. */
export class TooManyError extends Error {
  override readonly name = 'TooManyError'
}

/**
 * Finds what differs in a partition by replaying it from the log, and puts it right in one transaction of the applier: rows get new change numbers, digest
 * and counts become those of the rows. Anything may happen at any point: what is not committed is found again by the next pass.
 * @param suspects records that are wrong in themselves
 */
export async function localiseAndRepair(options: Repairing, place: Place, suspects: readonly string[], signal: AbortSignal): Promise<Repaired> {
  for (let left = TRIES; ; left--) {
    try {
      return await replayAndRepair(options, place, suspects, signal)
    } catch (error) {
      if (!(error instanceof OutdatedError) || left === 1) throw error
    }
  }
}

async function replayAndRepair(options: Repairing, place: Place, suspects: readonly string[], signal: AbortSignal): Promise<Repaired> {
  const { db, main } = options
  const redriven = await countRedriven(main, place)
  const start = await main.tx((c) => readKept(c, place))
  if (start === undefined) return { findings: [], rows: 0, corrected: false }
  const completeFrom = await replay(options, place, start.next, signal)
  for (let left = TRIES; ; left--) {
    signal.throwIfAborted()
    const compared = await compare(options, place, { from: start.next, completeFrom }, start.generation, suspects)
    if (completeFrom > 0 && compared.wrong.length > 0 && !isNone(compared.correction)) {
      throw new UndecidedError(`below offset ${completeFrom} the log lacks what compaction took, and its version of ${compared.wrong.slice(0, 5).map(({ key }) => key).join(', ')} does not give the digest kept here`)
    }
    if (compared.wrong.length === 0 && isNone(compared.correction)) return { findings: compared.findings, rows: 0, corrected: false }
    try {
      await write(options, place, start.generation, compared)
      failpoint('act.repaired')
      return { findings: compared.findings, rows: compared.wrong.length, corrected: !isNone(compared.correction) }
    } catch (error) {
      if (!(error instanceof DbError && error.sqlState === MOVED_ON) || left === 1) throw error
    }
  }

  async function compare({ codec }: Replaying, where: Place, covered: { from: number; completeFrom: number }, generation: string, also: readonly string[]): Promise<Compared> {
    const { kept, pairs, sum } = await db.tx(async (c) => {
      await c.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
      const now = await readKept(c, where)
      if (await countRedriven(c, where) !== redriven) throw new OutdatedError(`an event of ${where.topic}/${where.partition} was redriven meanwhile`)
      if (now?.generation !== generation) throw new Error(`${where.topic}/${where.partition} is of another generation now`)
      return { kept: now, ...(await readPairs(c, where, { ...covered, next: now.next }, also, MOST_WRONG + 1)) }
    })
    if (pairs.length > MOST_WRONG) throw new TooManyError(`more than ${MOST_WRONG} rows of ${where.topic}/${where.partition} differ from the log`)
    const truth = { ...sum }
    const wrong: Wrong[] = []
    const findings: Finding[] = []
    for (const pair of pairs) {
      const judged = judgePair(pair, { ...covered, next: kept.next })
      const item = itemOf(codec, where, pair)
      const verdict = judged === 'same' && item !== undefined && pair.here !== undefined && pair.here.kept !== keptOf(item) ? 'changed' : judged
      if (verdict === 'same' || verdict === 'newer') continue
      findings.push({ recordId: pair.key, what: verdict, fields: fieldsOf(codec, where, pair, item, verdict) })
      if (verdict === 'unverifiable') continue
      const put = verdict === 'surplus' ? undefined : item
      if (pair.here !== undefined) add(truth, pair.here.hash, -1, pair.here.ended)
      if (put !== undefined) add(truth, put.hash, 1, put.ended)
      wrong.push({ key: pair.key, here: pair.here, put })
    }
    return { findings, wrong, correction: { hi: truth.hi ^ kept.hi, lo: truth.lo ^ kept.lo, records: truth.records - kept.records, ended: truth.ended - kept.endedRecords } }
  }
}

interface Wrong {
  readonly key: string
  readonly here: Pair['here']
  /** What belongs there; undefined = nothing. */
  readonly put: RecordItem | undefined
}

interface Compared {
  readonly findings: readonly Finding[]
  readonly wrong: readonly Wrong[]
  readonly correction: Correction
}

async function write({ main, lease, leaseMs, who, why }: Repairing, place: Place, generation: string, { findings, wrong, correction }: Compared): Promise<void> {
  const puts = wrong.flatMap(({ put }) => (put === undefined ? [] : [put]))
  await main.tx(async (c) => {
    let change = await fence(c, lease.epoch, leaseMs, puts.length)
    const { rows: [at] } = await c.query<{ next_offset: bigint }>({ text: 'SELECT next_offset FROM consumer_offset WHERE topic = $1 AND partition = $2', values: [place.topic, place.partition] })
    replaceRows(c, place, wrong.map(({ key, here }) => ({ key, row: here })), puts.map((item) => ({ item, over: undefined, before: undefined, region: place.region, partition: place.partition, change: change++ })))
    recountPartition(c, place)
    if (!isNone(correction)) correctKept(c, place, generation, at!.next_offset, correction)
    const target = `${place.topic}/${place.partition}`
    writeAudit(c, [
      ...findings.filter(({ what }) => what !== 'unverifiable').map(({ recordId, what, fields }) => ({ who, what: `repair ${what}`, target: `${target}/${recordId}`, why, detail: { fields } })),
      ...(isNone(correction) ? [] : [{ who, what: 'correct digest', target, why, detail: { records: correction.records, ended: correction.ended } }]),
    ])
  })
}

/** Counts a partition anew whose rows are right, in one transaction of the applier. */
export async function repairCounts({ main, lease, leaseMs, who, why }: Pick<Repairing, 'main' | 'lease' | 'leaseMs' | 'who' | 'why'>, place: Place, findings: readonly Finding[]): Promise<void> {
  await main.tx(async (c) => {
    await fence(c, lease.epoch, leaseMs, 0)
    recountPartition(c, place)
    writeAudit(c, findings.map(({ recordId, what, fields }) => ({ who, what: `repair ${what}`, target: `${place.topic}/${place.partition}/${recordId}`, why, detail: { fields } })))
  })
}

function itemOf(codec: Replaying['codec'], place: Place, { key, log }: Pair): RecordItem | undefined {
  if (log === undefined || log.body === null) return undefined
  const item = readBody(codec, place, key, log.body, log.offset!)
  if (item instanceof Promise || typeof item === 'string') throw new Error(`what the log has of a record of ${place.topic}/${place.partition} cannot be read any more`)
  return item
}

function fieldsOf(codec: Replaying['codec'], place: Place, { here, log }: Pair, item: RecordItem | undefined, verdict: Judgement): FieldDifference[] {
  if (here === undefined || item === undefined || verdict === 'surplus') return []
  const decoded = { here: codec.decode(here.body), log: codec.decode(item.body) }
  const contract = decoded.log.ok ? contractByName(decoded.log.fullName)! : contractFor(place.stream, item.kind)
  const bodies = decoded.here.ok && decoded.log.ok && decoded.here.fullName === decoded.log.fullName ? bodyDifferences(contract, decoded.here.record, decoded.log.record) : []
  return [
    ...columnDifferences(contract, [...keptNames(place.stream), 'log_offset'], [...splitKept(here.kept), String(here.offset)], [...splitKept(keptOf(item)), String(log!.offset)]),
    ...(bodies.length > 0 ? bodies : bytesDifference(here.body, item.body)),
  ]
}

function add(sum: { records: number; ended: number; hi: bigint; lo: bigint }, hash: Buffer, by: 1 | -1, ended: boolean): void {
  sum.hi ^= hash.readBigInt64BE(0)
  sum.lo ^= hash.readBigInt64BE(8)
  sum.records += by
  if (ended) sum.ended += by
}

function isNone({ hi, lo, records, ended }: Correction): boolean {
  return hi === 0n && lo === 0n && records === 0 && ended === 0
}
