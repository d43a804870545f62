import { int4Array, int8Array, textArray, type Db, type DbClient, type DbTx, type Lease, type OutboxRow, type TopicPartition } from '@hub/runtime/db'

export interface StoredPosition extends TopicPartition {
  readonly generation: string | null
  readonly lastSequence: bigint
  readonly lastOffset: bigint
  readonly pausedReason: string | null
}

/** Makes the position rows. Safe to repeat. */
export async function ensurePositions(db: DbClient, partitions: readonly TopicPartition[]): Promise<void> {
  await db.query('INSERT INTO relay_position (topic, partition) SELECT * FROM unnest($1::text[], $2::int4[]) ON CONFLICT DO NOTHING', keys(partitions))
}

export async function readPositions(db: DbClient, topics: readonly string[]): Promise<StoredPosition[]> {
  const { rows } = await db.query<{ topic: string; partition: number; generation: string | null; last_sequence: bigint; last_offset: bigint; paused_reason: string | null }>(
    'SELECT topic, partition, generation, last_sequence, last_offset, paused_reason FROM relay_position WHERE topic = ANY ($1::text[]) ORDER BY topic, partition', [textArray(topics)])
  return rows.map((row) => ({
    topic: row.topic, partition: row.partition, generation: row.generation, lastSequence: row.last_sequence, lastOffset: row.last_offset, pausedReason: row.paused_reason,
  }))
}

/** Notes the log in use and why a partition stands still. */
export async function writeStanding(db: DbClient, { topic, partition, generation, shown }: TopicPartition & { generation: string | null; shown: string | null }): Promise<void> {
  await db.query('UPDATE relay_position SET generation = $3, paused_reason = $4, updated_at = now() WHERE topic = $1 AND partition = $2', [topic, partition, generation, shown])
}

/** An event that waits in the outbox. `ageMs`: time since it was written, on the database's clock, as the statement ran; heartbeats only. */
export interface WaitingRow extends Omit<OutboxRow, keyof TopicPartition> {
  readonly ageMs: number | null
}

/** What one partition has waiting above `after`, at most as much as was asked for. */
export interface Waiting extends TopicPartition {
  readonly after: bigint
  /** The sequence that the next event of the partition will get: everything from `after + 1` up to here must exist. */
  readonly nextSequence: bigint
  readonly rows: WaitingRow[]
}

export interface ReadBounds {
  readonly rows: number
  /** Sum of the values' bytes; the row that crosses it still comes. */
  readonly bytes: number
  /** Contract of heartbeats. */
  readonly heartbeat: string
}

interface RawWaiting {
  topic: string
  partition: number
  after: bigint
  next_sequence: bigint
  sequence: bigint | null
  key: string
  value: Buffer
  type: string
  event_id: string | null
  subject: string | null
  time_ms: bigint
  traceparent: string | null
  age_ms: number | null
}

/**
 * Reads what waits above the given sequences, or above the stored ones where another relay has sent more. Heads, positions and events are
 * of one snapshot, so a hole between them is a loss and not a matter of timing; a trimmed row lies below its stored position.
 * Partitions with nothing waiting are left out.
 */
export async function readWaiting(db: DbClient, wanted: readonly (TopicPartition & { after: bigint })[], bounds: ReadBounds): Promise<Waiting[]> {
  if (wanted.length === 0) return []
  const { rows } = await db.query<RawWaiting>({
    name: 'relay-waiting',
    text: `SELECT want.topic, want.partition, from_here.after, h.next_sequence, o.sequence, o.key, o.value, o.type, o.event_id, o.subject, o.time_ms, o.traceparent, o.age_ms
             FROM unnest($1::text[], $2::int4[], $3::int8[]) AS want (topic, partition, after)
             JOIN outbox_head h ON h.topic = want.topic AND h.partition = want.partition
             JOIN relay_position p ON p.topic = want.topic AND p.partition = want.partition
            CROSS JOIN LATERAL (SELECT greatest(want.after, p.last_sequence) AS after) from_here
             LEFT JOIN LATERAL (
               SELECT * FROM (
                 SELECT sequence, key, value, type, event_id, subject, time_ms, traceparent,
                        CASE WHEN type = $6 THEN (extract(epoch FROM clock_timestamp() - committed_at) * 1000)::float8 END AS age_ms,
                        sum(octet_length(value)) OVER (ORDER BY sequence ROWS UNBOUNDED PRECEDING) - octet_length(value) AS bytes_before
                   FROM outbox
                  WHERE topic = want.topic AND partition = want.partition AND sequence > from_here.after
                  ORDER BY sequence LIMIT $4) bounded
                WHERE bounded.bytes_before < $5) o ON true
            WHERE h.next_sequence > from_here.after + 1
            ORDER BY want.topic, want.partition, o.sequence`,
    values: [...keys(wanted), int8Array(wanted.map(({ after }) => after)), bounds.rows, bounds.bytes, bounds.heartbeat],
  })
  const waiting: Waiting[] = []
  for (const row of rows) {
    let last = waiting.at(-1)
    if (last === undefined || last.topic !== row.topic || last.partition !== row.partition) {
      last = { topic: row.topic, partition: row.partition, after: row.after, nextSequence: row.next_sequence, rows: [] }
      waiting.push(last)
    }
    if (row.sequence === null) continue
    last.rows.push({
      sequence: row.sequence, key: row.key, value: row.value, type: row.type, eventId: row.event_id, subject: row.subject,
      timeMs: Number(row.time_ms), traceparent: row.traceparent, ageMs: row.age_ms,
    })
  }
  return waiting
}

