import { appendOutbox, type Db, type DbClient, type DbTx, ensureHeads, lockHeads, notifyOutbox, type OutboxRow } from '@hub/runtime/db'
import type { Codec } from '@hub/runtime/codec'
import type { Wakeup } from '@hub/runtime/wakeup'
import { ACT, actKey } from '@hub/schemas/announcement-act'
import { type Region, topicName } from '@hub/schemas/streams'
import { randomUUID } from 'node:crypto'
import { type Act, type Bodies, readAct, type Says } from '../acts.ts'
import { canonicalJson } from '../canonical.ts'

/** Bytes of a body that the contract takes. */
const MOST_BYTES = 240_000

export interface Speaker {
  readonly db: Db
  readonly codec: Codec
  readonly region: Region
  readonly topicPrefix: string
  /** The outbox's bell. */
  readonly wakeup: Wakeup
}

/** An act larger than an event may be. */
export class ActTooLarge extends Error {
  override readonly name = 'ActTooLarge'
}

/** Every act of an announcement that this replica has, region by region in the order of their numbers. */
export async function readActs(db: DbClient, campaign: string, year: number): Promise<Act[]> {
  const { rows } = await db.query<Parameters<typeof readAct>[0]>(
    'SELECT region, number, edition, at, says, body FROM announcement_act WHERE campaign = $1 AND year = $2 ORDER BY region, number', [campaign, year])
  return rows.flatMap((row) => readAct(row) ?? [])
}

/** How much this replica has heard of announcements, in acts and markers: more than before, and there may be something to do. */
export async function countHeard(db: DbClient): Promise<bigint> {
  const { rows: [row] } = await db.query<{ n: bigint }>('SELECT (SELECT count(*) FROM announcement_act) + (SELECT count(*) FROM cut) AS n')
  return row!.n
}

/**
 * Says something in the region's own topic: once about one thing, whoever tries and however often.
 * @param about what makes it the same act again @param also is written with it, or not at all
 * @returns false when it was said before
 */
export async function say<S extends Says>(
  { db, codec, region, topicPrefix, wakeup }: Speaker, { campaign, year, edition }: { readonly campaign: string; readonly year: number; readonly edition: number }, says: S, about: string, body: Bodies[S], also?: (c: DbTx) => Promise<void>,
): Promise<boolean> {
  const bytes = Buffer.from(canonicalJson(body))
  if (bytes.length > MOST_BYTES) throw new ActTooLarge(`内容 ${bytes.length} 字节，超过 ${MOST_BYTES} · ${bytes.length} bytes are more than an act may have, ${MOST_BYTES}`)
  const topic = topicName(region, 'announcement', topicPrefix)
  const { encode } = await codec.writer(ACT)
  await ensureHeads(db, [{ topic, partition: 0 }])
  const said = await db.tx(async (c) => {
    const sequence = (await lockHeads(c, [{ topic, partition: 0 }])).get(`${topic}/0`)!
    const { rows: [own] } = await c.query<{ number: number; at: Date }>({
      text: `INSERT INTO own_announcement_act (campaign, year, number, edition, says, about)
             SELECT $1, $2, 1 + greatest((SELECT coalesce(max(number), 0) FROM own_announcement_act WHERE campaign = $1 AND year = $2),
                                         (SELECT coalesce(max(number), 0) FROM announcement_act WHERE campaign = $1 AND year = $2 AND region = $6)), $3, $4, $5
             ON CONFLICT (campaign, year, edition, says, about) DO NOTHING RETURNING number, at`,
      values: [campaign, year, edition, says, about, region],
    })
    if (own === undefined) return false
    await also?.(c)
    const at = own.at.getTime()
    const row: OutboxRow = {
      topic, partition: 0, sequence, key: actKey({ campaign, year, edition, number: own.number }), type: ACT, eventId: randomUUID(), subject: null, timeMs: at, traceparent: null,
      value: encode({ region, campaign, year, edition, number: own.number, at, says, body: bytes }),
    }
    appendOutbox(c, [row])
    return true
  })
  if (said) {
    wakeup.signal()
    notifyOutbox(db)
  }
  return said
}
