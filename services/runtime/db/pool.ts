import pg from 'pg'
import type { Log } from '../log.ts'
import { DbError } from './failure.ts'

/** A statement; `name` prepares it once per connection, `binary` returns bytea and int8 without a trip through text. */
export interface Query {
  readonly text: string
  readonly values?: readonly unknown[]
  readonly name?: string
  readonly binary?: boolean
}

export interface DbClient {
  /** Rows as objects; int8 is a bigint, bytea a Buffer, timestamptz a Date. Throws DbError. */
  query<Row = Record<string, unknown>>(query: string | Query, values?: readonly unknown[]): Promise<{ rows: Row[]; rowCount: number }>
}

export interface Db extends DbClient, AsyncDisposable {
  /** READ COMMITTED. Rolls back when `work` throws; throws DbError with `outcomeUnknown` when the connection died during COMMIT. */
  tx<T>(work: (client: DbClient) => Promise<T>): Promise<T>
  /** A connection of its own, outside the pool, that listens on a channel; reconnects by itself. */
  listen(channel: string, onNotify: () => void): Promise<AsyncDisposable>
  close(): Promise<void>
}

const types = {
  getTypeParser(oid: number, format?: string): unknown {
    if (oid === 20) return format === 'binary' ? (value: Buffer) => value.readBigInt64BE(0) : (value: string) => BigInt(value)
    return pg.types.getTypeParser(oid, format as 'text')
  },
}

/** A bounded pool on one database. `name` shows up in pg_stat_activity. */
export function createDb(options: { url: string; name: string; max: number; log: Log }): Db {
  const settings = {
    connectionString: options.url,
    application_name: options.name,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    types: types as pg.CustomTypesConfig,
  }
  const pool = new pg.Pool({ ...settings, max: options.max, idleTimeoutMillis: 60_000 })
  pool.on('error', (error) => options.log.warn({ err: error }, 'idle database connection lost'))

  return {
    query: (query, values) => run(pool, query, values),
    async tx(work) {
      const client = await pool.connect().catch((error: unknown) => { throw new DbError(error) })
      let broken: Error | undefined
      const onError = (error: Error): void => { broken = error }
      client.on('error', onError)
      let committing = false
      try {
        await client.query('BEGIN')
        const result = await work({ query: (query, values) => run(client, query, values) })
        committing = true
        await client.query('COMMIT')
        return result
      } catch (error) {
        const failure = error instanceof DbError || !isDriverError(error, broken) ? error : new DbError(error, committing)
        if (!committing && broken === undefined) {
          await client.query('ROLLBACK').catch((rollback: Error) => { broken = rollback })
        } else {
          broken ??= new Error('commit failed')
        }
        throw failure
      } finally {
        client.off('error', onError)
        client.release(broken)
      }
    },
    listen: (channel, onNotify) => listen(settings, channel, onNotify, options.log),
    close: () => pool.end(),
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

async function run<Row>(on: pg.Pool | pg.PoolClient, query: string | Query, values?: readonly unknown[]): Promise<{ rows: Row[]; rowCount: number }> {
  const config = typeof query === 'string' ? { text: query, values: values as unknown[] } : { ...query, values: (query.values ?? values) as unknown[] }
  try {
    const result = await on.query(config as pg.QueryConfig)
    return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 }
  } catch (error) {
    throw new DbError(error)
  }
}

function isDriverError(error: unknown, broken: Error | undefined): boolean {
  return broken !== undefined || (error instanceof Error && ('code' in error || /connection|Connection/.test(error.message)))
}

async function listen(settings: pg.ClientConfig, channel: string, onNotify: () => void, log: Log): Promise<AsyncDisposable> {
  let closed = false
  let client: pg.Client | undefined
  let retry: NodeJS.Timeout | undefined
  const connect = async (): Promise<void> => {
    const next = new pg.Client(settings)
    next.on('notification', onNotify)
    next.on('error', () => {})
    next.once('end', () => {
      if (!closed) retry = setTimeout(() => void connect().catch((error: unknown) => log.warn({ err: error, channel }, 'cannot listen')), 1000)
    })
    await next.connect()
    await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    client = next
    onNotify()
  }
  await connect().catch((error: unknown) => { throw new DbError(error) })
  return {
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(retry)
      await client?.end().catch(() => {})
    },
  }
}
