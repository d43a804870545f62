import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { randomPorts } from './ports.ts'
import { processIdentity } from './process-identity.ts'
import { startStack, type StackDescription } from './stack.ts'

let dir: string
const launchers: ChildProcess[] = []

beforeAll(async () => { dir = await mkdtemp(join(tmpdir(), 'yrd-hub-stack-')) })
afterAll(async () => {
  for (const launcher of launchers) launcher.kill('SIGTERM')
  await Promise.all(launchers.map((launcher) => launcher.exitCode === null && launcher.signalCode === null ? once(launcher, 'exit') : undefined))
  await rm(dir, { recursive: true, force: true })
})

test('a launcher killed with SIGKILL leaves nothing running, and the next start has the data and the same passwords', async () => {
  const first = await launch()
  const id = await registerSchema(first.description)
  const pids = await childPids()
  expect(pids).toHaveLength(3)
  first.launcher.kill('SIGKILL')
  await until(() => pids.every((pid) => processIdentity(pid) === undefined))

  const second = await launch()
  expect(await registeredSchema(second.description)).toBe(id)
  expect(second.description.kafka).toMatchObject({ admin: first.description.kafka.admin, regions: first.description.kafka.regions })

  const later = await childPids()
  second.launcher.kill('SIGINT')
  const [code] = await once(second.launcher, 'exit')
  expect(code).toBe(0)
  expect(later.filter((pid) => processIdentity(pid) !== undefined)).toEqual([])
})

test('a busy port is named before anything is started', async () => {
  const ports = await randomPorts()
  const squatter = createServer().listen(ports.registry, '127.0.0.1')
  await once(squatter, 'listening')
  try {
    await expect(startStack({ dataDir: join(dir, 'busy'), ports, onProgress: () => {} })).rejects.toThrow(`port ${ports.registry} (Apicurio) is in use by pid ${process.pid}`)
    expect(await readdir(join(dir, 'busy/pids'))).toEqual([])
  } finally {
    squatter.close()
  }
})

async function launch(): Promise<{ launcher: ChildProcess, description: StackDescription }> {
  const data = join(dir, 'data')
  await rm(join(data, 'stack.json'), { force: true })
  const launcher = spawn(process.execPath, [fileURLToPath(new URL('./dev-stack.ts', import.meta.url)), data], { stdio: 'ignore' })
  launchers.push(launcher)
  await until(() => existsSync(join(data, 'stack.json')) || launcher.exitCode !== null)
  return { launcher, description: JSON.parse(await readFile(join(data, 'stack.json'), 'utf8')) as StackDescription }
}

async function childPids(): Promise<number[]> {
  const names = (await readdir(join(dir, 'data/pids'))).filter((name) => name !== 'launcher')
  return Promise.all(names.map(async (name) => (JSON.parse(await readFile(join(dir, 'data/pids', name), 'utf8')) as { pid: number }).pid))
}

async function registerSchema({ registryUrl }: StackDescription): Promise<number> {
  const response = await fetch(`${registryUrl}/subjects/kept/versions`, {
    method: 'POST', headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' }, body: JSON.stringify({ schema: '"string"' }),
  })
  return (await response.json() as { id: number }).id
}

async function registeredSchema({ registryUrl }: StackDescription): Promise<number> {
  return (await (await fetch(`${registryUrl}/subjects/kept/versions/latest`)).json() as { id: number }).id
}

/** Waits for a condition; the test's own time limit is the deadline. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20)
}
