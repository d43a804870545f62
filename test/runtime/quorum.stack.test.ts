import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startStack, type Stack } from '@hub/local/stack'
import { allTopics } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '../fixture.ts'
import { openAdmin, partitionsOf } from '../topics.ts'

const ATTEMPTS = 3

let dir: string
let stack: Stack | undefined
let fixture: Fixture

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yrd-hub-quorum-'))
  stack = await startStack({ dataDir: dir, ports: 'random', fsync: false, quorum: true, onProgress: () => {} })
  fixture = await openFixture({ stack: stack.describe() })
}, 180_000)
afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]()
  await stack?.stop()
  await rm(dir, { recursive: true, force: true })
}, 60_000)

test('three brokers: whoever reads every topic finds the ends of all partitions, and reads them', async () => {
  const topics = allTopics(fixture.prefix)
  const partitions = topics.reduce((sum, one) => sum + one.partitions, 0)
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const read = new Set<string>()
    const wrong: unknown[] = []
    await using _subscription = await fixture.kafka('sh').subscribe({
      groupId: `sh.quorum.${randomUUID()}`, topics: topics.map(({ topic }) => topic),
      load: (assigned) => Promise.resolve(assigned.map((one) => ({ ...one, offset: 0n }))),
      onBatch: ({ topic, partition }) => void read.add(`${topic}/${partition}`),
      onLogChanged: (place) => wrong.push(place),
      onFatal: (error) => wrong.push(error),
    })
    await eventually(`the genesis of every partition is read, attempt ${attempt}`, () => {
      if (wrong.length > 0) throw new Error(String(wrong[0]))
      return read.size === partitions
    }, 40_000)
    expect(wrong).toEqual([])
  }
}, 150_000)

test('three brokers: the ends of a log are known again once another leads it, although the one before is back', async () => {
  const { topic } = allTopics(fixture.prefix)[0]!
  await using hub = await fixture.kafka('admin').admin()
  const before = await hub.offsets(topic)
  await using admin = await openAdmin(fixture)
  const leads = async (): Promise<number> => (await partitionsOf(admin, topic))[0]!.leader
  const leader = await leads()
  const broker = stack!.processes.brokers[leader - 1]!
  broker.kill()
  await broker.ended()
  await eventually('another leads', async () => await leads() !== leader && await leads() > 0, 30_000)
  await broker.restart()
  expect(await eventually('the ends', () => hub.offsets(topic), 30_000)).toEqual(before)
}, 120_000)
