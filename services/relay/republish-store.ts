import { type DbClient, int8Array, textArray, type TopicPartition } from '@hub/runtime/db'
import { TABLES } from '@hub/schemas/tables'
import type { DataStream } from '@hub/schemas/streams'

/** A record of this region as its own replica has it. */
export interface CurrentRecord {
  readonly recordId: string
  readonly version: bigint
  readonly eventId: string
  readonly ended: boolean
  readonly subject: string | null
  readonly body: Buffer
  readonly timeMs: bigint
}

/** Records of one partition by id, from behind one. */
export async function readRecords(client: DbClient, stream: DataStream, region: string, partition: number, after: string, limit: number): Promise<CurrentRecord[]> {
  const { table, columns } = TABLES[stream]
  const subject = columns.some(({ name }) => name === 'uscc') ? 'uscc' : 'NULL'
  const { rows } = await client.query<CurrentRecord>(
    `SELECT record_id AS "recordId", version, event_id AS "eventId", ended, ${subject} AS subject, body, (extract(epoch FROM applied_at) * 1000)::int8 AS "timeMs"
       FROM ${table} WHERE region = $1 AND record_id > $2 AND partition = $3 ORDER BY record_id LIMIT $4`, [region, after, partition, limit])
  return rows
}

/** Records of which this version or a newer one is in the outbox and not on the log yet. */
export async function readOnTheirWay(client: DbClient, topic: string, records: readonly CurrentRecord[], acked: bigint): Promise<Set<string>> {
  const { rows } = await client.query<{ id: string }>({
    text: `SELECT k.record_id AS id FROM unnest($2::text[], $3::int8[]) AS k (record_id, version)
            WHERE EXISTS (SELECT FROM published p WHERE p.topic = $1 AND p.record_id = k.record_id AND p.version >= k.version AND p.sequence > $4)`,
    values: [topic, textArray(records.map(({ recordId }) => recordId)), int8Array(records.map(({ version }) => version)), acked],
  })
  return new Set(rows.map(({ id }) => id))
}

/** Notes where versions stand that go to the log once more. */
export async function moveVersions(client: DbClient, topic: string, rows: readonly { readonly recordId: string; readonly version: bigint; readonly sequence: bigint }[]): Promise<void> {
  await client.query({
    text: `UPDATE published p SET sequence = k.sequence FROM unnest($2::text[], $3::int8[], $4::int8[]) AS k (record_id, version, sequence)
            WHERE p.topic = $1 AND p.record_id = k.record_id AND p.version = k.version`,
    values: [topic, textArray(rows.map(({ recordId }) => recordId)), int8Array(rows.map(({ version }) => version)), int8Array(rows.map(({ sequence }) => sequence))],
  })
}

/**
 * Forgets versions that went to the old log alone and that this replica never got: nobody has their bytes. Their source sends them again as if for the first time.
 * @returns which they were
 */
export async function forgetLost(client: DbClient, { topic, partition }: TopicPartition, stream: DataStream, region: string, acked: bigint): Promise<{ recordId: string; version: bigint }[]> {
  const { rows } = await client.query<{ recordId: string; version: bigint }>({
    text: `DELETE FROM published p
            WHERE p.topic = $1 AND p.partition = $2 AND p.sequence <= $3
              AND p.version > coalesce((SELECT t.version FROM ${TABLES[stream].table} t WHERE t.region = $4 AND t.record_id = p.record_id), -1)
              AND NOT EXISTS (SELECT FROM published n WHERE n.topic = p.topic AND n.record_id = p.record_id AND n.version > p.version AND n.sequence > $3)
        RETURNING p.record_id AS "recordId", p.version`,
    values: [topic, partition, acked, region], timeoutMs: 600_000,
  })
  return rows
}

/** Has the relay take up the log that there is now, and forgets where things stood on the one before. */
export async function adoptLog(client: DbClient, { topic, partition }: TopicPartition): Promise<void> {
  const values = [topic, partition]
  await client.query('UPDATE relay_position SET generation = NULL, last_offset = -1, paused_reason = NULL, updated_at = now() WHERE topic = $1 AND partition = $2', values)
  for (const table of ['sent_range', 'position_log', 'region_position', 'region_parked', 'shadowed']) await client.query(`DELETE FROM ${table} WHERE topic = $1 AND partition = $2`, values)
}

/** Has the replicator tell again what is parked here: the log that had it is gone. */
export async function tellParkedAgain(client: DbClient): Promise<void> {
  await client.query(
    'UPDATE parked p SET published = false FROM consumer_offset o WHERE o.topic = p.topic AND o.partition = p.partition AND o.stream = ANY ($1::text[]) AND p.buried_by IS NULL', [Object.keys(TABLES)])
}

/** Has the gateways publish the declared sources again when they start next. */
export async function tellSourcesAgain(client: DbClient): Promise<void> {
  await client.query('UPDATE declared_source SET published = false')
}
