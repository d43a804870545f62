import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { start } from '@hub/replicator'
import type { ReplicatorConfig } from '@hub/replicator/config'
import { createDb, type Db } from '@hub/runtime/db'
import type { Dependency } from '@hub/runtime/http'
import { createMetrics, type Metrics } from '@hub/runtime/metrics'
import { createWakeup } from '@hub/runtime/wakeup'
import type { Region } from '@hub/schemas/streams'
import type { Fixture } from '@hub/test/fixture'
import { miscounted } from '../check/rollups.ts'
import { eventually } from '../eventually.ts'

const SERVICE = fileURLToPath(new URL('../../services/replicator/index.ts', import.meta.url))

export interface Partition {
  topic: string
  partition: number
  next_offset: bigint
  first_offset: bigint
  applied: bigint
  duplicate: bigint
  stale: bigint
  folded: bigint
  parked: bigint
  control: bigint
  absent: bigint
  records: bigint
  ended_records: bigint
  parked_open: bigint
  digest: string
  parked_digest: string
  complete_from: bigint
  last_sequence: bigint
  paused_reason: string | null
}

/** One region's database, with replicators on it in this process or in others. */
export interface Replica extends AsyncDisposable {
  readonly region: Region
  readonly db: Db
  readonly databaseUrl: string
  /** Runs a replicator here; more than one may run. */
  start(over?: Partial<ReplicatorConfig>): Promise<Running>
  /** Runs one as a process of its own. */
  spawn(): Spawned
  partitions(topic?: string): Promise<Partition[]>
  /** Waits until each of these logs is applied up to its end. */
  reaches(places: readonly { topic: string; partition: number; offset: number }[], deadlineMs?: number): Promise<void>
}

export interface Running extends AsyncDisposable {
  health(): Promise<readonly Dependency[]>
  readonly metrics: Metrics
  readonly failed: unknown[]
}

export interface Spawned extends AsyncDisposable {
  readonly process: ChildProcess
  /** What it logged, as lines. */
  readonly lines: string[]
}

export async function openReplica(fixture: Fixture, region: Region): Promise<Replica> {
  const databaseUrl = await fixture.database()
  const stateDir = await fixture.stateDir()
  const db = createDb({ url: databaseUrl, name: 'test', max: 4, log: fixture.log })
  const { username, password } = fixture.credentials(region)
  const running: AsyncDisposable[] = []
  const config: ReplicatorConfig = {
    region, brokers: fixture.brokers, username, password, registryUrl: fixture.registryUrl, databaseUrl, topicPrefix: fixture.prefix, stateDir,
    historyMonths: 26, archiveMonths: 36, scrubMinutes: 600, host: '127.0.0.1', port: null, logLevel: 'info',
  }

  const replica: Replica = {
    region, db, databaseUrl,
    async start(over = {}) {
      const metrics = createMetrics({})
      const failed: unknown[] = []
      const service = await start({ ...config, ...over }, { log: fixture.log, metrics, wakeup: createWakeup(), fail: (error) => failed.push(error) })
      running.push(service)
      return { metrics, failed, health: service.health, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
    },
    spawn() {
      const child = spawn(process.execPath, [SERVICE], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env, HUB_REGION: region, HUB_KAFKA_BROKERS: fixture.brokers.join(','), HUB_KAFKA_USERNAME: username, HUB_KAFKA_PASSWORD: password, HUB_REGISTRY_URL: fixture.registryUrl,
          HUB_DATABASE_URL: databaseUrl, HUB_TOPIC_PREFIX: fixture.prefix, HUB_STATE_DIR: stateDir,
        },
      })
      const lines: string[] = []
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => lines.push(...bytes.toString().split('\n').filter(Boolean)))
      const spawned: Spawned = {
        process: child, lines,
        async [Symbol.asyncDispose]() {
          if (child.exitCode !== null || child.signalCode !== null) return
          child.kill('SIGKILL')
          await once(child, 'exit')
        },
      }
      running.push(spawned)
      return spawned
    },
    async partitions(topic) {
      const { rows } = await db.query<Partition>('SELECT * FROM partition_state WHERE $1::text IS NULL OR topic = $1 ORDER BY topic, partition', [topic ?? null])
      return rows
    },
    async reaches(places, deadlineMs) {
      const ends = new Map<string, number>()
      for (const { topic, partition, offset } of places) ends.set(`${topic}/${partition}`, Math.max(offset + 1, ends.get(`${topic}/${partition}`) ?? 0))
      await eventually(`${region} applied ${places.length} events`, async () => {
        const found = new Map((await replica.partitions()).map((row) => [`${row.topic}/${row.partition}`, Number(row.next_offset)]))
        return [...ends].every(([key, end]) => (found.get(key) ?? 0) >= end)
      }, deadlineMs)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((one) => one[Symbol.asyncDispose]()))
      await db.close()
    },
  }
  return replica
}

/** Differences between what a replica counts and digests as it goes and a recount of its rows; none is the promise. */
export async function recount({ db }: Replica): Promise<string[]> {
  const problems: string[] = []
  const { rows: verified } = await db.query<{ topic: string; partition: number; digest: string; kept_digest: string; records: bigint; kept: bigint }>(
    'SELECT v.topic, v.partition, v.digest, v.kept_digest, v.records, o.records AS kept FROM hub_verify() v JOIN consumer_offset o USING (topic, partition)')
  for (const row of verified) {
    if (row.digest !== row.kept_digest) problems.push(`${row.topic}/${row.partition}: digest ${row.kept_digest} kept, ${row.digest} recounted`)
    if (row.records !== row.kept) problems.push(`${row.topic}/${row.partition}: ${row.kept} records kept, ${row.records} recounted`)
  }
  const { rows: classes } = await db.query<{ topic: string; partition: number }>(
    `SELECT topic, partition FROM consumer_offset WHERE next_offset - first_offset <> applied + duplicate + stale + folded + parked + control + absent
        OR parked <> (SELECT count(*) FROM parked p WHERE p.topic = consumer_offset.topic AND p.partition = consumer_offset.partition)
        OR parked_open <> (SELECT count(*) FROM parked p WHERE p.topic = consumer_offset.topic AND p.partition = consumer_offset.partition AND p.buried_by IS NULL)`)
  for (const row of classes) problems.push(`${row.topic}/${row.partition}: counters differ from a recount`)
  return [...problems, ...await miscounted(db)]
}
