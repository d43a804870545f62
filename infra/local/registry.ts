import { join } from 'node:path'
import type { Jdk } from './java.ts'
import { jvmFlags, trainCache } from './jvm-cache.ts'
import { HOST, randomPorts } from './ports.ts'
import type { ManagedProcess, Supervisor } from './supervisor.ts'

export interface RegistryConfig {
  port: number
  /** `postgres://user:password@host:port/name` */
  database: URL
}

/** Runs Apicurio with its store in PostgreSQL; it makes its own tables on first start. */
export function startRegistry(supervisor: Supervisor, jdk: Jdk, dir: string, config: RegistryConfig): Promise<ManagedProcess> {
  const { host, pathname, username, password } = config.database
  return supervisor.start({
    name: 'registry',
    command: jdk.java,
    args: [...jvmFlags(jdk, dir), ...registryArgs(dir, config.port)],
    // Through the environment, because arguments are everybody's to read.
    env: {
      ...process.env,
      APICURIO_STORAGE_KIND: 'sql',
      APICURIO_STORAGE_SQL_KIND: 'postgresql',
      APICURIO_DATASOURCE_URL: `jdbc:postgresql://${host}${pathname}`,
      APICURIO_DATASOURCE_USERNAME: decodeURIComponent(username),
      APICURIO_DATASOURCE_PASSWORD: decodeURIComponent(password),
    },
    stopSignal: 'SIGTERM',
    graceMs: 3000,
    ready: () => answers(config.port),
    readyTimeoutMs: 90_000,
  })
}

export function registryUrl(port: number): string {
  return `http://${HOST}:${port}/apis/ccompat/v7`
}

/** Makes the JVM's class cache of the registry by starting one on its in-memory store. Never throws. */
export async function trainRegistry(jdk: Jdk, dir: string): Promise<void> {
  await trainCache(jdk, dir, async () => {
    const { registry: port } = await randomPorts()
    return { args: registryArgs(dir, port), ready: () => answers(port) }
  })
}

function registryArgs(dir: string, port: number): string[] {
  return [
    '-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1',
    `-Dquarkus.http.host=${HOST}`, `-Dquarkus.http.port=${port}`, '-Dquarkus.log.level=WARN', '-Dquarkus.log.category."io.apicurio".level=WARN',
    '-Dquarkus.http.access-log.enabled=false',
    // Its management interface would take port 9000 of all addresses.
    `-Dquarkus.management.host=${HOST}`, '-Dquarkus.management.port=0', '-Dquarkus.banner.enabled=false',
    '-Dapicurio.datasource.jdbc.initial-size=2', '-Dapicurio.datasource.jdbc.min-size=2', '-Dapicurio.datasource.jdbc.max-size=10',
    '-jar', join(dir, 'quarkus-run.jar'),
  ]
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`${registryUrl(port)}/subjects`, { signal: AbortSignal.timeout(2000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
