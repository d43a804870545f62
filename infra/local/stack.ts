import { join } from 'node:path'
import { containersAnswer, startWithCompose, type StartContainers } from './containers.ts'
import { readExternal, type External } from './external.ts'
import { newClusterId, startKafka } from './kafka.ts'
import { prepareNative } from './native.ts'
import { DEFAULT_PORTS, HOST, assertPortsFree, randomPorts, type StackPorts } from './ports.ts'
import { SUPERUSER, createDatabase, postgresBinaries, startPostgres } from './postgres.ts'
import { LocalProblem } from './problem.ts'
import { step, type OnProgress } from './progress.ts'
import { REGION_USERS, type Credentials, type RegionUser } from './region-users.ts'
import { registryUrl, startRegistry } from './registry.ts'
import { readSecrets, type Secrets } from './secrets.ts'
import { openSupervisor, type ManagedProcess, type Supervisor, type SupervisorOptions } from './supervisor.ts'

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
  /** What runs as our own child: nothing of a part that the environment names or that runs in a container. */
  processes: StackProcesses
  /** Starts further processes of this launcher under the same watch; stop them before the stack. */
  supervisor: Supervisor
  /** Stops everything cleanly; within eight seconds, by force if need be. */
  stop(): Promise<void>
}

export interface StackProcesses {
  broker?: ManagedProcess
  /** By node; of one broker, that one. */
  brokers: ManagedProcess[]
  registry?: ManagedProcess
  postgres?: ManagedProcess
}

export interface StackOptions extends SupervisorOptions {
  dataDir: string
  ports?: StackPorts | 'random'
  onProgress: OnProgress
  /** Off for tests only (see PostgresConfig); also makes the broker's cleaner eager. */
  fsync?: boolean
  /** Three brokers in the place of one, for tests; each on ports of its own. */
  quorum?: boolean
  /** How containers are started where native processes cannot be; compose by default. */
  containers?: StartContainers
  /** Ends a start that is still under way: everything is stopped and the start rejects with the signal's reason. */
  signal?: AbortSignal
}

