import type { Db } from '@hub/runtime/db'
import { mustEqual } from './bench.ts'

/** Seconds since the oldest event was committed that is not known to be on the log; 0 when there is none. */
export async function outboxAge(db: Db): Promise<number> {
  const { rows: [row] } = await db.query<{ seconds: number }>({
    name: 'bench-outbox-age',
    text: `SELECT coalesce(extract(epoch FROM clock_timestamp() - min(o.committed_at)), 0)::float8 AS seconds
             FROM relay_position p CROSS JOIN LATERAL (
               SELECT committed_at FROM outbox WHERE topic = p.topic AND partition = p.partition AND sequence > p.last_sequence ORDER BY sequence LIMIT 1) o`,
  })
  return row!.seconds
}

/** True once every event is known to be on the log, else undefined. Heartbeats keep coming, so an age of a moment is as good as none. */
export async function outboxEmpty(db: Db): Promise<true | undefined> {
  return await outboxAge(db) < 0.25 ? true : undefined
}

/** Exactly so many versions of this topic were published. @throws VoidRun */
export async function mustBePublished(db: Db, topic: string, count: number): Promise<void> {
  const { rows: [row] } = await db.query<{ n: bigint }>('SELECT count(*) AS n FROM published WHERE topic = $1', [topic])
  mustEqual(`published versions of ${topic}`, Number(row!.n), count)
}
