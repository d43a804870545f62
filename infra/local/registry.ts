import { join } from 'node:path'
import type { Jdk } from './java.ts'
import { jvmFlags, trainCache } from './jvm-cache.ts'
import { HOST, randomPorts } from './ports.ts'
import type { ManagedProcess, Supervisor } from './supervisor.ts'

export interface RegistryConfig {
  port: number
  database: { host: string, port: number, name: string, user: string, password: string }
}

/** Runs Apicurio with its store in PostgreSQL; it makes its own tables on first start. */
export function startRegistry(supervisor: Supervisor, jdk: Jdk, dir: string, config: RegistryConfig): Promise<ManagedProcess> {
  const { host, port, name, user, password } = config.database
  return supervisor.start({
    name: 'registry',
    command: jdk.java,
    args: [...jvmFlags(jdk, dir), ...registryArgs(dir, config.port)],
    // Through the environment, because arguments are everybody's to read.
    env: {
      ...process.env,
      APICURIO_STORAGE_KIND: 'sql',
      APICURIO_STORAGE_SQL_KIND: 'postgresql',
      APICURIO_DATASOURCE_URL: `jdbc:postgresql://${host}:${port}/${name}`,
      APICURIO_DATASOURCE_USERNAME: user,
      APICURIO_DATASOURCE_PASSWORD: password,
    },
    stopSignal: 'SIGTERM',
    graceMs: 4000,
    ready: () => answers(config.port),
    readyTimeoutMs: 90_000,
  })
}

export function registryUrl(port: number): string {
  return `http://${HOST}:${port}/apis/ccompat/v7`
}

/** Makes the JVM's class cache of the registry by starting one on its in-memory store. Never throws. */
export async function trainRegistry(jdk: Jdk, dir: string): Promise<void> {
  await trainCache(jdk, dir, async (_, flags) => {
    const { registry: port } = await randomPorts()
    return { args: [...flags, ...registryArgs(dir, port)], ready: () => answers(port) }
  })
}

function registryArgs(dir: string, port: number): string[] {
  return [
    '-Xms64m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1',
    `-Dquarkus.http.host=${HOST}`, `-Dquarkus.http.port=${port}`, '-Dquarkus.log.level=WARN', '-Dquarkus.banner.enabled=false',
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
