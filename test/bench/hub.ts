import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { registerAll } from '@hub/cli/commands/schemas'
import { applyTopics } from '@hub/cli/topics'
import { childEnv } from '@hub/local/child-env'
import { callersYaml, type Keys } from '@hub/local/local-files'
import { REPO_ROOT } from '@hub/local/paths'
import { HOST, isFree } from '@hub/local/ports'
import { NODE_FLAGS } from '@hub/local/region-process'
import type { Credentials } from '@hub/local/region-users'
import type { Stack } from '@hub/local/stack'
import { createDb, type Db } from '@hub/runtime/db'
import { createKafka, type Kafka } from '@hub/runtime/kafka'
import { createLog } from '@hub/runtime/log'
import { allTopics, REGIONS, type Region } from '@hub/schemas/streams'

const KEYS: Keys = { publisher: 'bench-publisher', reader: 'bench-reader', operator: 'bench-operator', officer: 'bench-officer', approver: 'bench-approver', approver2: 'bench-approver-2' }

/** A process of the hub. */
export interface HubProcess {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** Topics and databases of one measurement on the stack of the run; empty in the beginning, gone afterwards. */
export interface Hub extends AsyncDisposable {
  /** Before every topic name. */
  readonly prefix: string
  readonly keys: Keys
  readonly registryUrl: string
  readonly brokers: string[]
  readonly stateDir: string
  credentials(who: Region): Credentials
  kafka(who: Region): Kafka
  databaseUrl(region: Region): string
  /** Whom a region's gateway knows; there once the region was started. */
  callersFile(region: Region): string
  db(region: Region): Db
  /** Starts all services of a region in one process, or one service in its own, and resolves when it is ready. */
  start(service: ServiceName, region: Region, flags?: readonly string[]): Promise<HubProcess>
}

export type ServiceName = 'region' | 'gateway' | 'relay' | 'replicator' | 'credit-lookup'

const log = createLog({ service: 'bench', level: 'silent' })
let hubs = 0

export async function openHub(stack: Stack, profileDir?: string): Promise<Hub> {
  const number = hubs++
  const prefix = `b${number}-`
  const dir = join(stack.supervisor.dataDir, `hub-${number}`)
  const stateDir = join(dir, 'state')
  const brokers = stack.kafka.brokers.split(',')
  const credentials = (who: Region | 'admin'): Credentials => (who === 'admin' ? stack.kafka.admin : stack.kafka.regions[who])
  const kafka = (who: Region | 'admin'): Kafka => createKafka({ brokers, clientId: `${prefix}${who}`, ...credentials(who) }, log)
  const callersFile = (region: Region): string => join(dir, `${region}-callers.yaml`)
  const databaseName = (region: Region): string => `bench_${number}_${region}`
  const databases = new Map<Region, Db>()
  const running = new Set<HubProcess>()

  await mkdir(stateDir, { recursive: true })
  await registerAll(stack.registryUrl)
  const apply = { kafka: kafka('admin'), registryUrl: stack.registryUrl, cacheDir: stateDir, topicPrefix: prefix }
  await applyTopics({ ...apply, principals: Object.fromEntries(REGIONS.map((region) => [region, `User:${credentials(region).username}`])) as Record<Region, string> })
  await Promise.all(REGIONS.map((region) => stack.createDatabase(databaseName(region))))

  async function start(service: ServiceName, region: Region, flags: readonly string[] = []): Promise<HubProcess> {
    const port = await freePort()
    const regionDir = join(dir, region)
    await mkdir(regionDir, { recursive: true })
    await writeFile(callersFile(region), callersYaml(region, KEYS).replaceAll('    roles:', '    requestsPerSecond: 1000000\n    roles:'))
    const { username, password } = credentials(region)
    const url = `http://${HOST}:${port}`
    const managed = await stack.supervisor.start({
      name: `${prefix}${region}-${service}`,
      command: process.execPath,
      args: [...NODE_FLAGS, ...flags, ...(profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profileDir, `${prefix}${region}-${service}-${port}`)}`]), join(REPO_ROOT, `services/${service}/index.ts`)],
      env: childEnv({
        HUB_REGION: region,
        HUB_KAFKA_BROKERS: stack.kafka.brokers,
        ...(username === '' ? {} : { HUB_KAFKA_USERNAME: username, HUB_KAFKA_PASSWORD: password }),
        HUB_REGISTRY_URL: stack.registryUrl,
        HUB_DATABASE_URL: stack.databaseUrl(databaseName(region)),
        HUB_TOPIC_PREFIX: prefix,
        HUB_HTTP_HOST: HOST,
        // The lookup has a port of its own; a region's process leaves it out.
        [service === 'credit-lookup' ? 'HUB_LOOKUP_PORT' : 'HUB_HTTP_PORT']: String(port),
        HUB_CALLERS_FILE: callersFile(region),
        HUB_STATE_DIR: regionDir,
      }),
      stopSignal: 'SIGTERM',
      graceMs: 8000,
      ready: () => isReady(url),
      readyTimeoutMs: 60_000,
    })
    const started: HubProcess = {
      url,
      pid: managed.pid!,
      async stop() {
        running.delete(started)
        await managed.stop()
      },
    }
    running.add(started)
    return started
  }

  return {
    prefix, brokers, stateDir, credentials, kafka, start, callersFile,
    keys: KEYS,
    registryUrl: stack.registryUrl,
    databaseUrl: (region) => stack.databaseUrl(databaseName(region)),
    db(region) {
      const open = databases.get(region) ?? createDb({ url: stack.databaseUrl(databaseName(region)), name: 'bench', max: 4, log })
      databases.set(region, open)
      return open
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((one) => one.stop()))
      await Promise.all([...databases.values()].map((db) => db.close()))
      await using admin = await kafka('admin').admin()
      await admin.deleteTopics(allTopics(prefix).map(({ topic }) => topic))
      await using server = createDb({ url: stack.adminDatabaseUrl, name: 'bench', max: 1, log })
      for (const region of REGIONS) await server.query(`DROP DATABASE ${databaseName(region)} WITH (FORCE)`)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) return port
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) })
    const { dependencies } = await response.json() as { dependencies: { ok: boolean }[] }
    return response.ok && dependencies.every(({ ok }) => ok)
  } catch {
    return false
  }
}
