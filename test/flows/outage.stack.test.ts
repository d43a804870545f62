import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { startStack, type Stack } from '@hub/local/stack'
import type { ManagedProcess } from '@hub/local/supervisor'
import { startTestContainers } from '../setup/containers.ts'
import { complaints } from '../data/generate.ts'
import { openHub, type Hub } from '../hub.ts'
import { publishWithoutPause } from './load.ts'

// A stack of its own: the shared one of the run must not be disturbed.
let dir: string
let stack: Stack
let hub: Hub
let seed = 0

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yrd-hub-outage-'))
  stack = await startStack({ dataDir: dir, ports: 'random', fsync: false, onProgress: () => {}, containers: startTestContainers })
  hub = await openHub({ regions: ['zj', 'sh'], stack: stack.describe() })
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
  await stack?.stop()
  await rm(dir, { recursive: true, force: true })
})

describe('while the broker is away, publishing is answered as durable, and afterwards nothing is lost or doubled', () => {
  test('killed while the regions are still joining', (context) => publishThrough(context, 'SIGKILL'))

  test('killed', (context) => publishThrough(context, 'SIGKILL'))

  test('stopped in order', (context) => publishThrough(context, 'SIGTERM'))

  async function publishThrough(context: TestContext, signal: NodeJS.Signals): Promise<void> {
    const broker = ourOwn(context, stack.processes.broker)
    const load = publishWithoutPause(hub, 'zj', ++seed)
    await load.answered(5)
    broker.kill(signal)
    await broker.ended()
    await load.answered(10)
    await broker.restart()
    await load.answered(5)
    expect(await load.stop()).toBe(0)
    await hub.settled(40_000)
    await hub.expectEqual()
  }
})

test('with the registry stopped everything known goes on, and a region starts', async (context) => {
  await ourOwn(context, stack.processes.registry).stop()
  const first = await hub.publish('zj', 'complaint', complaints(300, ++seed, 'zj'))
  expect(first.summary).toMatchObject({ total: 300, refused: 0 })
  await hub.settled()
  await hub.stop('sh')
  await hub.start('sh')
  await hub.publish('sh', 'complaint', complaints(300, ++seed, 'sh'))
  await hub.settled()
  await hub.expectEqual()
})

/** Parts that the environment names, or that run in containers, are not ours to end. */
function ourOwn(context: TestContext, process: ManagedProcess | undefined): ManagedProcess {
  return process ?? context.skip('this part of the stack is no child of the test run')
}
