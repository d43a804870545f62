import type { Db, DbClient } from '@hub/runtime/db'
import { PARTITIONS, REGIONS, topicName } from '@hub/schemas/streams'
import type { Run, ScrubResult } from './announcements.ts'

const WHY = '联合公示复算前核对 · before a joint announcement is signed'
const STREAMS = ['complaint', 'tally'] as const
const MOST_TOLD = 100

/**
 * Asks the scrubber of this replica for a pass over every partition that was cut; whoever changes the row has asked. `repair` compares with the log whatever the rows
 * say, and counts anew what was copied at the markers.
 */
export async function askScrub(db: Db, { campaign, year, scrub }: Run, topicPrefix: string, kind: 'scrub' | 'repair' = 'scrub'): Promise<void> {
  const topics = REGIONS.flatMap((region) => STREAMS.map((stream) => topicName(region, stream, topicPrefix)))
  await db.tx(async (c) => {
    const { rowCount } = await c.query('SELECT 1 FROM announcement WHERE campaign = $1 AND year = $2 AND scrub IS NOT DISTINCT FROM $3::jsonb FOR UPDATE', [campaign, year, scrub === null ? null : JSON.stringify(scrub)])
    if (rowCount === 0) return
    const { rows } = await c.query<{ id: bigint }>(
      `INSERT INTO scrub_request (kind, topic, who, why) SELECT $3, topic, 'announcer', $2 FROM unnest($1::text[]) AS topic RETURNING id`, [topics, WHY, kind])
    await c.query('UPDATE announcement SET clean_at = NULL, scrub = $3::jsonb WHERE campaign = $1 AND year = $2', [
      campaign, year, JSON.stringify({ requests: rows.map(({ id }) => String(id)), askedAt: new Date().toISOString(), outcome: null }),
    ])
  })
}

interface Outcome {
  readonly partitions: number
  readonly rows: number
  readonly ms: number
  readonly repaired: number
  readonly different: number
  readonly reasons: readonly string[]
  readonly findings: readonly { readonly recordId: string }[]
}

/** What the pass came to; undefined while it is under way. Notes it. */
export async function scrubResult(db: DbClient, { campaign, year, scrub }: Run): Promise<ScrubResult | undefined> {
  if (scrub === null) return undefined
  if (scrub.outcome !== null) return scrub.outcome
  const { rows } = await db.query<{ outcome: Outcome | null }>('SELECT outcome FROM scrub_request WHERE id = ANY ($1::bigint[])', [scrub.requests])
  if (rows.some(({ outcome }) => outcome === null)) return undefined
  const outcomes = rows.map(({ outcome }) => outcome!)
  const sum = (what: 'partitions' | 'rows' | 'ms' | 'repaired' | 'different'): number => outcomes.reduce((total, one) => total + one[what], 0)
  const everything = REGIONS.length * STREAMS.reduce((total, stream) => total + PARTITIONS[stream], 0)
  const result: ScrubResult = {
    clean: sum('repaired') === 0 && sum('different') === 0 && sum('partitions') === everything, partitions: sum('partitions'), rows: sum('rows'), ms: sum('ms'),
    records: outcomes.flatMap(({ findings }) => findings.map(({ recordId }) => recordId)).slice(0, MOST_TOLD), reasons: outcomes.flatMap(({ reasons }) => reasons).slice(0, MOST_TOLD),
  }
  await db.query('UPDATE announcement SET scrub = $3::jsonb, clean_at = CASE WHEN $4 THEN now() END WHERE campaign = $1 AND year = $2', [campaign, year, JSON.stringify({ ...scrub, outcome: result }), result.clean])
  return result
}
