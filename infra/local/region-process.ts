import { join } from 'node:path'
import { databaseName, urlOf, type RegionPorts } from './addresses.ts'
import { childEnv } from './child-env.ts'
import type { RegionFiles } from './local-files.ts'
import { REPO_ROOT } from './paths.ts'
import { HOST } from './ports.ts'
import type { RegionUser } from './region-users.ts'
import type { Stack } from './stack.ts'
import type { ManagedProcess } from './supervisor.ts'

const SERVICES = join(REPO_ROOT, 'services/region/index.ts')

/** By default V8 lets more than 100 MB of young objects gather in each process; with half of that everything is as fast, with a quarter no more. */
export const NODE_FLAGS = ['--max-semi-space-size=16']

/** Runs all services of one region in one process; resolves when its gateway and whatever that depends on are ready. */
export function startRegion(stack: Stack, region: RegionUser, files: RegionFiles, ports: RegionPorts): Promise<ManagedProcess> {
  const { username, password } = stack.kafka.regions[region]
  return stack.supervisor.start({
    name: region,
    command: process.execPath,
    args: [...NODE_FLAGS, SERVICES],
    env: childEnv({
      HUB_REGION: region,
      HUB_KAFKA_BROKERS: stack.kafka.brokers,
      ...(username === '' ? {} : { HUB_KAFKA_USERNAME: username, HUB_KAFKA_PASSWORD: password }),
      HUB_REGISTRY_URL: stack.registryUrl,
      HUB_DATABASE_URL: stack.databaseUrl(databaseName(region)),
      HUB_HTTP_HOST: HOST,
      HUB_HTTP_PORT: String(ports.gateway),
      HUB_LOOKUP_PORT: String(ports.lookup),
      HUB_ANNOUNCER_PORT: String(ports.announcer),
      HUB_CALLERS_FILE: files.callersFile,
      HUB_SOURCES_FILE: files.sourcesFile,
      HUB_SIGNING_KEY_FILE: files.signingKeyFile,
      HUB_PUBLIC_KEYS_DIR: join(files.signingKeyFile, '../..'),
      HUB_STATE_DIR: files.stateDir,
    }),
    stopSignal: 'SIGTERM',
    graceMs: 3000,
    ready: () => isReady(urlOf(ports.gateway)),
    readyTimeoutMs: 60_000,
  })
}

async function isReady(gateway: string): Promise<boolean> {
  try {
    const response = await fetch(`${gateway}/readyz`, { signal: AbortSignal.timeout(2000) })
    const { dependencies } = await response.json() as { dependencies: { name: string, ok: boolean }[] }
    // The credit lookup reads its lists while the sample is being published.
    return response.ok && dependencies.every(({ name, ok }) => ok || name === 'credit-lists')
  } catch {
    return false
  }
}
