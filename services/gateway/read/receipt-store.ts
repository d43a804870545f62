import type { DbClient } from '@hub/runtime/db'

/** Where an event of this region stands: its place on the log once it is there, and the next version of its record. */
export interface PublishedEvent {
  topic: string
  recordId: string
  version: bigint
  kind: string
  partition: number
  sequence: bigint
  at: Date
  offset: bigint | null
  next: { version: bigint; eventId: string; offset: bigint | null } | null
}

export async function findPublished(db: DbClient, eventId: string): Promise<PublishedEvent | undefined> {
  const { rows } = await db.query<{
    topic: string
    record_id: string
    version: bigint
    kind: string
    partition: number
    sequence: bigint
    at: Date
    log_offset: bigint | null
    next_version: bigint | null
    next_event_id: string | null
    next_offset: bigint | null
  }>(
    `SELECT p.topic, p.record_id, p.version, p.kind, p.partition, p.sequence, p.at,
            ${offsetOf('p')} AS log_offset,
            n.version AS next_version, n.event_id::text AS next_event_id, ${offsetOf('n')} AS next_offset
       FROM published p
       LEFT JOIN LATERAL (
         SELECT * FROM published l WHERE l.topic = p.topic AND l.record_id = p.record_id AND l.version > p.version
          ORDER BY l.version LIMIT 1) n ON true
      WHERE p.event_id = $1::uuid`,
    [eventId],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  const { topic, record_id: recordId, version, kind, partition, sequence, at, log_offset: offset } = row
  const next = row.next_version === null ? null : { version: row.next_version, eventId: row.next_event_id!, offset: row.next_offset }
  return { topic, recordId, version, kind, partition, sequence, at, offset, next }
}

/** Since when each region's replica has been past an offset, and what it parked there. Empty where no replicator runs. */
export interface Arrival {
  region: string
  since: Date | null
  parkedReason: string | null
}

export async function readArrivals(db: DbClient, topic: string, partition: number, offset: bigint): Promise<Arrival[]> {
  const { rows } = await db.query<{ region: string; since: Date | null; reason: string | null }>(
    `SELECT region, l.since, k.reason
       FROM (SELECT region, min(at) AS since
               FROM (SELECT region, at FROM position_log WHERE topic = $1 AND partition = $2 AND next_offset > $3
                     UNION ALL
                     SELECT region, at FROM region_position r
                      WHERE topic = $1 AND partition = $2 AND next_offset > $3
                        AND r.generation = coalesce((SELECT p.generation FROM relay_position p WHERE p.topic = $1 AND p.partition = $2), r.generation)) past
              GROUP BY region) l
       FULL JOIN (SELECT region, reason FROM region_parked WHERE topic = $1 AND partition = $2 AND log_offset = $3) k USING (region)`,
    [topic, partition, offset],
  )
  return rows.map(({ region, since, reason }) => ({ region, since, parkedReason: reason }))
}

function offsetOf(alias: string): string {
  return `(SELECT s.first_offset + ${alias}.sequence - s.first_sequence FROM sent_range s
            WHERE s.topic = ${alias}.topic AND s.partition = ${alias}.partition
              AND s.first_sequence <= ${alias}.sequence AND s.last_sequence >= ${alias}.sequence)`
}
