import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveArtifacts } from './artifacts.ts'
import { findJdk } from './java.ts'
import { startKafka, trainKafka } from './kafka.ts'
import { DEFAULT_PORTS, HOST, assertPortsFree, randomPorts, type StackPorts } from './ports.ts'
import { SUPERUSER, createDatabase, startPostgres } from './postgres.ts'
import { step, type OnProgress } from './progress.ts'
import { registryUrl, startRegistry, trainRegistry } from './registry.ts'
import { openSupervisor, type ManagedProcess, type Supervisor, type SupervisorOptions } from './supervisor.ts'

export const REGION_USERS = ['sh', 'js', 'zj', 'ah'] as const
export type RegionUser = typeof REGION_USERS[number]

export interface Credentials { username: string, password: string }

/** What a client needs to know; plain JSON, so that it can be handed to another process. */
export interface StackDescription {
  kafka: { brokers: string, admin: Credentials, regions: Record<RegionUser, Credentials> }
  /** Ends in `/apis/ccompat/v7`. */
  registryUrl: string
  /** A super user's URL of the maintenance database `postgres`. */
  adminDatabaseUrl: string
}

export interface Stack extends StackDescription {
  /** The URL of a database on this server, whether or not it exists. */
  databaseUrl(name: string): string
  /** Creates a database unless it is there. */
  createDatabase(name: string): Promise<void>
  describe(): StackDescription
  processes: { broker: ManagedProcess, registry: ManagedProcess, postgres: ManagedProcess }
  /** Starts further processes of this launcher under the same watch, and stops them before the stack. */
  supervisor: Supervisor
  /** Stops everything cleanly; within ten seconds, by force if need be. */
  stop(): Promise<void>
}

export interface StackOptions extends SupervisorOptions {
  dataDir: string
  ports?: StackPorts | 'random'
  onProgress: OnProgress
  /** Off for tests only (see PostgresConfig); also makes the broker's cleaner eager. */
  fsync?: boolean
}

/** Starts broker, registry and PostgreSQL as native processes on `dataDir`, in parallel as far as they allow. */
export async function startStack({ dataDir, ports: wanted = DEFAULT_PORTS, onProgress, fsync = true, ...options }: StackOptions): Promise<Stack> {
  const supervisor = await openSupervisor(dataDir, options)
  try {
    const ports = wanted === 'random' ? await randomPorts() : wanted
    await assertPortsFree([
      { name: 'Kafka', port: ports.kafka }, { name: 'Kafka controller', port: ports.kafkaController },
      { name: 'Apicurio', port: ports.registry }, { name: 'PostgreSQL', port: ports.postgres },
    ])
    const jdk = await findJdk()
    const training: Promise<void>[] = []
    const jars = await resolveArtifacts(jdk, onProgress, (what, dir) => {
      training.push(what === 'kafka' ? trainKafka(jdk, dir) : trainRegistry(jdk, dir))
    })
    if (training.length > 0) {
      await step(onProgress, 'training', '准备 Java 启动缓存（仅首次）', 'preparing the Java start-up caches (first time only)', () => Promise.all(training))
    }
    const secrets = await readSecrets(dataDir)
    const kafka = step(onProgress, 'kafka', '消息服务器 Kafka', 'Kafka broker', () =>
      startKafka(supervisor, jdk, jars.kafka, { dir: join(dataDir, 'kafka'), port: ports.kafka, controllerPort: ports.kafkaController, users: secrets.kafka, eager: !fsync }))
    const databases = step(onProgress, 'postgres', '数据库 PostgreSQL', 'PostgreSQL database', async () => {
      const postgres = await startPostgres(supervisor, { dir: join(dataDir, 'postgres'), port: ports.postgres, password: secrets.postgres, fsync })
      await createDatabase(postgresUrl('postgres'), 'registry')
      return postgres
    })
    const registry = databases.then(() => step(onProgress, 'registry', '模式注册中心 Apicurio', 'Apicurio schema registry', () =>
      startRegistry(supervisor, jdk, jars.apicurio, { port: ports.registry, database: { host: HOST, port: ports.postgres, name: 'registry', user: SUPERUSER, password: secrets.postgres } })))
    const [broker, postgres, apicurio] = await settled([kafka, databases, registry] as const)

    function postgresUrl(name: string): string {
      return `postgres://${SUPERUSER}:${secrets.postgres}@${HOST}:${ports.postgres}/${name}`
    }
    const description: StackDescription = {
      kafka: {
        brokers: `${HOST}:${ports.kafka}`,
        admin: { username: 'admin', password: secrets.kafka['admin']! },
        regions: Object.fromEntries(REGION_USERS.map((region) => [region, { username: region, password: secrets.kafka[region]! }])) as Record<RegionUser, Credentials>,
      },
      registryUrl: registryUrl(ports.registry),
      adminDatabaseUrl: postgresUrl('postgres'),
    }
    return {
      ...description,
      databaseUrl: postgresUrl,
      createDatabase: (name) => createDatabase(description.adminDatabaseUrl, name),
      describe: () => description,
      processes: { broker, registry: apicurio, postgres },
      supervisor,
      async stop() {
        await Promise.all([broker.stop(), apicurio.stop()])
        await postgres.stop()
        await supervisor.close()
      },
    }
  } catch (error) {
    await supervisor.close()
    throw error
  }
}

/** Waits for all, so that nothing is still starting when the first failure is reported. */
async function settled<T extends readonly Promise<unknown>[]>(promises: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises)
  return Promise.all(promises)
}

interface Secrets { postgres: string, kafka: Record<string, string> }

/** The passwords live with the data they open: made at random once, readable by this user alone. */
async function readSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets
  const password = (): string => randomBytes(18).toString('hex')
  const secrets: Secrets = { postgres: password(), kafka: Object.fromEntries(['admin', ...REGION_USERS].map((user) => [user, password()])) }
  await mkdir(dataDir, { recursive: true })
  await writeFile(file, JSON.stringify(secrets, null, 2), { mode: 0o600 })
  return secrets
}
