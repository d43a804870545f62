import { byteaArray, type Db, type DbClient, type DbTx, int4Array, int8Array, textArray, timestamptzArray, type TopicPartition } from '@hub/runtime/db'

/** Where a partition of the region's own topics stands in this database. */
export interface HeadState extends TopicPartition {
  readonly next: bigint
  readonly closed: string | null
}

export async function readHeads(db: DbClient, topics: readonly string[]): Promise<HeadState[]> {
  const { rows } = await db.query<HeadState>('SELECT topic, partition, next_sequence AS next, closed FROM outbox_head WHERE topic = ANY ($1::text[])', [textArray(topics)])
  return rows
}

/**
 * Closes the outbox of a database that is older than its own logs; whoever writes into it now is waited for. The replica takes another id the first time: its change
 * numbers were given once already, and a reader that goes on from one of them must begin anew.
 */
export async function closeOutbox(db: Db, topics: readonly string[], reason: string): Promise<void> {
  await db.tx(async (client) => {
    const { rowCount } = await client.query('UPDATE outbox_head SET closed = $2 WHERE topic = ANY ($1::text[]) AND closed IS NULL', [textArray(topics), reason])
    await client.query('UPDATE relay_position SET paused_reason = $2, updated_at = now() WHERE topic = ANY ($1::text[])', [textArray(topics), reason])
    if (rowCount === 0) return
    const { rows: [made] } = await client.query<{ replica: boolean }>(`SELECT to_regclass('applier') IS NOT NULL AS replica`)
    if (made!.replica) await client.query('UPDATE applier SET replica_id = gen_random_uuid()')
  })
}

/** Opens what was closed, once nothing is ahead of it. */
export async function openOutbox(db: DbClient, partitions: readonly TopicPartition[]): Promise<void> {
  await db.query('UPDATE outbox_head h SET closed = NULL FROM unnest($1::text[], $2::int4[]) AS k (topic, partition) WHERE h.topic = k.topic AND h.partition = k.partition AND h.closed IS NOT NULL',
    [textArray(partitions.map(({ topic }) => topic)), int4Array(partitions.map(({ partition }) => partition))])
}

/** One event on the log that went through an outbox of this region. */
export interface LoggedEvent {
  readonly sequence: bigint
  readonly eventId: string
}

/** A version on the log, as `published` has it. */
export interface LoggedVersion {
  readonly recordId: string
  readonly version: bigint
  readonly hash: Buffer
  readonly eventId: string
  readonly sequence: bigint
  readonly kind: string
  /** When it was taken in, ms UTC. */
  readonly at: number
}

/** Takes out of the outbox what is on the log. A heartbeat has no id; one that waits is worth nothing. */
export async function dropLogged(client: DbClient, { topic, partition }: TopicPartition, events: readonly LoggedEvent[]): Promise<void> {
  await client.query({
    text: `DELETE FROM outbox o USING unnest($3::int8[], $4::text[]) AS k (sequence, event_id)
            WHERE o.topic = $1 AND o.partition = $2 AND o.sequence = k.sequence AND coalesce(o.event_id, k.event_id) = k.event_id`,
    values: [topic, partition, int8Array(events.map(({ sequence }) => sequence)), textArray(events.map(({ eventId }) => eventId))],
  })
}

/**
 * Takes versions over from the log. What stands here of the same version and is not on the log gives way to it: it was taken in by the restored database, before that was noticed.
 * @param versions each once
 */
export async function takeVersions(client: DbClient, { topic, partition }: TopicPartition, versions: readonly LoggedVersion[]): Promise<void> {
  await client.query({
    text: `INSERT INTO published AS p (topic, record_id, version, body_hash, event_id, partition, sequence, kind, at)
           SELECT $1, r, v, h, e::uuid, $2, s, k, at FROM unnest($3::text[], $4::int8[], $5::bytea[], $6::text[], $7::int8[], $8::text[], $9::timestamptz[]) AS n (r, v, h, e, s, k, at)
           ON CONFLICT (topic, record_id, version) DO UPDATE SET body_hash = excluded.body_hash, event_id = excluded.event_id, sequence = excluded.sequence, kind = excluded.kind, at = excluded.at, import_id = NULL
            WHERE p.event_id <> excluded.event_id
              AND EXISTS (SELECT FROM outbox o WHERE o.topic = p.topic AND o.partition = p.partition AND o.sequence = p.sequence AND o.event_id = p.event_id::text)`,
    values: [
      topic, partition,
      textArray(versions.map(({ recordId }) => recordId)),
      int8Array(versions.map(({ version }) => version)),
      byteaArray(versions.map(({ hash }) => hash)),
      textArray(versions.map(({ eventId }) => eventId)),
      int8Array(versions.map(({ sequence }) => sequence)),
      textArray(versions.map(({ kind }) => kind)),
      timestamptzArray(versions.map(({ at }) => at)),
    ],
  })
}

/** Where a partition's log ends: its highest sequence, and the highest offset that was read. */
export interface LogEnd extends TopicPartition {
  readonly sequence: bigint
  readonly offset: bigint
}

/** An event that was taken in by the restored database and cannot be sent: the log has another version in its place. */
export interface Displaced {
  readonly topic: string
  readonly recordId: string
}

