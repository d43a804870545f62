import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'

let fixture: Fixture
beforeAll(async () => { fixture = await openFixture() })
afterAll(() => fixture[Symbol.asyncDispose]())

it('as a process of its own it starts with the broker down, says so at /readyz, and ends in order at SIGTERM', async () => {
  const [port, nobody] = await Promise.all([freePort(), freePort()])
  const relay = spawn(process.execPath, [fileURLToPath(import.meta.resolve('@hub/relay'))], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env, HUB_REGION: 'sh', HUB_KAFKA_BROKERS: `127.0.0.1:${nobody}`, HUB_REGISTRY_URL: fixture.registryUrl, HUB_DATABASE_URL: await fixture.database(),
      HUB_TOPIC_PREFIX: fixture.prefix, HUB_STATE_DIR: await fixture.stateDir(), HUB_HTTP_PORT: String(port), HUB_LOG_LEVEL: 'warn',
    },
  })
  const exit = once(relay, 'exit')
  relay.stdout.resume()
  try {
    const ready = async (): Promise<{ status: number; text: string } | undefined> => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
      return answer && { status: answer.status, text: await answer.text() }
    }
    await eventually('not ready', async () => (await ready())?.status === 503, 30_000)
    await eventually('it names the broker', async () => (await ready())?.text.includes('relay broker') === true)
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200)
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain('hub_relay_waiting_events')
    relay.kill('SIGTERM')
    expect(await exit).toEqual([0, null])
  } finally {
    relay.kill('SIGKILL')
  }
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
