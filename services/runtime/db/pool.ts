import pg from 'pg'
import type { Log } from '../log.ts'
import { DbError, leavesCommitOpen } from './failure.ts'

/** A statement; `name` prepares it once per connection. */
export interface Query {
  readonly text: string
  readonly values?: readonly unknown[]
  readonly name?: string
  /** How long its answer may take; default 60 s. The connection is given up with it. */
  readonly timeoutMs?: number
}

/** A network that swallows everything says nothing for a quarter of an hour; a COMMIT must not wait that long. */
const ANSWER_MS = 60_000

export interface DbClient {
  /** Rows as objects; int8 is a bigint, bytea a Buffer, timestamptz a Date. Throws DbError. */
  query<Row = Record<string, unknown>>(query: string | Query, values?: readonly unknown[]): Promise<{ rows: Row[]; rowCount: number }>
}

export interface Db extends DbClient, AsyncDisposable {
  /**
   * READ COMMITTED. Rolls back when `work` throws, and throws the same; a statement that failed fails the transaction even when `work` caught
   * it. Throws DbError for the database's own failures, with `outcomeUnknown` when the connection died during COMMIT.
   */
  tx<T>(work: (client: DbClient) => Promise<T>): Promise<T>
  /** A connection of its own, outside the pool, that listens on a channel; reconnects by itself. */
  listen(channel: string, onNotify: () => void): Promise<AsyncDisposable>
  close(): Promise<void>
}

const types = {
  getTypeParser(oid: number, format?: string): unknown {
    if (oid === 20) return (value: string) => BigInt(value)
    return pg.types.getTypeParser(oid, format as 'text')
  },
}

/**
 * A bounded pool on one database. `name` shows up in pg_stat_activity; `answerMs` is the time a statement may take that says nothing else.
 * With `pipeline`, statements asked for without awaiting each other go out together and are still done one after the other.
 */
export function createDb(options: { url: string; name: string; max: number; log: Log; answerMs?: number; pipeline?: boolean }): Db {
  const settings = {
    connectionString: options.url,
    application_name: options.name,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: options.answerMs ?? ANSWER_MS,
    types: types as pg.CustomTypesConfig,
    pipeline: options.pipeline ?? false,
  }
  const pool = new pg.Pool({ ...settings, max: options.max, idleTimeoutMillis: 60_000 })
  pool.on('error', (error) => options.log.warn({ err: error }, 'idle database connection lost'))
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= pool.end())

  return {
    query: (query, values) => run(pool, query, values),
    async tx(work) {
      const client = await pool.connect().catch((error: unknown) => { throw new DbError(error) })
      let broken: Error | undefined
      const onError = (error: Error): void => { broken = error }
      client.on('error', onError)
      try {
        let result
        try {
          const begun = run(client, 'BEGIN')
          // On a pipeline it goes out with the first statements of `work`, which fail when it does.
          if (options.pipeline === true) begun.catch(() => {})
          else await begun
          result = await work({ query: (query, values) => run(client, query, values) })
          await begun
        } catch (error) {
          // Without a word of the server the connection is gone or does not answer.
          if (error instanceof DbError && error.sqlState === undefined) broken ??= error
          else await client.query('ROLLBACK').catch((rollback: Error) => { broken = rollback })
          throw error
        }
        await commit(client).catch((error: Error) => {
          broken ??= error
          throw error
        })
        return result
      } finally {
        client.off('error', onError)
        client.release(broken)
      }
    },
    listen: (channel, onNotify) => listen(settings, channel, onNotify, options.log),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT').catch((error: unknown) => { throw new DbError(error, leavesCommitOpen(error)) })
  // PostgreSQL answers the COMMIT of a failed transaction with a roll-back and no error.
  if (command !== 'COMMIT') throw new DbError(new Error('the transaction was rolled back: one of its statements had failed'))
}

async function run<Row>(on: pg.Pool | pg.PoolClient, query: string | Query, values?: readonly unknown[]): Promise<{ rows: Row[]; rowCount: number }> {
  const config = typeof query === 'string'
    ? { text: query, values: values as unknown[] }
    : { ...query, values: (query.values ?? values) as unknown[], ...(query.timeoutMs !== undefined && { query_timeout: query.timeoutMs }) }
  try {
    const result = await on.query(config as pg.QueryConfig)
    return { rows: result.rows as Row[], rowCount: result.rowCount ?? 0 }
  } catch (error) {
    throw new DbError(error)
  }
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
    try {
      await next.connect()
      await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      void next.end().catch(() => {})
      throw error
    }
    client = next
    if (closed) await next.end()
    else onNotify()
  }
  await connect().catch((error: unknown) => {
    closed = true
    clearTimeout(retry)
    throw new DbError(error)
  })
  return {
    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(retry)
      await client?.end().catch(() => {})
    },
  }
}
