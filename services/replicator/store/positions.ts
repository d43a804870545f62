import { type DbClient, DbError, type DbTx, int4Array, int8Array, textArray } from '@hub/runtime/db'
import type { Decision } from '../apply.ts'
import type { Slot, Stored } from '../slot.ts'
import { FencedError } from './lease.ts'

/** One partition's decided share. */
export interface Move {
  readonly slot: Slot
  readonly decision: Decision
}

export async function loadPositions(db: DbClient): Promise<Stored[]> {
  const { rows } = await db.query<{ topic: string; partition: number; generation: string; next_offset: bigint; last_sequence: bigint; parked_open: bigint; complete_from: bigint; paused_reason: string | null; clearing: boolean }>(
    'SELECT topic, partition, generation, next_offset, last_sequence, parked_open, complete_from, paused_reason, clearing FROM consumer_offset',
  )
  return rows.map((row) => ({
    topic: row.topic,
    partition: row.partition,
    generation: row.generation,
    next: Number(row.next_offset),
    lastSequence: Number(row.last_sequence),
    parkedOpen: Number(row.parked_open),
    completeFrom: Number(row.complete_from),
    pausedReason: row.paused_reason,
    clearing: row.clearing,
  }))
}

/** Begins a partition at its first retained offset. */
export async function beginPosition(db: DbClient, slot: Pick<Slot, 'topic' | 'partition' | 'region' | 'stream'>, generation: string, first: number): Promise<void> {
  await db.query(
    `INSERT INTO consumer_offset (topic, partition, region, stream, generation, first_offset, next_offset, log_end)
     VALUES ($1, $2, $3, $4, $5, $6, $6, $6) ON CONFLICT DO NOTHING`,
    [slot.topic, slot.partition, slot.region, slot.stream, generation, first],
  )
}

/** What a share changes in its row: added, XORed, raised to, put there when the share has it, or as many milliseconds ago. */
const CHANGES: readonly [column: string, how: 'add' | 'xor' | 'raise' | 'set' | 'ago', (move: Move) => number | bigint | undefined][] = [
  ['next_offset', 'set', ({ decision }) => decision.next],
  ['log_end', 'set', ({ slot, decision }) => Math.max(slot.logEnd, decision.next)],
  ['applied', 'add', ({ decision }) => decision.counts.applied],
  ['duplicate', 'add', ({ decision }) => decision.counts.duplicate],
  ['stale', 'add', ({ decision }) => decision.counts.stale],
  ['folded', 'add', ({ decision }) => decision.counts.folded],
  ['parked', 'add', ({ decision }) => decision.counts.parked],
  ['control', 'add', ({ decision }) => decision.counts.control],
  ['absent', 'add', ({ decision }) => decision.counts.absent],
  ['records', 'add', ({ decision }) => decision.records],
  ['ended_records', 'add', ({ decision }) => decision.endedRecords],
  ['digest_hi', 'xor', ({ decision }) => decision.digest.hi],
  ['digest_lo', 'xor', ({ decision }) => decision.digest.lo],
  ['parked_open', 'add', ({ decision }) => decision.parkedOpen],
  ['parked_hi', 'xor', ({ decision }) => decision.parkedDigest.hi],
  ['parked_lo', 'xor', ({ decision }) => decision.parkedDigest.lo],
  ['complete_from', 'raise', ({ decision }) => decision.completeFrom],
  ['last_sequence', 'raise', ({ decision }) => decision.lastSequence],
  ['last_event', 'set', ({ decision }) => decision.lastEvent],
  ['heartbeat_number', 'set', ({ decision }) => decision.heartbeat?.number],
  ['heartbeat_committed_ms', 'set', ({ decision }) => decision.heartbeat?.committedAt],
  ['heartbeat_delay_ms', 'set', ({ decision }) => decision.heartbeat?.delayMs],
  ['fresh_at', 'ago', staleMs],
]

const HOW = {
  add: (name: string) => `${name} = o.${name} + m.${name}`,
  xor: (name: string) => `${name} = o.${name} # m.${name}`,
  raise: (name: string) => `${name} = greatest(o.${name}, m.${name})`,
  set: (name: string) => `${name} = coalesce(m.${name}, o.${name})`,
  ago: (name: string) => `${name} = coalesce(clock_timestamp() - m.${name} * interval '1 ms', o.${name})`,
}

/** Milliseconds that the partition may lack once the move is written, where it has a heartbeat that says so. */
function staleMs({ slot, decision }: Move): number | undefined {
  const freshAt = decision.heartbeatAt === undefined ? undefined : slot.freshness.freshWith(decision.heartbeatAt, decision.heartbeat?.delayMs ?? 0)
  return freshAt === undefined ? undefined : Math.ceil(performance.now() - freshAt)
}

/** SQLSTATE of a transaction that found a position elsewhere than this process read it. */
const ELSEWHERE = 'HB001'

const MOVE = `WITH moved AS (UPDATE consumer_offset o SET moved_at = now(), ${CHANGES.map(([name, how]) => HOW[how](name)).join(', ')}
  FROM unnest($1::text[], $2::int4[], $3::int8[], ${CHANGES.map((_, i) => `$${i + 4}::int8[]`).join(', ')})
    AS m (topic, partition, old, ${CHANGES.map(([name]) => name).join(', ')})
 WHERE o.topic = m.topic AND o.partition = m.partition AND o.next_offset = m.old AND NOT o.clearing RETURNING 1)
SELECT hub_expect(count(*), cardinality($1::text[]), '${ELSEWHERE}') FROM moved`

/** Moves positions, counters and digests of all shares by compare-and-set. Unless every one is where it was read, the transaction fails; see `fenced`. */
export function movePositions(c: DbTx, moves: readonly Move[]): void {
  c.send({
    name: 'move positions',
    text: MOVE,
    values: [
      textArray(moves.map(({ slot }) => slot.topic)),
      int4Array(moves.map(({ slot }) => slot.partition)),
      int8Array(moves.map(({ slot }) => slot.next)),
      ...CHANGES.map(([, , pick]) => int8Array(moves.map((move) => pick(move) ?? null))),
    ],
  })
}

/** What a failed transaction says: a FencedError where a position was elsewhere. */
export function fenced(error: unknown): unknown {
  return error instanceof DbError && error.sqlState === ELSEWHERE ? new FencedError(`positions are not where this process read them: ${error.message}`) : error
}

/** Notes why a partition is not taken from, or that it is again; shown by `partition_state`. */
export async function notePaused(db: DbClient, slot: Pick<Slot, 'topic' | 'partition'>, reason: string | null): Promise<void> {
  await db.query(
    `UPDATE consumer_offset SET paused_reason = $3, paused_at = CASE WHEN $3::text IS NULL THEN NULL ELSE now() END
      WHERE topic = $1 AND partition = $2 AND paused_reason IS DISTINCT FROM $3`,
    [slot.topic, slot.partition, reason],
  )
}
