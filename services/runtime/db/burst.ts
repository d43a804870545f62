import pg from 'pg'

/** One statement of a burst; `name` prepares it once per connection. */
export interface BurstStatement {
  readonly text: string
  readonly values?: readonly unknown[] | undefined
  readonly name?: string | undefined
}

export interface StatementResult {
  readonly command: string | null
  readonly rows: unknown[]
  readonly rowCount: number | null
}

interface ResultBuilder extends StatementResult {
  addFields(fields: unknown): void
  addRow(row: unknown): void
  parseRow(fields: unknown): unknown
  addCommandComplete(message: unknown): void
}

/** The driver's side of a connection, as far as a burst uses it. */
interface Connection {
  readonly stream: { cork(): void; uncork(): void }
  readonly parsedStatements: Record<string, string | undefined>
  parse(statement: { text: string; name: string | undefined }): void
  bind(portal: { statement: string | undefined; values: readonly unknown[] }): void
  describe(what: { type: 'P' }): void
  execute(portal: object): void
  sync(): void
}

const { Result, utils } = pg as unknown as {
  Result: new (rowMode: undefined, types: pg.CustomTypesConfig) => ResultBuilder
  utils: { prepareValue(value: unknown): unknown }
}

/**
 * Statements that go to the server in one write and are answered in one: the driver's own pipeline ends each with a Sync of its own, which costs both sides
 * a system call and a wake-up. They are done in their order, each on a snapshot of its own. All have a result or none: what follows one that fails is not done.
 * For the driver's `query`, which calls these methods.
 */
export class Burst {
  readonly #statements: readonly BurstStatement[]
  readonly #results: ResultBuilder[]
  readonly #done: (error: unknown, results: readonly StatementResult[]) => void
  #at = 0
  #unreadable: unknown
  callback: (error?: unknown) => void
  readonly query_timeout: number

  constructor(statements: readonly BurstStatement[], options: { types: pg.CustomTypesConfig; timeoutMs: number; done: (error: unknown, results: readonly StatementResult[]) => void }) {
    // What cannot be sent must be known before anything is.
    this.#statements = statements.map((one) => ({ ...one, values: one.values?.map(utils.prepareValue) }))
    this.#results = statements.map(() => new Result(undefined, options.types))
    this.#done = options.done
    this.callback = (error) => this.#done(error, this.#results)
    this.query_timeout = options.timeoutMs
  }

  /** For the driver, which notes under them what the server has parsed and answers for the statement at hand. */
  get name(): string | undefined {
    return this.#statements[this.#at]?.name
  }

  get text(): string | undefined {
    return this.#statements[this.#at]?.text
  }

  submit(connection: Connection): Error | null {
    const parsed = new Set<string>()
    connection.stream.cork()
    try {
      for (const { text, values = [], name } of this.#statements) {
        if (name === undefined || (connection.parsedStatements[name] === undefined && !parsed.has(name))) connection.parse({ text, name })
        if (name !== undefined) parsed.add(name)
        connection.bind({ statement: name, values })
        connection.describe({ type: 'P' })
        connection.execute({})
      }
      connection.sync()
      return null
    } finally {
      connection.stream.uncork()
    }
  }

  handleRowDescription({ fields }: { fields: unknown }): void {
    this.#results[this.#at]?.addFields(fields)
  }

  handleDataRow({ fields }: { fields: unknown }): void {
    const result = this.#results[this.#at]
    try {
      result?.addRow(result.parseRow(fields))
    } catch (error) {
      this.#unreadable ??= error
    }
  }

  handleCommandComplete(message: unknown): void {
    this.#results[this.#at]?.addCommandComplete(message)
    this.#at++
  }

  handleEmptyQuery(): void {
    this.#at++
  }

  handleReadyForQuery(): void {
    this.callback(this.#unreadable)
  }

  handleError(error: unknown): void {
    this.callback(error)
  }
}
