import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { HubError } from '../errors.ts'
import type { Db } from './pool.ts'

/** For a migration of large tables, and for waiting until another process has done one. */
const MIGRATION_MS = 30 * 60_000

/**
 * Applies the numbered `NNNN-name.sql` files of a component, each once and in its own transaction. Two processes may start at once:
 * an advisory lock inside each transaction makes the second wait and then find the work done. A changed file is refused.
 */
export async function migrate(db: Db, component: string, directory: URL): Promise<void> {
  const files = (await readdir(directory)).filter((file) => /^\d{4}-.+\.sql$/.test(file)).sort()
  await db.tx(async (client) => {
    await client.query({ text: 'SELECT pg_advisory_xact_lock(4310000)', timeoutMs: MIGRATION_MS })
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migration (
      component text NOT NULL, number int NOT NULL, name text NOT NULL, checksum text NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (component, number))`)
  })
  for (const file of files) {
    const sql = await readFile(new URL(file, `${directory.href.replace(/\/?$/, '/')}`), 'utf8')
    const number = Number(file.slice(0, 4))
    const checksum = createHash('sha256').update(sql).digest('hex')
    await db.tx(async (client) => {
      await client.query({ text: 'SELECT pg_advisory_xact_lock(4310000)', timeoutMs: MIGRATION_MS })
      const { rows: [done] } = await client.query<{ checksum: string }>('SELECT checksum FROM schema_migration WHERE component = $1 AND number = $2', [component, number])
      if (done !== undefined) {
        if (done.checksum !== checksum) throw new HubError('MIGRATION_CHANGED', `migration ${component}/${file} differs from the one this database was made with: write a new numbered file instead`)
        return
      }
      await client.query({ text: sql, timeoutMs: MIGRATION_MS })
      await client.query('INSERT INTO schema_migration (component, number, name, checksum) VALUES ($1, $2, $3, $4)', [component, number, file, checksum])
    })
  }
}
