import type { Db, DbClient } from '@hub/runtime/db'
import type { Codec } from '@hub/runtime/codec'
import { toJson } from '@hub/schemas/record-json'
import { topicName } from '@hub/schemas/streams'
import type { Publish } from '../intake/intake.ts'
import { actOfHub } from '../publish/act.ts'
import type { Preparing } from '../publish/prepare.ts'
import { decodeBody } from '../read/record-view.ts'

const STREAM = 'credit-blacklist'
const RECORDS_PER_BATCH = 500

export interface Expiring {
  readonly db: Db
  readonly codec: Codec
  readonly preparing: Preparing
  readonly publish: Publish
}

/** What one look came to: how many records ended, and whether it saw everything that this region had published until some minutes before. */
export interface Expired {
  readonly ended: number
  readonly whole: boolean
}

/**
 * Ends the records of this region whose own date is past, as an event of the day after: listings by `until`, penalties by `penalty.publicUntil` (Order 45 a13). The replica tells which;
 * publishing decides, and leaves alone what has changed since. So this may be interrupted, repeated, and done by two gateways at once. "Today" is the database's, in Asia/Shanghai.
 */
export async function expireDue({ db, codec, preparing, publish }: Expiring, signal: AbortSignal): Promise<Expired> {
  const whole = await isFresh(db, topicName(preparing.region, STREAM, preparing.topicPrefix))
  let ended = 0
  for (let after = ''; !signal.aborted;) {
    const due = await readDue(db, preparing.region, after)
    if (due.length === 0) return { ended, whole }
    const acts = await Promise.all(due.map(async ({ version, endedOn, body }) => {
      const { contract, record } = await decodeBody(codec, body)
      return actOfHub(preparing, STREAM, toJson(contract, record), { kind: 'expiry', occurredOn: endedOn, after: version })
    }))
    const outcomes = await publish(acts)
    ended += outcomes.filter(({ verdict }) => verdict === 'new-version').length
    after = due.at(-1)!.recordId
  }
  return { ended, whole: false }
}

interface Due {
  readonly recordId: string
  readonly version: number
  /** The first day on which it does not hold any more. */
  readonly endedOn: string
  readonly body: Buffer
}

/** Whether the replica has applied what was on the log a few minutes ago; one that is being filled has not. */
async function isFresh(db: DbClient, topic: string): Promise<boolean> {
  const { rows } = await db.query<{ fresh: boolean | null }>(`SELECT bool_and(heartbeat_at > now() - interval '10 minutes') AS fresh FROM partition_state WHERE topic = $1`, [topic])
  return rows[0]?.fresh ?? false
}

const LAST_DAY = `CASE record_type WHEN 'penalty' THEN public_until ELSE until END`

async function readDue(db: DbClient, region: string, after: string): Promise<Due[]> {
  const { rows } = await db.query<Due>(
    `SELECT record_id AS "recordId", version::float8 AS version, to_char(${LAST_DAY} + 1, 'YYYY-MM-DD') AS "endedOn", body
       FROM credit_blacklist
      WHERE region = $1 AND record_id > $2 AND NOT ended AND ${LAST_DAY} < (now() AT TIME ZONE 'Asia/Shanghai')::date
      ORDER BY record_id LIMIT ${RECORDS_PER_BATCH}`, [region, after])
  return rows
}