/** Takes out of the outbox events in whose place the log has another one of the same version. */
export async function dropReplaced(client: DbClient, dataTopics: readonly string[]): Promise<(Displaced & { readonly value: Buffer })[]> {
  const { rows } = await client.query<Displaced & { value: Buffer }>({
    text: `DELETE FROM outbox o WHERE o.topic = ANY ($1::text[]) AND o.event_id IS NOT NULL AND NOT EXISTS (SELECT FROM published p WHERE p.event_id = o.event_id::uuid)
        RETURNING o.topic, o.key AS "recordId", o.value`, values: [textArray(dataTopics)], timeoutMs: 600_000,
  })
  return rows
}

/** Whether a version with this body is published. */
export async function isPublished(client: DbClient, { topic, recordId }: Displaced, version: bigint, hash: Buffer): Promise<boolean> {
  const { rows } = await client.query('SELECT FROM published WHERE topic = $1 AND record_id = $2 AND version = $3 AND body_hash = $4', [topic, recordId, version, hash])
  return rows.length > 0
}

/** Takes events out of the outbox, and out of `published`, whose records the log has in a newer version. */
export async function dropOlder(client: DbClient, dataTopics: readonly string[]): Promise<Displaced[]> {
  const { rows: older } = await client.query<Displaced>({
    text: `WITH older AS (
             DELETE FROM outbox o USING published p
              WHERE o.topic = ANY ($1::text[]) AND p.event_id = o.event_id::uuid AND p.topic = o.topic AND p.sequence = o.sequence
                AND EXISTS (SELECT FROM published n WHERE n.topic = p.topic AND n.record_id = p.record_id AND n.version > p.version
                              AND NOT EXISTS (SELECT FROM outbox w WHERE w.topic = n.topic AND w.partition = n.partition AND w.sequence = n.sequence AND w.event_id = n.event_id::text))
          RETURNING p.topic, p.record_id, p.version)
           DELETE FROM published p USING older WHERE p.topic = older.topic AND p.record_id = older.record_id AND p.version = older.version
        RETURNING p.topic, p.record_id AS "recordId"`, values: [textArray(dataTopics)], timeoutMs: 600_000,
  })
  return older
}

/** Locks the heads, in the order in which everybody does. */
export async function lockClosed(client: DbClient, topics: readonly string[]): Promise<void> {
  await client.query('SELECT FROM outbox_head WHERE topic = ANY ($1::text[]) ORDER BY topic, partition FOR UPDATE', [textArray(topics)])
}

/** Forgets what was sent before the backup and not yet trimmed, and heartbeats. */
export async function dropSent(client: DbClient, topics: readonly string[], heartbeat: string): Promise<void> {
  await client.query({
    text: `DELETE FROM outbox o USING relay_position p WHERE o.topic = ANY ($1::text[]) AND p.topic = o.topic AND p.partition = o.partition AND (o.sequence <= p.last_sequence OR o.type = $2)`,
    values: [textArray(topics), heartbeat], timeoutMs: 600_000,
  })
}

/** Numbers what still waits on from the ends of the logs, raises the heads to there, and opens them. @returns how many events still wait */
export async function raiseHeads(client: DbTx, ends: readonly LogEnd[]): Promise<number> {
  const values = [textArray(ends.map(({ topic }) => topic)), int4Array(ends.map(({ partition }) => partition)), int8Array(ends.map(({ sequence }) => sequence)), int8Array(ends.map(({ offset }) => offset))]
  await client.query('CREATE TEMP TABLE renumbered (topic text, partition int, old bigint, new bigint, event_id text) ON COMMIT DROP')
  const { rowCount } = await client.query({
    text: `INSERT INTO renumbered SELECT o.topic, o.partition, o.sequence, k.last + row_number() OVER (PARTITION BY o.topic, o.partition ORDER BY o.sequence), o.event_id
             FROM outbox o JOIN unnest($1::text[], $2::int4[], $3::int8[]) AS k (topic, partition, last) USING (topic, partition)`, values: values.slice(0, 3), timeoutMs: 600_000,
  })
  await client.query({ text: `UPDATE published p SET sequence = r.new FROM renumbered r WHERE p.event_id = r.event_id::uuid AND p.topic = r.topic AND p.sequence = r.old`, timeoutMs: 600_000 })
  // Over the negative numbers: two rows must not have the same one in between.
  await client.query({ text: 'UPDATE outbox o SET sequence = -1 - r.new FROM renumbered r WHERE o.topic = r.topic AND o.partition = r.partition AND o.sequence = r.old', timeoutMs: 600_000 })
  await client.query({ text: 'UPDATE outbox SET sequence = -1 - sequence WHERE sequence < 0', timeoutMs: 600_000 })
  await client.query({
    text: `UPDATE outbox_head h SET closed = NULL, next_sequence = k.last + 1 + (SELECT count(*) FROM renumbered r WHERE r.topic = h.topic AND r.partition = h.partition)
             FROM unnest($1::text[], $2::int4[], $3::int8[]) AS k (topic, partition, last) WHERE h.topic = k.topic AND h.partition = k.partition`, values: values.slice(0, 3),
  })
  await client.query({
    text: `UPDATE relay_position p SET last_sequence = k.sequence, last_offset = greatest(p.last_offset, k.last_offset), paused_reason = NULL, updated_at = now()
             FROM unnest($1::text[], $2::int4[], $3::int8[], $4::int8[]) AS k (topic, partition, sequence, last_offset) WHERE p.topic = k.topic AND p.partition = k.partition`, values,
  })
  return rowCount
}

/** Heartbeats are numbered on from the highest on the log: checkpoints are cut by their numbers. */
export async function raiseHeartbeat(client: DbClient, number: number): Promise<void> {
  await client.query('UPDATE heartbeat SET number = greatest(number, $1::bigint)', [number])
}
