import type { Db } from '@hub/runtime/db'

/**
 * Moves the floor of the change feed, before versions superseded longer ago than `months` are forgotten. What took the place of a forgotten version
 * lies below the floor, too: a reader from there would not be told to drop what it was once shown. Transactions under way count as a minute old.
 */
export async function markChanges(db: Db, months: number): Promise<void> {
  await db.query(
    `WITH gone AS (DELETE FROM change_mark WHERE at < now() - make_interval(months => $1::int) + interval '1 minute')
     INSERT INTO change_mark SELECT now(), next_change - 1 FROM applier`, [months])
}
