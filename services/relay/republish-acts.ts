import { randomUUID } from 'node:crypto'
import type { Codec } from '@hub/runtime/codec'
import type { DbClient, OutboxRow, TopicPartition } from '@hub/runtime/db'
import { ACT, actKey } from '@hub/schemas/announcement-act'

/** An act may have 240 kB. */
const PAGE = 20

interface ActRow {
  readonly campaign: string
  readonly year: number
  readonly number: number
  readonly edition: number
  readonly at: Date
  readonly says: string
  readonly body: string
}

/**
 * What this region did in joint announcements, as its replica has it: the next acts behind one, each as an event of its own. Of two events of one number the first
 * stands, so that one which is on the log already does no harm.
 * @param after `id` of an act; empty = from the first
 */
export async function readOwnActs(client: DbClient, codec: Codec, region: string, after: string): Promise<{ readonly id: string; readonly row: Omit<OutboxRow, 'topic' | 'partition' | 'sequence'> }[]> {
  const [campaign = '', year = '0', number = '0'] = after.split('/')
  const { encode } = await codec.writer(ACT)
  const { rows } = await client.query<ActRow>(
    'SELECT campaign, year, number, edition, at, says, body FROM announcement_act WHERE region = $1 AND (campaign, year, number) > ($2, $3::int, $4::int) ORDER BY campaign, year, number LIMIT $5', [region, campaign, year, number, PAGE])
  return rows.map((act) => ({
    id: `${act.campaign}/${act.year}/${act.number}`,
    row: {
      key: actKey(act), type: ACT, eventId: randomUUID(), subject: null, timeMs: act.at.getTime(), traceparent: null,
      value: encode({ ...act, region, at: act.at.getTime(), body: Buffer.from(act.body) }),
    },
  }))
}

/**
 * Forgets acts that went to the old log alone and that this replica never got: the announcer, which says everything once, says them again.
 * @returns which they were
 */
export async function forgetLostActs(client: DbClient, { topic, partition }: TopicPartition, region: string, acked: bigint): Promise<{ recordId: string }[]> {
  const { rows: [announcer] } = await client.query<{ there: boolean }>("SELECT to_regclass('own_announcement_act') IS NOT NULL AS there")
  if (announcer?.there !== true) return []
  const { rows } = await client.query<{ recordId: string }>(
    `DELETE FROM own_announcement_act o
      WHERE NOT EXISTS (SELECT FROM announcement_act a WHERE a.region = $3 AND (a.campaign, a.year, a.number) = (o.campaign, o.year, o.number))
        AND NOT EXISTS (SELECT FROM outbox w WHERE w.topic = $1 AND w.partition = $2 AND w.sequence > $4 AND w.key = concat_ws('/', o.campaign, o.year, o.edition, o.number))
     RETURNING concat_ws('/', campaign, year, edition, number) AS "recordId"`, [topic, partition, region, acked])
  return rows
}
