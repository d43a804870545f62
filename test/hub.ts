import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { settled, type Replica } from '@hub/cli/replicas'
import { verifyReplicas } from '@hub/cli/verify'
import { createClient, type Client, type EventsByStream, type Verdict } from '@hub/client'
import { childEnv } from '@hub/local/child-env'
import { callersYaml, publicKeysYaml, type Keys } from '@hub/local/local-files'
import { start, type RegionConfig } from '@hub/region'
import { createDb, type Db } from '@hub/runtime/db'
import { createMetrics } from '@hub/runtime/metrics'
import { generateSigningKey } from '@hub/runtime/sign'
import type { Service } from '@hub/runtime/service'
import { REGIONS, topicName, type DataStream, type Region } from '@hub/schemas/streams'
import { check, type Expectations, type Violation } from './check/check.ts'
import { appendHistory, readHistory, type HistoryLine } from './check/history.ts'
import { readReplicaState } from './check/replica-state.ts'
import { eventually } from './eventually.ts'
import { openFixture, type Fixture, type FixtureOptions } from './fixture.ts'
import { freePort } from './runtime/free-port.ts'

const SERVICE = fileURLToPath(new URL('../services/region/index.ts', import.meta.url))
const READY_MS = 30_000
const LEADS: readonly Region[] = ['sh', 'zj', 'js', 'ah']
const ACKNOWLEDGED = new Set(['accepted', 'new-version', 'duplicate'])

export interface Published {
  readonly verdicts: readonly Verdict[]
  readonly summary: Readonly<Record<string, number>>
}

/** Events in the form a publisher sends them, or the bytes of a line that is no event. */
export type Lines = Iterable<object | Buffer>

/** All services of several regions in this process, on topics and databases of their own. */
export interface Hub extends AsyncDisposable {
  readonly fixture: Fixture
  readonly keys: Keys
  /** Folder with each region's `keys.yaml`, where `announcers` asked for them. */
  readonly publicKeysDir: string
  /** Base URL of a region's gateway; the port stays over restarts. */
  url(region: Region): string
  /** Base URL of a region's credit lookup, where `lookups` asked for one. */
  lookupUrl(region: Region): string
  /** Base URL of a region's announcer, where `announcers` asked for one. */
  announcerUrl(region: Region): string
  db(region: Region): Db
  databaseUrl(region: Region): string
  /** Whom a region's gateway knows. */
  callersFile(region: Region): string
  /** The regions started so far, with their databases. */
  replicas(): Replica[]
  /** Makes a region's database and files; gives the URL of the database. */
  prepare(region: Region): Promise<string>
  /** Starts all services of a region, in this process, and waits until they are ready. */
  start(region: Region): Promise<void>
  /** The same in a process of their own, to be killed; resolves when they are ready. With a port of its own it runs beside the region's other process. */
  spawn(region: Region, over?: { readonly port?: number, /** False: resolves at once, for a process that is not to get ready. */ readonly ready?: boolean, readonly env?: Readonly<Record<string, string>>, onSpawned?(child: ChildProcess): void }): Promise<ChildProcess>
  /** Stops a region's services in order. */
  stop(region: Region): Promise<void>
  /** A request as the caller of a role. */
  request(region: Region, role: keyof Keys, path: string, init?: { readonly body: string, readonly type: string }): Promise<Response>
  /** Publishes as NDJSON; `through` another gateway of the region. */
  publish(region: Region, stream: DataStream, lines: Lines, through?: string): Promise<Published>
  /** Publishes one event as JSON. */
  publishOne(region: Region, stream: DataStream, event: object): Promise<Verdict>
  /** A region's gateway as a caller of this role. Nothing is sent again: a test says what it expects at once. */
  client(region: Region, role: keyof Keys, url?: string): Client
  /** Every event that was acknowledged through this hub, as the checker reads it. */
  readonly historyFile: string
  /** Waits until every started region has taken what was acknowledged before. */
  settled(deadlineMs?: number): Promise<void>
  /** Fails unless all replicas are equal, recomputed from their rows, and hold exactly what the history says. */
  expectEqual(expected?: Expectations): Promise<void>
  violations(expected?: Expectations): Promise<Violation[]>
}

export interface HubOptions extends FixtureOptions {
  /** Started at once; all four by default. */
  readonly regions?: readonly Region[]
  /** The text of a region's sources.yaml; by default no source is declared. */
  readonly sources?: (region: Region) => string
  /** Whether each region has its credit lookup too. */
  readonly lookups?: boolean
  /** Whether each region has its announcer too. */
  readonly announcers?: boolean
  /** Put over what the regions' services are told. */
  readonly config?: Partial<RegionConfig>
}

