import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import type { Jdk } from './java.ts'
import { jvmFlags, trainCache } from './jvm-cache.ts'
import { HOST, randomPorts } from './ports.ts'
import { LocalProblem } from './problem.ts'
import type { ManagedProcess, Supervisor } from './supervisor.ts'

const LOG4J = fileURLToPath(new URL('./jvm/log4j2.properties', import.meta.url))
const READY_LINE = 'Kafka Server started'

export interface KafkaConfig {
  dir: string
  port: number
  controllerPort: number
  /** Every SCRAM user with its password; `admin` is the super user. */
  users: Record<string, string>
  /** Shorter cleaner and retention intervals, for tests that wait for compaction. */
  eager: boolean
  /** Which of three it is; alone without it. */
  quorum?: Quorum
}

/** Three brokers, each a controller too: every partition on all of them, and what two have is acknowledged. */
export interface Quorum {
  /** 1, 2 or 3 */
  node: number
  clusterId: string
  /** By node. */
  controllerPorts: readonly number[]
}

export function newClusterId(): string {
  return randomBytes(16).toString('base64url')
}

/** Formats the directory on its first start, then runs one combined broker and controller on it. */
export async function startKafka(supervisor: Supervisor, jdk: Jdk, jars: string, config: KafkaConfig): Promise<ManagedProcess> {
  const properties = join(config.dir, 'server.properties')
  await mkdir(config.dir, { recursive: true })
  await writeFile(properties, serverProperties(config), { mode: 0o600 })
  const classPath = await kafkaClassPath(jars)
  if (!existsSync(join(config.dir, 'data', 'meta.properties'))) await format(jdk, jars, classPath, properties, config)
  return supervisor.start({
    name: config.quorum === undefined ? 'kafka' : `kafka-${config.quorum.node}`,
    command: jdk.java,
    args: kafkaArgs(jdk, jars, classPath, properties),
    stopSignal: 'SIGTERM',
    graceMs: 4000,
    ready: (printed) => printed.includes(READY_LINE),
    readyTimeoutMs: 60_000,
  })
}

/** Makes the JVM's class cache of the broker by starting one on a throw-away directory. Never throws. */
export async function trainKafka(jdk: Jdk, jars: string): Promise<void> {
  await trainCache(jdk, jars, async (dir) => {
    const ports = await randomPorts()
    const config: KafkaConfig = { dir, port: ports.kafka, controllerPort: ports.kafkaController, users: { admin: 'training' }, eager: true }
    const properties = join(dir, 'server.properties')
    await writeFile(properties, serverProperties(config))
    const classPath = await kafkaClassPath(jars)
    await format(jdk, jars, classPath, properties, config)
    return { args: [...brokerFlags(), '-cp', classPath, 'kafka.Kafka', properties], ready: (printed) => printed.includes(READY_LINE) }
  })
}

/** The text of `server.properties`: KRaft, broker and controller in one process, SCRAM for clients, the authorizer on, everything on 127.0.0.1. */
export function serverProperties({ dir, port, controllerPort, users, eager, quorum }: KafkaConfig): string {
  const copies = quorum === undefined ? 1 : 3
  const enough = quorum === undefined ? 1 : 2
  const admin = users['admin']
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule'
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  const settings: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': quorum?.node ?? 1,
    'controller.quorum.voters': (quorum?.controllerPorts ?? [controllerPort]).map((each, n) => `${n + 1}@${HOST}:${each}`).join(','),
    'listeners': `CLIENT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`,
    'advertised.listeners': `CLIENT://${HOST}:${port}`,
    'listener.security.protocol.map': 'CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'CLIENT',
    // A broker that was killed may register again only when its last session has run out (9 s by default).
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'log.dirs': join(dir, 'data'),

    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    'listener.name.client.scram-sha-512.sasl.jaas.config': `${scram} required username="admin" password="${admin}";`,
    // The controller listener cannot use SCRAM: its users are records that only a running controller can read.
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': `${plain} required username="admin" password="${admin}" user_admin="${admin}";`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:admin',
    'allow.everyone.if.no.acl.found': false,

    'auto.create.topics.enable': false,
    'delete.topic.enable': true,
    'message.max.bytes': 2 * 1024 * 1024,
    'replica.fetch.max.bytes': 2 * 1024 * 1024,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.recovery.threads.per.data.dir': 2,
    'default.replication.factor': copies,
    'min.insync.replicas': enough,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': enough,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': enough,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 500,
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    'log.cleaner.backoff.ms': eager ? 200 : 5000,
    'log.retention.check.interval.ms': eager ? 1000 : 60_000,
    'log.initial.task.delay.ms': 500,
    'log.segment.delete.delay.ms': eager ? 1000 : 60_000,
  }
  return Object.entries(settings).map(([key, value]) => `${key}=${value}\n`).join('')
}

function kafkaArgs(jdk: Jdk, jars: string, classPath: string, properties: string): string[] {
  return [...jvmFlags(jdk, jars), ...brokerFlags(), '-cp', classPath, 'kafka.Kafka', properties]
}

function brokerFlags(): string[] {
  return ['-Xms256m', '-Xmx512m', '-Xmn160m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Dlog4j2.configurationFile=${LOG4J}`]
}

/** The jars by name, not `*`: the JVM's ahead-of-time cache is only used when the class path is the one it was made with. */
async function kafkaClassPath(jars: string): Promise<string> {
  return (await readdir(jars)).filter((name) => name.endsWith('.jar')).sort().map((name) => join(jars, name)).join(':')
}

async function format(jdk: Jdk, jars: string, classPath: string, properties: string, config: KafkaConfig): Promise<void> {
  const data = join(config.dir, 'data')
  await rm(data, { recursive: true, force: true }) // a format that was interrupted
  const users = Object.entries(config.users).flatMap(([name, password]) => ['--add-scram', `SCRAM-SHA-512=[name=${name},password=${password}]`])
  await promisify(execFile)(jdk.java, [
    ...jvmFlags(jdk, jars), '-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Dlog4j2.configurationFile=${LOG4J}`, '-cp', classPath,
    'kafka.tools.StorageTool', 'format', ...formatArguments(config.quorum?.clusterId ?? newClusterId(), properties), ...users,
  ]).catch((error: { stderr?: string }) => {
    // The error of execFile holds the command line, and that the passwords.
    throw new LocalProblem('START_FAILED', '消息服务器无法建立其数据目录', 'the broker could not set up its data folder', { cause: new Error(error.stderr ?? 'no output') })
  })
}

/** One id in 64 begins with a dash, which the tool takes for an option of its own unless it stands behind an equals sign. */
export function formatArguments(clusterId: string, properties: string): string[] {
  return [`--cluster-id=${clusterId}`, '--config', properties]
}