/** Consecutive sequences that stand at consecutive offsets. */
export interface SentRun extends TopicPartition {
  readonly first: bigint
  readonly last: bigint
  readonly firstOffset: bigint
}

/**
 * Notes where events stand on the log and moves the positions, never backwards: what another relay has noted before stays as it is.
 * @returns how many of these events another relay had noted before: they stand on the log twice.
 * @throws Error when a stored position lies below what was acknowledged to this relay before: somebody has set it back.
 */
export async function recordSent(db: Db, runs: readonly SentRun[]): Promise<number> {
  return await db.tx(async (client) => {
    const { rows } = await client.query<{ topic: string; partition: number; last_sequence: bigint }>({
      name: 'relay-lock-positions',
      text: `SELECT p.topic, p.partition, p.last_sequence FROM relay_position p JOIN unnest($1::text[], $2::int4[]) AS want (topic, partition) USING (topic, partition)
              ORDER BY p.topic, p.partition FOR UPDATE OF p`,
      values: keys(distinct(runs)),
    })
    const fresh = beyond(runs, new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.last_sequence])))
    const overtaken = Number(lengthOf(runs) - lengthOf(fresh))
    if (fresh.length === 0) return overtaken
    noteRanges(client, fresh)
    client.send({
      name: 'relay-sent',
      text: `UPDATE relay_position p SET last_sequence = top.last, last_offset = greatest(p.last_offset, top.last_offset), updated_at = now()
         FROM (SELECT topic, partition, max(last) AS last, max(first_offset + last - first) AS last_offset
                 FROM unnest($1::text[], $2::int4[], $3::int8[], $4::int8[], $5::int8[]) AS run (topic, partition, first, last, first_offset) GROUP BY topic, partition) top
        WHERE p.topic = top.topic AND p.partition = top.partition`,
      values: runValues(fresh),
    })
    return overtaken
  })
}

/** Says where these events stand on the log: longer ranges where one continues, else new ones. */
export function noteRanges(client: DbTx, runs: readonly SentRun[]): void {
  client.send({
    name: 'relay-ranges',
    text: `WITH run AS (SELECT * FROM unnest($1::text[], $2::int4[], $3::int8[], $4::int8[], $5::int8[]) AS run (topic, partition, first, last, first_offset)),
       longer AS (
         UPDATE sent_range s SET last_sequence = run.last FROM run
          WHERE s.topic = run.topic AND s.partition = run.partition AND s.last_sequence = run.first - 1 AND s.first_offset - s.first_sequence = run.first_offset - run.first
         RETURNING run.topic, run.partition, run.first)
       INSERT INTO sent_range (topic, partition, first_sequence, last_sequence, first_offset)
       SELECT run.topic, run.partition, run.first, run.last, run.first_offset FROM run
        WHERE NOT EXISTS (SELECT FROM longer l WHERE l.topic = run.topic AND l.partition = run.partition AND l.first = run.first)`,
    values: runValues(runs),
  })
}

function runValues(runs: readonly SentRun[]): Buffer[] {
  return [...keys(runs), int8Array(runs.map((run) => run.first)), int8Array(runs.map((run) => run.last)), int8Array(runs.map((run) => run.firstOffset))]
}

function lengthOf(runs: readonly SentRun[]): bigint {
  return runs.reduce((sum, { first, last }) => sum + last - first + 1n, 0n)
}