export async function openHub({ regions = REGIONS, sources, lookups = false, announcers = false, config: over = {}, ...options }: HubOptions = {}): Promise<Hub> {
  const fixture = await openFixture(options)
  const running = new Map<Region, Service>()
  const children = new Set<ChildProcess>()
  const databases = new Map<Region, Db>()
  const configs = new Map<Region, RegionConfig>()
  const historyFile = join(await fixture.stateDir(), 'history.jsonl')
  appendHistory(historyFile, [])
  const keys: Keys = { publisher: 'test-publisher', reader: 'test-reader', operator: 'test-operator', officer: 'test-officer', approver: 'test-approver', approver2: 'test-approver-2' }
  const publicKeysDir = announcers ? await fixture.stateDir() : ''
  const signingKeys = announcers ? await makeSigningKeys(publicKeysDir) : undefined

  async function configOf(region: Region): Promise<RegionConfig> {
    const known = configs.get(region)
    if (known !== undefined) return known
    const stateDir = await fixture.stateDir()
    const callersFile = join(stateDir, 'callers.yaml')
    await writeFile(callersFile, callersYaml(region, keys))
    const sourcesFile = sources === undefined ? null : join(stateDir, 'sources.yaml')
    if (sourcesFile !== null) await writeFile(sourcesFile, sources!(region))
    const { username, password } = fixture.credentials(region)
    const config: RegionConfig = {
      region, username, password, callersFile, sourcesFile, stateDir, brokers: fixture.brokers, registryUrl: fixture.registryUrl, databaseUrl: await fixture.database(),
      topicPrefix: fixture.prefix, host: '127.0.0.1', port: await freePort(), historyMonths: 26, archiveMonths: 36, scrubMinutes: 600, trustedProxies: [], requestsPerSecond: 20_000, outboxMaxBytes: 1024 ** 3, lookupPort: lookups ? await freePort() : null, announcerPort: announcers ? await freePort() : null, signingKeyFile: signingKeys?.[region] ?? null, publicKeysDir,
      leads: [...LEADS], silence: 600_000, deadline: 8 * 3_600_000, snapshotSeconds: 600, maxLoopDelayMs: 60_000, importSecretFile: '', inboxDir: null, logLevel: process.env['HUB_TEST_LOG_LEVEL'] ?? 'silent', ...over,
    }
    configs.set(region, config)
    databases.set(region, createDb({ url: config.databaseUrl, name: 'test', max: 3, log: fixture.log }))
    return config
  }

  const hub: Hub = {
    fixture, keys, historyFile, publicKeysDir,
    url(region) {
      const config = configs.get(region)
      if (config === undefined) throw new Error(`${region} was not started`)
      return `http://${config.host}:${config.port}`
    },
    announcerUrl: (region) => `http://127.0.0.1:${configs.get(region)!.announcerPort}`,
    lookupUrl: (region) => `http://127.0.0.1:${configs.get(region)!.lookupPort}`,
    db(region) {
      const db = databases.get(region)
      if (db === undefined) throw new Error(`${region} was not started`)
      return db
    },
    databaseUrl(region) {
      const config = configs.get(region)
      if (config === undefined) throw new Error(`${region} was not started`)
      return config.databaseUrl
    },
    callersFile(region) {
      const config = configs.get(region)
      if (config === undefined) throw new Error(`${region} was not started`)
      return config.callersFile
    },
    replicas: () => REGIONS.flatMap((region) => (databases.has(region) ? [{ region, db: databases.get(region)! }] : [])),
    prepare: async (region) => (await configOf(region)).databaseUrl,
    async start(region) {
      const config = await configOf(region)
      const fail = (error: unknown): void => fixture.log.error({ err: error, region }, 'service failed')
      running.set(region, await start(config, { log: fixture.log.child({ region }), metrics: createMetrics({ region }), fail }))
      await ready(hub.url(region))
    },
    async spawn(region, { port, ready: awaited = true, env, onSpawned } = {}) {
      const config = await configOf(region)
      const own = port === undefined ? config : { ...config, port, lookupPort: null, announcerPort: null }
      const child = spawn(process.execPath, [SERVICE], { env: { ...environmentOf(own), ...env }, stdio: ['ignore', 'inherit', 'inherit'] })
      children.add(child)
      onSpawned?.(child)
      child.once('exit', () => children.delete(child))
      if (awaited) await Promise.race([ready(`http://${own.host}:${own.port}`), once(child, 'exit').then(([code, signal]) => { throw new Error(`${region} ended at its start: ${String(code ?? signal)}`) })])
      return child
    },
    async stop(region) {
      await running.get(region)?.[Symbol.asyncDispose]()
      running.delete(region)
    },
    request: (region, role, path, init) => fetch(hub.url(region) + path, {
      ...(init && { method: 'POST', body: init.body }),
      headers: { authorization: `Bearer ${keys[role]}`, ...(init && { 'content-type': init.type }) },
      signal: AbortSignal.timeout(60_000),
    }),
    client: (region, role, url = hub.url(region)) => createClient({ url, key: keys[role], attempts: 1 }),
    async publish(region, stream, lines, through) {
      const body = Buffer.concat([...lines].map((line) => Buffer.concat([Buffer.isBuffer(line) ? line : Buffer.from(JSON.stringify(line)), Buffer.from('\n')])))
      const answer = await hub.client(region, 'publisher', through).publishLines(stream, [body], { signal: AbortSignal.timeout(60_000) })
      const verdicts = await Array.fromAsync(answer)
      remember(region, stream, verdicts)
      return { verdicts, summary: await answer.summary() }
    },
    async publishOne(region, stream, event) {
      const verdict = await hub.client(region, 'publisher').publish(stream, event as EventsByStream[DataStream])
      remember(region, stream, [verdict])
      return verdict
    },
    settled: (deadlineMs = 20_000) => settled(hub.replicas(), deadlineMs),
    async expectEqual(expected) {
      const verdicts = await verifyReplicas(hub.replicas())
      expect(verdicts.filter(({ verdict, replicas }) => verdict !== 'equal' || replicas.some(({ matchesKept }) => !matchesKept))).toEqual([])
      expect(await hub.violations(expected)).toEqual([])
    },
    async violations(expected) {
      return check(readHistory(historyFile), await Promise.all(hub.replicas().map(({ region, db }) => readReplicaState(region, db, fixture.prefix))), expected)
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL')
      await Promise.all([...running.keys()].map((region) => hub.stop(region)))
      await Promise.all([...databases.values()].map((db) => db.close()))
      await fixture[Symbol.asyncDispose]()
    },
  }

  function remember(region: Region, stream: DataStream, verdicts: readonly Verdict[]): void {
    const topic = topicName(region, stream, fixture.prefix)
    // A duplicate may be of a batch that was committed and never answered: it is acknowledged now.
    appendHistory(historyFile, verdicts.flatMap(({ recordId, version, verdict, eventId }): HistoryLine[] => {
      if (recordId === undefined || version === undefined || !ACKNOWLEDGED.has(verdict)) return []
      return [{ topic, key: recordId, ver: version, ...(eventId !== undefined && { eventId }), outcome: 'ok' }]
    }))
  }

  try {
    await Promise.all(regions.map((region) => hub.start(region)))
    return hub
  } catch (error) {
    await hub[Symbol.asyncDispose]()
    throw error
  }
}

