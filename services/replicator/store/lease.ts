import type { DbClient } from '@hub/runtime/db'

/** The right to apply, under one epoch. */
export interface Lease {
  readonly epoch: bigint
  readonly replicaId: string
}

/** Somebody else applies, or has moved a position: nothing of this transaction may stay. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** How long a transaction may stand idle: a process that is stopped inside one must not hold the applier row for long. */
const IDLE_MS = 5_000

/** Takes the applier row when it is free or its holder's time is up; the epoch rises, so the former holder's next write is refused. Does not wait for a transaction that holds the row. */
export async function acquireLease(db: DbClient, owner: string, ttlMs: number): Promise<Lease | undefined> {
  const { rows } = await db.query<{ epoch: bigint; replica_id: string }>(
    `UPDATE applier SET epoch = epoch + 1, owner = $1, lease_until = clock_timestamp() + $2 * interval '1 ms'
      WHERE id = (SELECT id FROM applier WHERE id = 1 AND lease_until < clock_timestamp() FOR UPDATE SKIP LOCKED) RETURNING epoch, replica_id`,
    [owner, ttlMs],
  )
  return rows[0] === undefined ? undefined : { epoch: rows[0].epoch, replicaId: rows[0].replica_id }
}

/** Keeps the lease while nothing flows. @throws FencedError when it is gone. */
export async function renewLease(db: DbClient, epoch: bigint, ttlMs: number): Promise<void> {
  const { rowCount } = await db.query(`UPDATE applier SET lease_until = clock_timestamp() + $2 * interval '1 ms' WHERE id = 1 AND epoch = $1`, [epoch, ttlMs])
  if (rowCount !== 1) throw new FencedError('the lease has passed to another process')
}

/** Lets the next process take over at once. */
export async function releaseLease(db: DbClient, epoch: bigint): Promise<void> {
  await db.query(`UPDATE applier SET lease_until = '-infinity', owner = NULL WHERE id = 1 AND epoch = $1`, [epoch])
}

/**
 * First statement of every transaction of the applier: checks the epoch, holds the row until the commit, renews the lease and reserves
 * change numbers. It also forbids scans to this transaction, because a plan made while a table was empty would be kept.
 * @returns the first of the reserved change numbers. @throws FencedError when it is not ours.
 */
export async function fence(c: DbClient, epoch: bigint, ttlMs: number, changes: number): Promise<bigint> {
  const { rows } = await c.query<{ first: bigint }>({
    name: 'fence',
    text: `UPDATE applier SET next_change = next_change + $3, lease_until = clock_timestamp() + $2 * interval '1 ms'
            WHERE id = 1 AND epoch = $1
        RETURNING next_change - $3 AS first, set_config('enable_seqscan', 'off', true),
                  set_config('idle_in_transaction_session_timeout', '${IDLE_MS}', true)`,
    values: [epoch, ttlMs, changes],
  })
  if (rows[0] === undefined) throw new FencedError('the lease has passed to another process')
  return rows[0].first
}
