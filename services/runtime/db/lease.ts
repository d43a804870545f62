import type { DbClient } from './pool.ts'

export interface Lease {
  readonly name: string
  readonly owner: string
  /** Rises with every change of owner; a write that checks it cannot come from a former owner. */
  readonly epoch: bigint
}

/** Takes the lease when it is free, expired or already ours. Times are the database's. */
export async function tryLease(db: DbClient, name: string, owner: string, ttlMs: number): Promise<Lease | undefined> {
  const { rows: [row] } = await db.query<{ epoch: bigint }>(
    `INSERT INTO lease AS l (name, owner, epoch, until) VALUES ($1, $2, 1, clock_timestamp() + $3 * interval '1 ms')
     ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = l.epoch + 1, until = excluded.until
      WHERE l.until < clock_timestamp() OR l.owner = excluded.owner
     RETURNING epoch`, [name, owner, ttlMs])
  return row === undefined ? undefined : { name, owner, epoch: row.epoch }
}

/** Extends the lease; false = somebody else has it now. */
export async function renewLease(db: DbClient, lease: Lease, ttlMs: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE lease SET until = clock_timestamp() + $4 * interval '1 ms' WHERE name = $1 AND owner = $2 AND epoch = $3`,
    [lease.name, lease.owner, lease.epoch, ttlMs])
  return rowCount === 1
}

/** Lets the next process take over at once. */
export async function releaseLease(db: DbClient, lease: Lease): Promise<void> {
  await db.query(`UPDATE lease SET until = '-infinity' WHERE name = $1 AND owner = $2 AND epoch = $3`, [lease.name, lease.owner, lease.epoch])
}
