import type { DbClient } from '@hub/runtime/db'

const MOST_IMPORTS = 50
const MOST_RECORDS = 20

/** What waits here and is not published: for a person, or for what it refers to. */
export interface Held {
  readonly imports: readonly { readonly id: string; readonly source: string; readonly file: string; readonly received: Date; readonly problem: string | null; readonly absent: number | null }[]
  /** Records that something was told of and whose beginning has not come, some of each source. */
  readonly records: readonly { readonly source: string; readonly count: number; readonly some: readonly string[] }[]
}

/** @param sources null = all */
export async function readHeld(db: DbClient, sources: readonly string[] | null): Promise<Held> {
  const [imports, records] = await Promise.all([
    db.query<Held['imports'][number]>(
      `SELECT id::text, source, file, received, problem, absent::float8 AS absent FROM import
        WHERE state = 'waiting-confirmation' AND ($1::text[] IS NULL OR source = ANY ($1::text[])) ORDER BY id LIMIT ${MOST_IMPORTS}`, [sources]),
    db.query<Held['records'][number]>(
      `SELECT source, count(*)::int AS count, (array_agg(key ORDER BY key))[1:${MOST_RECORDS}] AS some FROM import_memory
        WHERE part = 'listings' AND value NOT LIKE '%"listing":{%' AND value NOT LIKE '%"kind":"voided"%' AND ($1::text[] IS NULL OR source = ANY ($1::text[])) GROUP BY source ORDER BY source`, [sources]),
  ])
  return { imports: imports.rows, records: records.rows }
}
