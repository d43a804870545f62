import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { REPO_ROOT } from './paths.ts'
import type { StackPorts } from './ports.ts'
import { LocalProblem } from './problem.ts'
import type { Secrets } from './secrets.ts'

export const COMPOSE_DIR = join(REPO_ROOT, 'infra')
export const STACK_CONTAINERS = ['kafka', 'registry', 'postgres']

/** Brings the three containers up on the given ports and passwords; the result takes them down again. */
export type StartContainers = (ports: StackPorts, secrets: Secrets) => Promise<{ stop(): Promise<void> }>

/** Whether a container engine answers. */
export function containersAnswer(): Promise<boolean> {
  return promisify(execFile)('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 }).then(() => true, () => false)
}

/** Runs broker, registry and PostgreSQL of infra/compose.yaml; their data stay in its volumes. */
export const startWithCompose: StartContainers = async (ports, secrets) => {
  const env = { ...process.env, ...composeEnvironment(ports, secrets) }
  // A project of its own for each set of passwords: volumes made with others would not open.
  const project = `yrd-hub-${createHash('sha256').update(secrets.postgres).digest('hex').slice(0, 8)}`
  const compose = async (...args: string[]): Promise<void> => {
    const child = spawn('docker', ['compose', '-p', project, '-f', join(COMPOSE_DIR, 'compose.yaml'), ...args], { stdio: ['ignore', 2, 2], env })
    const [code] = await once(child, 'exit')
    if (code !== 0) throw new LocalProblem('START_FAILED', `docker compose ${args[0]} 失败。`, `docker compose ${args[0]} failed.`)
  }
  await compose('up', '--detach', '--wait', ...STACK_CONTAINERS)
  return { stop: () => compose('stop', '--timeout', '8', ...STACK_CONTAINERS) }
}

/** The variables infra/compose.yaml reads. */
export function composeEnvironment(ports: StackPorts, secrets: Secrets): Record<string, string> {
  return {
    HUB_KAFKA_PORT: String(ports.kafka),
    HUB_REGISTRY_PORT: String(ports.registry),
    HUB_POSTGRES_PORT: String(ports.postgres),
    HUB_POSTGRES_PASSWORD: secrets.postgres,
    ...Object.fromEntries(Object.entries(secrets.kafka).map(([user, password]) => [`HUB_KAFKA_PASSWORD_${user.toUpperCase()}`, password])),
  }
}
