import { randomUUID } from 'node:crypto'
import { eventually } from '../eventually.ts'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { start } from '@hub/relay'
import type { RelayConfig } from '@hub/relay/config'
import type { Failpoint } from '@hub/relay/sender'
import { appendOutbox, createDb, ensureHeads, lockHeads, migrateOutbox, type Db, type OutboxRow, type TopicPartition } from '@hub/runtime/db'
import type { Message } from '@hub/runtime/kafka'
import { createMetrics, type Metrics } from '@hub/runtime/metrics'
import type { Service } from '@hub/runtime/service'
import { createWakeup, type Wakeup } from '@hub/runtime/wakeup'
import { topicsOf, type Region } from '@hub/schemas/streams'

/** One region's database with a publisher that writes the outbox as a gateway does, and relays on it. */
export interface RelayHub extends AsyncDisposable {
  readonly region: Region
  readonly db: Db
  readonly wakeup: Wakeup
  topic(stream: string): string
  /** Writes events with these keys in one transaction; returns their sequences. */
  publish(to: TopicPartition, keys: readonly string[], bytes?: number): Promise<bigint[]>
  relay(options?: { failpoint?: Failpoint; brokers?: string[] }): Promise<Relay>
  position(of: TopicPartition): Promise<{ last_sequence: bigint; last_offset: bigint; generation: string | null; paused_reason: string | null }>
  /** What came onto the log of a partition since this hub was opened. */
  log(of: TopicPartition): Promise<Message[]>
}

export interface Relay extends Service {
  readonly metrics: Metrics
  /** What the relay reported as a fault that should end the process. */
  readonly failures: unknown[]
}

const used = new WeakMap<Fixture, Set<Region>>()

/** The second hub of a region has topics of its own: to a relay an empty database beside logs in use is one that was restored. */
export async function openRelayHub(shared: Fixture, region: Region): Promise<RelayHub> {
  const regions = used.get(shared) ?? new Set()
  const again = regions.has(region)
  used.set(shared, regions.add(region))
  const fixture = again ? await openFixture() : shared
  const databaseUrl = await fixture.database()
  const db = createDb({ url: databaseUrl, name: 'test', max: 4, log: fixture.log })
  await migrateOutbox(db)
  const wakeup = createWakeup()
  const relays: Service[] = []
  // The rights of new topics may take a moment.
  const ends = await eventually('the logs can be read', () => endsOf(fixture, region))
  const topic = (stream: string): string => `${fixture.prefix}${region}.${stream}`
  return {
    region, db, wakeup, topic,
    async publish(to, keys, bytes = 20) {
      await ensureHeads(db, [to])
      const sequences = await db.tx(async (client) => {
        const first = (await lockHeads(client, [to])).get(`${to.topic}/${to.partition}`)!
        const rows = keys.map((key, n): OutboxRow => ({
          ...to, sequence: first + BigInt(n), key, value: Buffer.alloc(bytes, key), type: 'test', eventId: randomUUID(), subject: null, timeMs: 0, traceparent: null,
        }))
        appendOutbox(client, rows)
        return rows.map((row) => row.sequence)
      })
      wakeup.signal()
      return sequences
    },
    async relay({ failpoint, brokers } = {}) {
      const { username, password } = fixture.credentials(region)
      const config: RelayConfig = {
        region, brokers: brokers ?? fixture.brokers, username, password, registryUrl: fixture.registryUrl, databaseUrl,
        topicPrefix: fixture.prefix, stateDir: await fixture.stateDir(), host: '127.0.0.1', port: null, logLevel: 'info',
      }
      const failures: unknown[] = []
      const metrics = createMetrics({})
      const service = await start(config, { log: fixture.log, metrics, fail: (error) => failures.push(error), wakeup, ...(failpoint && { failpoint }) })
      relays.push(service)
      return { ...service, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](), metrics, failures }
    },
    async position({ topic: name, partition }) {
      const { rows } = await db.query('SELECT last_sequence, last_offset, generation, paused_reason FROM relay_position WHERE topic = $1 AND partition = $2', [name, partition])
      return rows[0] as Awaited<ReturnType<RelayHub['position']>>
    },
    log: (of) => readLog(fixture, region, of, ends.get(`${of.topic}/${of.partition}`) ?? 0n),
    async [Symbol.asyncDispose]() {
      for (const relay of relays) await relay[Symbol.asyncDispose]()
      await db.close()
      if (again) await fixture[Symbol.asyncDispose]()
    },
  }
}

async function endsOf(fixture: Fixture, region: Region): Promise<Map<string, bigint>> {
  await using admin = await fixture.kafka(region).admin()
  const ends = new Map<string, bigint>()
  for (const { topic } of topicsOf(region, fixture.prefix)) {
    for (const { partition, high } of await admin.offsets(topic)) ends.set(`${topic}/${partition}`, high)
  }
  return ends
}

async function readLog(fixture: Fixture, region: Region, { topic, partition }: TopicPartition, from: bigint): Promise<Message[]> {
  const kafka = fixture.kafka(region)
  await using admin = await kafka.admin()
  const end = (await admin.offsets(topic)).find((one) => one.partition === partition)!
  const offset = end.low > from || from > end.high ? end.low : from
  if (end.high === offset) return []
  const messages: Message[] = []
  const done = Promise.withResolvers<void>()
  await using _subscription = await kafka.subscribe({
    groupId: `${fixture.prefix}${region}.log-${randomUUID()}`,
    topics: [topic],
    load: () => Promise.resolve([{ topic, partition, offset }]),
    onBatch(batch) {
      messages.push(...batch.messages)
      if (batch.messages.at(-1)!.offset + 1n >= end.high) done.resolve()
    },
    onLogChanged: () => done.reject(new Error('the log changed')),
    onFatal: done.reject,
  })
  await done.promise
  return messages
}

/** Sequences on a log, in log order; genesis has none. */
export function sequencesOf(messages: readonly Message[]): bigint[] {
  return messages.flatMap(({ headers }) => (headers['sequence'] === undefined ? [] : [BigInt(headers['sequence'].toString())]))
}

export function valueOf(metrics: Metrics, name: string): Promise<number> {
  return metrics.registry.getSingleMetric(name)!.get().then(({ values }) => values.reduce((sum, { value }) => sum + value, 0))
}