/** The parts of these runs that lie above the stored positions (by `topic/partition`). */
export function beyond(runs: readonly SentRun[], stored: ReadonlyMap<string, bigint>): SentRun[] {
  const reached = new Map(stored)
  return runs.flatMap((run) => {
    const key = `${run.topic}/${run.partition}`
    const last = reached.get(key)
    if (last === undefined || run.first > last + 1n) throw new Error(`the stored position of ${key} is ${last}, but ${run.first} was sent: somebody has set it back`)
    if (run.last <= last) return []
    reached.set(key, run.last)
    const known = last + 1n - run.first
    return [{ ...run, first: run.first + known, firstOffset: run.firstOffset + known }]
  })
}

/** Lowest sequence that is still in the outbox, by `topic/partition`. */
export async function readLowest(db: DbClient, topics: readonly string[]): Promise<Map<string, bigint>> {
  const { rows } = await db.query<{ topic: string; partition: number; sequence: bigint }>(
    `SELECT p.topic, p.partition, o.sequence FROM relay_position p
      CROSS JOIN LATERAL (SELECT sequence FROM outbox WHERE topic = p.topic AND partition = p.partition ORDER BY sequence LIMIT 1) o
      WHERE p.topic = ANY ($1::text[])`, [textArray(topics)])
  return new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row.sequence]))
}

/** Deletes published events of one partition; the lower bound spares the walk over index entries of rows deleted before. */
export async function deletePublished(db: DbClient, { topic, partition }: TopicPartition, above: bigint, upTo: bigint): Promise<number> {
  const { rowCount } = await db.query('DELETE FROM outbox WHERE topic = $1 AND partition = $2 AND sequence > $3 AND sequence <= $4', [topic, partition, above, upTo])
  return rowCount
}

/** Frees the space of deleted rows for new ones. The file is not shortened: that would need a lock that stops publishing. */
export async function vacuumOutbox(db: DbClient): Promise<void> {
  await db.query('VACUUM (SKIP_LOCKED, TRUNCATE false, INDEX_CLEANUP on) outbox')
}

/** Keeps the newest ranges of each partition; there is more than one only after repeats on the log. */
export async function trimRanges(db: DbClient, topics: readonly string[], keep: number): Promise<void> {
  await db.query(
    `DELETE FROM sent_range s USING (
       SELECT topic, partition, first_sequence, row_number() OVER (PARTITION BY topic, partition ORDER BY first_sequence DESC) AS place
         FROM sent_range WHERE topic = ANY ($1::text[])) old
      WHERE old.place > $2 AND s.topic = old.topic AND s.partition = old.partition AND s.first_sequence = old.first_sequence`, [textArray(topics), keep])
}

/** Rows not yet on the log and the age in seconds of the oldest, by topic. */
export async function readBacklog(db: DbClient, topics: readonly string[]): Promise<{ topic: string; rows: number; oldestSeconds: number }[]> {
  const { rows } = await db.query<{ topic: string; rows: number; oldest: number | null }>(
    `SELECT p.topic, sum(h.next_sequence - 1 - p.last_sequence)::float8 AS rows, max(extract(epoch FROM clock_timestamp() - o.committed_at))::float8 AS oldest
       FROM relay_position p JOIN outbox_head h USING (topic, partition)
       LEFT JOIN LATERAL (SELECT committed_at FROM outbox WHERE topic = p.topic AND partition = p.partition AND sequence > p.last_sequence ORDER BY sequence LIMIT 1) o ON true
      WHERE p.topic = ANY ($1::text[]) GROUP BY p.topic`, [textArray(topics)])
  return rows.map((row) => ({ topic: row.topic, rows: row.rows, oldestSeconds: row.oldest ?? 0 }))
}

/**
 * Takes the next heartbeat number while this lease is ours; undefined when it is not. `at`: ms UTC on the database's clock.
 */
export async function nextHeartbeat(client: DbClient, lease: Lease): Promise<{ number: bigint; at: number } | undefined> {
  const { rows: [row] } = await client.query<{ number: bigint; at: bigint }>(
    `UPDATE heartbeat SET number = number + 1 WHERE EXISTS (SELECT FROM lease WHERE name = $1 AND owner = $2 AND epoch = $3)
     RETURNING number, (extract(epoch FROM clock_timestamp()) * 1000)::int8 AS at`, [lease.name, lease.owner, lease.epoch])
  return row === undefined ? undefined : { number: row.number, at: Number(row.at) }
}

function keys(partitions: readonly TopicPartition[]): [Buffer, Buffer] {
  return [textArray(partitions.map((one) => one.topic)), int4Array(partitions.map((one) => one.partition))]
}

function distinct(partitions: readonly TopicPartition[]): TopicPartition[] {
  return [...new Map(partitions.map((one) => [`${one.topic}/${one.partition}`, one])).values()]
}
