import type { DbClient } from '@hub/runtime/db'
import type { Region } from '@hub/schemas/streams'

/** A complaint as it was before its partition's marker, and as it is; bytes of the log. `then` is null when it was not there, or has ended since. */
export interface RecordAtCut {
  readonly then: Buffer | null
  readonly now: Buffer
}

/** `undefined` when the replica has no such record, or its partition was not cut. */
export async function readAtCut(db: DbClient, campaign: string, year: number, region: Region, recordId: string): Promise<RecordAtCut | undefined> {
  const { rows: [found] } = await db.query<RecordAtCut>(
    `SELECT v.body AS "then", c.body AS now
       FROM complaint c JOIN cut ON cut.campaign = $1 AND cut.year = $2 AND cut.region = c.region AND cut.stream = 'complaint' AND cut.partition = c.partition
       LEFT JOIN LATERAL (
         SELECT c.body WHERE c.log_offset < cut.log_offset
         UNION ALL
         SELECT h.body FROM history h
          WHERE h.stream = 'complaint' AND h.region = c.region AND h.record_id = c.record_id AND h.from_offset < cut.log_offset AND h.to_offset >= cut.log_offset) v ON true
      WHERE c.region = $3 AND c.record_id = $4`, [campaign, year, region, recordId])
  return found
}
