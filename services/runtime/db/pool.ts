import pg from 'pg'
import type { Log } from '../log.ts'
import { failpoint } from '../failpoint.ts'
import { Burst, type StatementResult } from './burst.ts'
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

/** A transaction's statements are done in the order they are asked for; those asked for without awaiting each other go to the server together. */
export interface DbTx extends DbClient {
  /** A statement whose answer nobody needs: it goes out with the next one or with the COMMIT, and fails the transaction when it fails. */
  send(query: Query): void
}

export interface Db extends DbClient, AsyncDisposable {
  /**
   * READ COMMITTED. Rolls back when `work` throws, and throws the same; a statement that failed fails the transaction even when `work` caught
   * it. Throws DbError for the database's own failures, with `outcomeUnknown` when the connection died during COMMIT.
   */
  tx<T>(work: (client: DbTx) => Promise<T>): Promise<T>
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

/** A bounded pool on one database. `name` shows up in pg_stat_activity; `answerMs` is the time a statement may take that says nothing else; `settings` are those of the sessions. */
export function createDb(options: { url: string; name: string; max: number; log: Log; answerMs?: number; settings?: Readonly<Record<string, string>> }): Db {
  const answerMs = options.answerMs ?? ANSWER_MS
  const settings = {
    connectionString: options.url,
    application_name: options.name,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: answerMs,
    ...(options.settings !== undefined && { options: Object.entries(options.settings).map(([name, value]) => `-c ${name}=${value}`).join(' ') }),
    types: types as pg.CustomTypesConfig,
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
        const statements = pipeline(client, answerMs, options.name)
        let result
        let committed
        try {
          statements.send({ text: 'BEGIN' })
          result = await work(statements)
          // With what `work` did not wait for; a statement of those that fails is what `committed` throws.
          committed = statements.ask({ text: 'COMMIT' })
          await committed
          failpoint('db.commit-answered', options.name)
        } catch (error) {
          statements.end()
          const failure = committed === undefined ? error : new DbError(error, leavesCommitOpen(error))
          // Without a word of the server the connection is gone or does not answer.
          if (failure instanceof DbError && failure.sqlState === undefined) broken ??= failure
          else await client.query('ROLLBACK').catch((rollback: Error) => { broken = rollback })
          throw failure
        }
        // PostgreSQL answers the COMMIT of a failed transaction with a roll-back and no error.
        if ((await committed).command !== 'COMMIT') throw new DbError(new Error('the transaction was rolled back: one of its statements had failed'))
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

type Asked = Query & { readonly resolve: (result: StatementResult) => void; readonly reject: (error: unknown) => void }

/** The statements of one transaction: what is asked for in one turn goes to the server as one burst. */
function pipeline(client: pg.PoolClient, answerMs: number, name: string): DbTx & { ask(query: Query): Promise<StatementResult>; end(): void } {
  let asked: Asked[] = []
  let flushing = false
  let ended = false

  return {
    ask,
    async query<Row>(query: string | Query, values?: readonly unknown[]) {
      const whole = typeof query === 'string' ? { text: query, ...(values !== undefined && { values }) } : query
      // Text without values may be several statements, which only the simple protocol takes.
      if (whole.name === undefined && (whole.values ?? []).length === 0) {
        flush()
        return await run<Row>(client, whole)
      }
      const { rows, rowCount } = await ask(whole).catch((error: unknown) => { throw new DbError(error) })
      return { rows: rows as Row[], rowCount: rowCount ?? 0 }
    },
    send(query) {
      asked.push({ ...query, resolve() {}, reject() {} })
    },
    /** Forgets what was asked for and not sent: it must not go out behind the ROLLBACK. */
    end() {
      ended = true
      flush()
    },
  }

  function ask(query: Query): Promise<StatementResult> {
    if (!flushing) process.nextTick(flush)
    flushing = true
    return new Promise((resolve, reject) => asked.push({ ...query, resolve, reject }))
  }

  function flush(): void {
    const taken = asked
    asked = []
    flushing = false
    if (taken.length === 0) return
    try {
      if (ended) throw new Error('the transaction has ended')
      client.query(new Burst(taken, {
        types: types as pg.CustomTypesConfig,
        timeoutMs: Math.max(...taken.map(({ timeoutMs }) => timeoutMs ?? answerMs)),
        done(error, results) {
          for (const [i, { resolve, reject }] of taken.entries()) {
            if (error === undefined) resolve(results[i]!)
            else reject(error)
          }
        },
      }) as unknown as pg.Submittable)
      if (taken.at(-1)!.text === 'COMMIT') failpoint('db.commit-sent', name)
    } catch (error) {
      for (const { reject } of taken) reject(error)
    }
  }
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
