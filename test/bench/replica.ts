import type { Db } from '@hub/runtime/db'
import { mustEqual } from './bench.ts'

/** Events of a topic that a replica has dealt with, control records left out; 0 while there is no replica. */
export async function appliedOf(db: Db, topic: string): Promise<number> {
  const { rows: [row] } = await db.query<{ n: bigint }>({
    name: 'bench-applied',
    text: 'SELECT coalesce(sum(applied + duplicate + stale + folded + parked), 0)::bigint AS n FROM consumer_offset WHERE topic = $1', values: [topic],
  })
  return Number(row!.n)
}

/** The replica's current rows of a topic are as many as expected, none is parked, and their digest is the kept one. @throws VoidRun */
export async function mustHold(db: Db, topic: string, records: number): Promise<void> {
  const { rows } = await db.query<{ records: bigint, digest: string, kept_digest: string }>('SELECT records, digest, kept_digest FROM hub_verify() WHERE topic = $1', [topic])
  mustEqual(`records of ${topic}`, rows.reduce((sum, row) => sum + Number(row.records), 0), records)
  mustEqual(`partitions of ${topic} whose digest differs from their rows`, rows.filter(({ digest, kept_digest: kept }) => digest !== kept).length, 0)
  const { rows: [parked] } = await db.query<{ n: bigint }>('SELECT count(*) AS n FROM parked WHERE topic = $1', [topic])
  mustEqual(`parked events of ${topic}`, Number(parked!.n), 0)
}
