import { start } from '@hub/gateway'
import type { GatewayConfig } from '@hub/gateway/config'
import { createDb, type Db } from '@hub/runtime/db'
import type { Role } from '@hub/runtime/http'
import { createLog, type Log } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { createWakeup } from '@hub/runtime/wakeup'
import type { Region } from '@hub/schemas/streams'
import { hash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fixture } from '../fixture.ts'

export interface TestGateway extends AsyncDisposable {
  readonly url: string
  /** The region's database, beside the gateway. */
  readonly db: Db
  readonly stateDir: string
  /** Everything that was logged. */
  logged(): string
  /** POST of one body to a stream's events. */
  publish(stream: string, body: string | Buffer | ReadableStream, options?: { key?: string; type?: string; query?: string }): Promise<{ status: number; headers: Headers; text: string }>
  get(path: string, key?: string): Promise<{ status: number; headers: Headers; body: any }>
}

/** Keys of the callers that every test gateway knows: by role, and `narrow`, a publisher of one source and authority. */
export const KEYS = { publisher: 'key-publisher', reader: 'key-reader', operator: 'key-operator', officer: 'key-officer', narrow: 'key-narrow' } as const

const CALLERS = [
  ...(['publisher', 'reader', 'operator', 'officer'] as const).map((role) => caller(role, role, ['*'], ['*'])),
  caller('narrow', 'publisher', ['narrow'], ['330100']),
].join('\n')

/** A gateway on the fixture's stack. `databaseUrl` may lead through a proxy; `db` of the result goes to `fixture`'s database itself. */
export async function startGateway(fixture: Fixture, options: { region?: Region; databaseUrl?: string; directUrl?: string; config?: Partial<GatewayConfig> } = {}): Promise<TestGateway> {
  const stateDir = await fixture.stateDir()
  const callersFile = join(stateDir, 'callers.yaml')
  await writeFile(callersFile, `callers:\n${CALLERS}\n`)
  const databaseUrl = options.databaseUrl ?? await fixture.database()
  const lines: string[] = []
  const log: Log = createLog({ service: 'test', level: 'trace', destination: { write: (line: string) => void lines.push(line) } })
  const region = options.region ?? 'zj'
  const service = await start(
    { region, databaseUrl, registryUrl: fixture.registryUrl, topicPrefix: fixture.prefix, host: '127.0.0.1', port: 0, callersFile, sourcesFile: null, stateDir, logLevel: 'info', trustedProxies: [], requestsPerSecond: 20_000, outboxMaxBytes: 1024 ** 3, maxLoopDelayMs: 60_000, historyMonths: 26, importSecretFile: '', inboxDir: null, ...options.config },
    { log, metrics: createMetrics({}), wakeup: createWakeup(), fail: (error) => void lines.push(String(error)) },
  )
  const db = createDb({ url: options.directUrl ?? databaseUrl, name: 'test', max: 2, log: fixture.log })
  return {
    url: service.url,
    db,
    stateDir,
    logged: () => lines.join(''),
    async publish(stream, body, { key = KEYS.publisher, type = 'application/json', query = '' } = {}) {
      const response = await fetch(`${service.url}/v1/streams/${stream}/events${query}`, {
        method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': type }, body: body as NonNullable<RequestInit['body']>, ...(body instanceof ReadableStream && { duplex: 'half' }),
      } as RequestInit)
      return { status: response.status, headers: response.headers, text: await response.text() }
    },
    async get(path, key = KEYS.reader) {
      const response = await fetch(service.url + path, { headers: { authorization: `Bearer ${key}` } })
      return { status: response.status, headers: response.headers, body: await response.json() }
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await db.close()
    },
  }
}

function caller(id: keyof typeof KEYS, role: Role, sources: string[], authorities: string[]): string {
  return `  - {id: ${id}, organisation: 测试, roles: [${role}], sources: ${JSON.stringify(sources)}, authorities: ${JSON.stringify(authorities)}, keyHashes: [${hash('sha256', KEYS[id], 'hex')}]}`
}
