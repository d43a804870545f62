import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { createDatabase } from '@hub/local/postgres'
import { createDb, type Db } from '@hub/runtime/db'
import { createLog } from '@hub/runtime/log'

const log = createLog({ service: 'test', level: process.env['HUB_TEST_LOG_LEVEL'] ?? 'silent' })

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly db: Db
  /** Another pool on the same database. */
  open(max?: number): Db
}

/** An empty database on the stack of this run; disposing closes its pools. */
export async function openDatabase(): Promise<TestDatabase> {
  const name = `r${randomBytes(4).toString('hex')}`
  const server = inject('stack').adminDatabaseUrl
  await createDatabase(server, name)
  const url = new URL(server)
  url.pathname = `/${name}`
  const pools: Db[] = []
  const open = (max = 4): Db => {
    const db = createDb({ url: url.href, name: 'test', max, log })
    pools.push(db)
    return db
  }
  return {
    url: url.href,
    db: open(),
    open,
    async [Symbol.asyncDispose]() {
      await Promise.all(pools.map((pool) => pool.close()))
    },
  }
}
