import { HubError } from '../errors.ts'
import { byteaArray, int4Array, int8Array, textArray } from './pg-arrays.ts'
import { migrate } from './migrate.ts'
import type { Db, DbClient, DbTx } from './pool.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** One event on its way to the log; see migrations/outbox for the columns. `timeMs` is the source time, ms UTC. */
export interface OutboxRow extends TopicPartition {
  readonly sequence: bigint
  readonly key: string
  readonly value: Buffer
  readonly type: string
  readonly eventId: string | null
  readonly subject: string | null
  readonly timeMs: number
  readonly traceparent: string | null
}

/** This database is older than its own logs; see the relay's card. */
export class OutboxClosedError extends HubError {
  override readonly name = 'OutboxClosedError'

  constructor(message: string) {
    super('OUTBOX_CLOSED', message, { retriable: true })
  }
}

export const OUTBOX_CHANNEL = 'outbox'

export function migrateOutbox(db: Db): Promise<void> {
  return migrate(db, 'outbox', new URL('./migrations/outbox/', import.meta.url))
}

/** Makes the head rows that `lockHeads` locks. Safe to repeat. */
export async function ensureHeads(db: DbClient, partitions: readonly TopicPartition[]): Promise<void> {
  await db.query(
    'INSERT INTO outbox_head (topic, partition) SELECT * FROM unnest($1::text[], $2::int[]) ON CONFLICT DO NOTHING',
    [partitions.map((tp) => tp.topic), partitions.map((tp) => tp.partition)])
}

/**
 * Locks the heads of these partitions in one fixed order and returns their next sequences by `topic/partition`.
 * Lock first, then read `published`, then write: whoever holds the lock sees everything sequenced before it.
 * @throws OutboxClosedError (retriable) while one of them is closed
 */
export async function lockHeads(client: DbClient, partitions: readonly TopicPartition[]): Promise<Map<string, bigint>> {
  const { rows } = await client.query<{ topic: string; partition: number; next_sequence: bigint; closed: string | null }>({
    name: 'outbox-lock-heads',
    text: `SELECT h.topic, h.partition, h.next_sequence, h.closed FROM outbox_head h
             JOIN unnest($1::text[], $2::int[]) AS want(topic, partition) USING (topic, partition)
            ORDER BY h.topic, h.partition FOR UPDATE OF h`,
    values: [textArray(partitions.map((tp) => tp.topic)), int4Array(partitions.map((tp) => tp.partition))],
  })
  const shut = rows.find(({ closed }) => closed !== null)
  if (shut !== undefined) throw new OutboxClosedError(`nothing is written behind ${shut.topic}/${shut.partition} now: ${shut.closed}`)
  return new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.next_sequence]))
}

/** Writes rows whose sequences continue the locked heads, and raises the heads by what was written: with the transaction's next statement or its COMMIT. */
export function appendOutbox(client: DbTx, rows: readonly OutboxRow[]): void {
  if (rows.length === 0) return
  client.send({
    name: 'outbox-append',
    text: `WITH written AS (
             INSERT INTO outbox (topic, partition, sequence, key, value, type, event_id, subject, time_ms, traceparent)
             SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[])
             RETURNING topic, partition, sequence)
           UPDATE outbox_head h SET next_sequence = w.next
             FROM (SELECT topic, partition, max(sequence) + 1 AS next FROM written GROUP BY topic, partition) w
            WHERE h.topic = w.topic AND h.partition = w.partition`,
    values: [
      textArray(rows.map((row) => row.topic)),
      int4Array(rows.map((row) => row.partition)),
      int8Array(rows.map((row) => row.sequence)),
      textArray(rows.map((row) => row.key)),
      byteaArray(rows.map((row) => row.value)),
      textArray(rows.map((row) => row.type)),
      textArray(rows.map((row) => row.eventId)),
      textArray(rows.map((row) => row.subject)),
      int8Array(rows.map((row) => row.timeMs)),
      textArray(rows.map((row) => row.traceparent)),
    ],
  })
}

const pendingNotify = new WeakMap<object, NodeJS.Timeout>()

/** Wakes relays in other processes, at most every 50 ms and outside any publishing transaction: a NOTIFY inside one would serialise all commits. */
export function notifyOutbox(db: Db): void {
  if (pendingNotify.has(db)) return
  pendingNotify.set(db, setTimeout(() => {
    pendingNotify.delete(db)
    db.query(`NOTIFY ${OUTBOX_CHANNEL}`).catch(() => { /* the relay also polls */ })
  }, 50).unref())
}