/**
 * Brings broker, registry and PostgreSQL up, each from where it is found first: named by the environment, as a native
 * process on `dataDir`, in a container. Native parts start in parallel as far as they depend on nothing.
 * @throws LocalProblem saying what is missing or busy and what to do
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const supervisor = await openSupervisor(options.dataDir, options)
  try {
    return await untilAborted(bringUp(options, supervisor), options.signal)
  } catch (error) {
    await supervisor.close()
    throw error
  }
}

async function bringUp(options: StackOptions, supervisor: Supervisor): Promise<Stack> {
  const { dataDir, onProgress, fsync = true } = options
  const named = readExternal(REGION_USERS)
  const ports = options.ports === 'random' ? await randomPorts() : options.ports ?? DEFAULT_PORTS
  const secrets = await readSecrets(dataDir, ['admin', ...REGION_USERS])
  const others = options.quorum === true ? [await randomPorts(), await randomPorts()] : []
  const brokers = [ports, ...others]
  const description = describe(ports.registry, ports.postgres, brokers.map(({ kafka }) => kafka), secrets, named)
  await assertPortsFree([
    ...(named.kafka ? [] : [{ name: 'Kafka', port: ports.kafka }, { name: 'Kafka controller', port: ports.kafkaController }]),
    ...(named.registryUrl ? [] : [{ name: 'Apicurio', port: ports.registry }]),
    ...(named.adminDatabaseUrl ? [] : [{ name: 'PostgreSQL', port: ports.postgres }]),
  ])
  const { processes, stop } = await startNative().catch(async (problem: unknown) => {
    if (!(problem instanceof LocalProblem) || problem.code === 'START_FAILED' || !await containersAnswer()) throw withAlternatives(problem)
    onProgress({ step: 'containers', state: 'note', zh: `改用容器：${problem.zh}`, en: `using containers: ${problem.en}` })
    const containers = await step(onProgress, 'containers', '启动容器', 'starting containers', () => (options.containers ?? startWithCompose)(ports, secrets))
    return { processes: { brokers: [] }, stop: () => containers.stop() }
  })
  return {
    ...description,
    databaseUrl: (name) => withDatabase(description.adminDatabaseUrl, name),
    createDatabase: (name) => createDatabase(description.adminDatabaseUrl, name),
    describe: () => description,
    processes,
    supervisor,
    async stop() {
      await stop()
      await supervisor.close()
    },
  }

  async function startNative(): Promise<{ processes: StackProcesses, stop(): Promise<void> }> {
    if (!named.adminDatabaseUrl) await postgresBinaries()
    const tools = named.kafka && named.registryUrl ? undefined : await prepareNative(onProgress)
    const clusterId = newClusterId()
    const started = named.kafka || !tools ? undefined : step(onProgress, 'kafka', '消息服务器 Kafka', 'Kafka broker', () => Promise.all(brokers.map(({ kafka: port, kafkaController: controllerPort }, n) =>
      startKafka(supervisor, tools.jdk, tools.jars.kafka, {
        dir: join(dataDir, n === 0 ? 'kafka' : `kafka-${n + 1}`), port, controllerPort, users: secrets.kafka, eager: !fsync,
        ...(options.quorum === true && { quorum: { node: n + 1, clusterId, controllerPorts: brokers.map(({ kafkaController }) => kafkaController) } }),
      }))))
    const postgres = named.adminDatabaseUrl ? undefined : step(onProgress, 'postgres', '数据库 PostgreSQL', 'PostgreSQL database', () =>
      startPostgres(supervisor, { dir: join(dataDir, 'postgres'), port: ports.postgres, password: secrets.postgres, fsync }))
    const registry = named.registryUrl || !tools ? undefined : Promise.resolve(postgres).then(async () => {
      await createDatabase(description.adminDatabaseUrl, 'registry')
      return step(onProgress, 'registry', '模式注册中心 Apicurio', 'Apicurio schema registry', () =>
        startRegistry(supervisor, tools.jdk, tools.jars.apicurio, { port: ports.registry, database: new URL(withDatabase(description.adminDatabaseUrl, 'registry')) }))
    })
    await Promise.allSettled([started, postgres, registry]) // so that nothing is still starting when the first failure is reported
    const [b = [], p, r] = await Promise.all([started, postgres, registry])
    return {
      processes: { brokers: b, ...(b[0] && { broker: b[0] }), ...(p && { postgres: p }), ...(r && { registry: r }) },
      async stop() {
        await Promise.all([...b, r].map((one) => one?.stop()))
        await p?.stop()
      },
    }
  }
}

function describe(registry: number, postgres: number, brokers: readonly number[], secrets: Secrets, named: External): StackDescription {
  const user = (username: string): Credentials => ({ username, password: secrets.kafka[username]! })
  return {
    kafka: named.kafka ?? {
      brokers: brokers.map((port) => `${HOST}:${port}`).join(','),
      admin: user('admin'),
      regions: Object.fromEntries(REGION_USERS.map((region) => [region, user(region)])) as Record<RegionUser, Credentials>,
    },
    registryUrl: named.registryUrl ?? registryUrl(registry),
    adminDatabaseUrl: named.adminDatabaseUrl ?? `postgres://${SUPERUSER}:${secrets.postgres}@${HOST}:${postgres}/postgres`,
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${encodeURIComponent(name)}`
  return changed.href
}

function withAlternatives(problem: unknown): unknown {
  if (!(problem instanceof LocalProblem) || !['JAVA_MISSING', 'MAVEN_MISSING', 'POSTGRES_UNAVAILABLE'].includes(problem.code)) return problem
  return new LocalProblem(problem.code,
    `${problem.zh}\n也可以启动 Docker，或用 HUB_KAFKA_BROKERS、HUB_REGISTRY_URL、HUB_DATABASE_URL 指向已有的服务。`,
    `${problem.en}\nOr start Docker, or name running services with HUB_KAFKA_BROKERS, HUB_REGISTRY_URL and HUB_DATABASE_URL.`, { cause: problem })
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason as Error)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  work.catch(() => {})
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', onAbort))
}