function environmentOf(config: RegionConfig): NodeJS.ProcessEnv {
  return childEnv({
    HUB_REGION: config.region,
    HUB_KAFKA_BROKERS: config.brokers.join(','),
    ...(config.username !== null && config.password !== null && { HUB_KAFKA_USERNAME: config.username, HUB_KAFKA_PASSWORD: config.password }),
    HUB_REGISTRY_URL: config.registryUrl,
    HUB_DATABASE_URL: config.databaseUrl,
    HUB_TOPIC_PREFIX: config.topicPrefix,
    HUB_HTTP_HOST: config.host,
    HUB_HTTP_PORT: String(config.port),
    ...(config.lookupPort !== null && { HUB_LOOKUP_PORT: String(config.lookupPort) }),
    ...(config.announcerPort !== null && {
      HUB_ANNOUNCER_PORT: String(config.announcerPort), HUB_SIGNING_KEY_FILE: config.signingKeyFile!, HUB_PUBLIC_KEYS_DIR: config.publicKeysDir,
      HUB_ANNOUNCER_SILENCE: `${config.silence}ms`, HUB_ANNOUNCER_DEADLINE: `${config.deadline}ms`,
    }),
    HUB_MAX_LOOP_DELAY_MS: String(config.maxLoopDelayMs),
    HUB_CALLERS_FILE: config.callersFile,
    ...(config.sourcesFile !== null && { HUB_SOURCES_FILE: config.sourcesFile }),
    HUB_STATE_DIR: config.stateDir,
    ...(config.inboxDir !== null && { HUB_INBOX_DIR: config.inboxDir }),
    HUB_LOG_LEVEL: config.logLevel,
  })
}

/** A key pair for each region: the private half in a file, the public one declared as a region does. */
async function makeSigningKeys(dir: string): Promise<Record<Region, string>> {
  return Object.fromEntries(await Promise.all(REGIONS.map(async (region) => {
    const { privateKey } = generateSigningKey()
    await mkdir(join(dir, region))
    await writeFile(join(dir, region, 'keys.yaml'), publicKeysYaml(privateKey, new Date()))
    const file = join(dir, region, 'signing-key.pem')
    await writeFile(file, privateKey)
    return [region, file]
  }))) as Record<Region, string>
}

async function ready(url: string): Promise<void> {
  await eventually(`${url} ready`, async () => {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3000) })
    const text = await response.text()
    const { dependencies = [] } = JSON.parse(text) as { dependencies?: { ok: boolean }[] }
    if (!response.ok || dependencies.some(({ ok }) => !ok)) throw new Error(text)
    return true
  }, READY_MS)
}
