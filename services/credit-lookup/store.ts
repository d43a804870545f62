import { type Db, DbError, migrate } from '@hub/runtime/db'
import { Problem } from '@hub/runtime/http'

/** One copy of credit answers that somebody keeps. */
export interface SubscriberRow {
  readonly caller: string
  readonly name: string
  readonly since: Date
  readonly seenAt: Date
  /** Cursor. */
  readonly acknowledged: string
  readonly acknowledgedAt: Date | null
}

/** Subscribers of one caller: a name for each copy, and no more of them than anybody has. */
export const MAX_NAMES = 20
/** A subscriber that was not seen for so long is forgotten. */
const FORGOTTEN_DAYS = 90

/** The region's database as the lookup uses it; its tables are made when it is first asked. What is asked of it is never needed to answer for a code. */
export interface Store {
  /** Notes that a subscriber is connected; one that is new begins at `cursor`. */
  seen(caller: string, name: string, cursor: string): Promise<void>
  /** Moves what a subscriber has acknowledged. @param merge the later of two cursors. @throws Problem 404 for one that is not known */
  acknowledge(caller: string, name: string, merge: (before: string) => string): Promise<void>
  subscribers(): Promise<SubscriberRow[]>
  /** @returns false when there is none */
  forget(caller: string, name: string): Promise<boolean>
}

export function createStore(db: Db): Store {
  let prepared: Promise<void> | undefined
  const ready = (): Promise<void> => prepared ??= migrate(db, 'credit-lookup', new URL('./migrations/', import.meta.url)).catch((error: unknown) => {
    prepared = undefined
    throw error
  })

  return {
    async seen(caller, name, cursor) {
      await ready()
      await db.query('DELETE FROM credit_subscriber WHERE seen_at < now() - make_interval(days => $1::int)', [FORGOTTEN_DAYS])
      const { rowCount } = await db.query(
        `INSERT INTO credit_subscriber (caller, name, acknowledged)
         SELECT $1, $2, $3 WHERE EXISTS (SELECT FROM credit_subscriber WHERE caller = $1 AND name = $2) OR (SELECT count(*) FROM credit_subscriber WHERE caller = $1) < $4
         ON CONFLICT (caller, name) DO UPDATE SET seen_at = now()`, [caller, name, cursor, MAX_NAMES])
      if (rowCount === 0) throw new Problem(400, 'TOO_MANY_SUBSCRIBERS', '订阅名称过多 · too many names of subscribers', `At most ${MAX_NAMES} of one caller. Use one name for each copy, the same after a restart; an operator can forget one.`)
    },
    async acknowledge(caller, name, merge) {
      await ready()
      await db.tx(async (c) => {
        const { rows: [row] } = await c.query<{ acknowledged: string }>('SELECT acknowledged FROM credit_subscriber WHERE caller = $1 AND name = $2 FOR UPDATE', [caller, name])
        if (row === undefined) throw new Problem(404, 'SUBSCRIBER_UNKNOWN', '没有这个订阅 · no such subscriber', 'Connect to GET /v1/credit/changes under this name first.')
        await c.query('UPDATE credit_subscriber SET acknowledged = $3, acknowledged_at = now(), seen_at = now() WHERE caller = $1 AND name = $2', [caller, name, merge(row.acknowledged)])
      })
    },
    async subscribers() {
      await ready()
      const { rows } = await db.query<SubscriberRow>('SELECT caller, name, since, seen_at AS "seenAt", acknowledged, acknowledged_at AS "acknowledgedAt" FROM credit_subscriber ORDER BY caller, name')
      return rows
    },
    async forget(caller, name) {
      await ready()
      return (await db.query('DELETE FROM credit_subscriber WHERE caller = $1 AND name = $2', [caller, name])).rowCount > 0
    },
  }
}

/** Turns a database that does not answer into 503. */
export async function fromDatabase<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof DbError)) throw error
    throw new Problem(503, 'DATABASE_DOWN', '数据库暂时无应答，请稍后重试；按代码查询不受影响 · the database does not answer now: try again; questions about a code are answered all the same', undefined, { retryAfterSeconds: 5 })
  }
}
