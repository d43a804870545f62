import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Stack, StackProcesses } from '@hub/local/stack'
import type { ManagedProcess } from '@hub/local/supervisor'
import { createDb } from '@hub/runtime/db'
import type { Strike } from '@hub/runtime/failpoint'
import { topicName, type Region } from '@hub/schemas/streams'
import { metric } from '../check/bounds.ts'
import { runHub, settingsOf } from '../cli/run-hub.ts'
import { complaints } from '../data/generate.ts'
import { between } from '../data/random.ts'
import { eventually } from '../eventually.ts'
import type { Hub } from '../hub.ts'
import { freePort } from '../runtime/free-port.ts'
import { applyAgain, compactAtOnce, deleteTopic, openAdmin, partitionsOf } from '../topics.ts'
import type { Keeper } from './keeper.ts'
import type { Conditions, Link } from './link.ts'
import { startLoad, type Load } from './load.ts'
import { moveToSmallDisk, type SmallDisk } from './small-disk.ts'
import { expireLeases } from './struck.ts'

/** A process of the stack of which there is one. */
type Part = Exclude<keyof StackProcesses, 'brokers'>

/** One fault of faults.json: what it does, to what, how long. */
export interface Fault {
  readonly name: string
  readonly what: keyof typeof NEMESES
  readonly zh: string
  readonly en: string
  readonly rounds: number
  readonly lengthMs?: number
  /** Fewer strikes than these make a round void; one by default. */
  readonly least?: number
  readonly meanMs?: number
  readonly process?: Part
  readonly signal?: 'stop' | 'SIGKILL' | 'SIGSTOP'
  readonly link?: 'broker' | 'database'
  readonly conditions?: Conditions
  readonly resetAtStart?: boolean
  readonly resetAtEnd?: boolean
  readonly resetEveryMs?: number
  readonly resetShare?: number
  readonly hours?: number
  /** On a stack with three brokers. */
  readonly quorum?: boolean
}

/** What a nemesis strikes. `load` was begun before it; what it starts itself is in `more`. */
export interface World {
  readonly stack: Stack
  readonly hub: Hub
  readonly keepers: readonly Keeper[]
  readonly more: Load[]
  readonly seed: number
  readonly random: () => number
}

/** What came of it: how often it struck, and how many bad events it put on the logs. It has healed when this is known. */
export interface Struck {
  readonly strikes: number
  readonly poison?: number
  /** Whether versions went from the logs that some replica had not read. */
  readonly compacted?: boolean
}

export const FAULTS = JSON.parse(readFileSync(new URL('./faults.json', import.meta.url), 'utf8')) as Fault[]
const STRIKES = JSON.parse(readFileSync(new URL('./strikes.json', import.meta.url), 'utf8')) as Strike[]
const LATEST_PASS = 12
const ONE_MEGABYTE = 1_000_000
const UNKNOWN_SCHEMA_ID = 987_654

export const NEMESES = {
  /** Every failpoint once, at a pass of the seed; points that are passed once per start at that one. */
  async killSites({ hub, keepers, random }, _fault) {
    const strikes = STRIKES.map((strike) => (strike.at === 1 ? strike : { ...strike, at: between(random, 1, LATEST_PASS) }))
    await Promise.all([0, 1].map(async (n) => {
      const keeper = keepers[n]!
      for (const strike of strikes.filter((_, i) => i % 2 === n)) {
        await expireLeases(hub, keeper.region)
        await keeper.sweep([strike])
      }
      await expireLeases(hub, keeper.region)
    }))
    return { strikes: strikes.length }
  },

  /** Every process but the database, regions most often; pauses are exponential with the mean. */
  async killRandom({ stack, keepers, random }, { lengthMs = 0, meanMs = 3000 }) {
    const until = performance.now() + lengthMs
    let strikes = 0
    const restarts: Promise<void>[] = []
    while (performance.now() < until) {
      await pause(-Math.log(1 - random()) * meanMs)
      const place = between(random, 0, keepers.length * 3 + 1)
      const victim = place < keepers.length * 3 ? keepers[place % keepers.length] : place % 2 === 0 ? stack.processes.broker : stack.processes.registry
      if (victim?.pid === undefined) continue
      victim.kill()
      strikes++
      if ('restart' in victim) {
        await victim.ended()
        restarts.push(victim.restart())
        await restarts.at(-1)
      }
    }
    return { strikes }
  },

  /** A second process of a region takes the same events at the same time. */
  async twoProcesses({ hub, keepers, more, seed }, { lengthMs = 0 }) {
    const keeper = keepers[0]!
    const port = await freePort()
    const child = await keeper.second(port)
    const url = `http://127.0.0.1:${port}`
    const twin = startLoad({ ...hub, publish: (region, stream, lines) => hub.publish(region, stream, lines, url) }, keeper.region, seed, BETWEEN_MS)
    more.push(twin)
    await pause(lengthMs)
    await twin.stop()
    child.kill('SIGKILL')
    return { strikes: Math.min(1, twin.published) }
  },

  /** A part of the stack is ended or frozen, for a time. */
  async process({ stack }, { process: name, signal, lengthMs = 0 }) {
    const part = partOf(stack, name!)
    const { pid } = part
    if (signal === 'stop') {
      // Without the launcher's patience, which ends after seconds with SIGKILL: this one is to end in order.
      part.kill(name === 'postgres' ? 'SIGINT' : 'SIGTERM')
      await part.ended()
    } else if (signal === 'SIGKILL') {
      part.kill()
      await part.ended()
    } else process.kill(pid!, signal)
    await pause(lengthMs)
    if (signal === 'SIGSTOP') {
      process.kill(pid!, 'SIGCONT')
      return { strikes: 1 }
    }
    // What was killed may have children that still hold its memory or its port.
    await eventually(`${name} runs again`, () => part.restart().then(() => true), 60_000)
    return { strikes: part.pid === pid ? 0 : 1 }
  },

  /** Of three brokers the one that leads a partition under load is killed, and comes back; the next is struck once all three have everything again. */
  async leaderKilled({ stack, hub, keepers }, { lengthMs = 0, meanMs = 10_000 }) {
    const topic = topicName(keepers[0]!.region, 'complaint', hub.fixture.prefix)
    await using admin = await openAdmin(hub.fixture)
    const until = performance.now() + lengthMs
    let strikes = 0
    while (performance.now() < until) {
      const began = performance.now()
      const { leader } = (await partitionsOf(admin, topic))[0]!
      const broker = stack.processes.brokers[leader - 1]!
      broker.kill()
      await broker.ended()
      await eventually('another leads', async () => { const now = (await partitionsOf(admin, topic))[0]!.leader; return now !== leader && now > 0 }, 30_000)
      strikes++
      await broker.restart()
      await eventually('all three have everything again', async () => (await partitionsOf(admin, topic)).every(({ isr }) => isr.length === 3), 60_000)
      await pause(Math.max(0, began + meanMs - performance.now()))
    }
    return { strikes }
  },

  /** Known ids go on, a region starts; an event of an id nobody knows holds its partition until the registry can say so, and is parked then. */
  async registryDown({ stack, hub, keepers }, { lengthMs = 0 }) {
    const registry = partOf(stack, 'registry')
    await registry.stop()
    const keeper = keepers[0]!
    const before = keeper.pid
    keeper.kill()
    await eventually('a region starts without the registry', () => keeper.pid !== undefined && keeper.pid !== before, 20_000)
    const value = Buffer.alloc(20)
    value.writeInt32BE(UNKNOWN_SCHEMA_ID, 1)
    await putRaw(hub, keepers[1]!.region, value)
    await eventually('its partition waits', async () => metric(await (await fetch(`${hub.url(keepers[1]!.region)}/metrics`)).text(), 'hub_replicator_paused_partitions') >= 1, 30_000)
    await pause(lengthMs)
    await registry.restart()
    return { strikes: 1, poison: 1 }
  },

  /** One region's way to the broker or to its database is bad. */
  async link({ keepers, random }, { link: which, conditions = {}, lengthMs = 0, resetAtStart, resetAtEnd, resetEveryMs, resetShare = 1 }) {
    const link: Link = keepers[0]![which!]
    const before = link.struck
    link.set(conditions)
    if (resetAtStart === true) link.reset()
    const until = performance.now() + lengthMs
    while (performance.now() < until) {
      await pause(resetEveryMs ?? until - performance.now())
      if (resetEveryMs !== undefined) link.reset(() => random() < resetShare)
    }
    if (resetAtEnd === true) link.reset()
    link.set({})
    return { strikes: link.struck - before }
  },

  /** One region's clock is hours ahead, another's hours behind. */
  async clocks({ hub, keepers }, { lengthMs = 0, hours = 0 }) {
    const wrong = [[keepers[0]!, hours], [keepers[1]!, -hours]] as const
    await Promise.all(wrong.map(([keeper, by]) => keeper.startAnew({ HUB_TEST_CLOCK_HOURS: String(by), NODE_OPTIONS: `--import=${new URL('./wrong-clock.ts', import.meta.url).href}` })))
    await pause(lengthMs)
    // Ids of events begin with the time of the process that gave them.
    const off = await Promise.all(wrong.map(async ([{ region }, by]) => {
      const { rows: [newest] } = await hub.db(region).query<{ id: string }>('SELECT event_id::text AS id FROM published ORDER BY at DESC LIMIT 1')
      return Math.abs(Number.parseInt(newest!.id.slice(0, 8) + newest!.id.slice(9, 13), 16) - Date.now() - by * 3_600_000) < 120_000
    }))
    await Promise.all(wrong.map(([keeper]) => keeper.startAnew({})))
    return { strikes: off.filter(Boolean).length }
  },

  /** One region's database has no room left, for a time; how often that was answered (SQLSTATE 53100) is what its services counted as failures. */
  async diskFull({ stack, hub, keepers }, { lengthMs = 0 }) {
    const keeper = keepers[0]!
    const database = new URL(hub.databaseUrl(keeper.region)).pathname.slice(1)
    let disk: SmallDisk | undefined
    await keeper.startAnew({}, async () => {
      await using server = createDb({ url: stack.describe().adminDatabaseUrl, name: 'small disk', max: 1, log: hub.fixture.log })
      disk = await moveToSmallDisk(server, database)
    })
    const failures = async (): Promise<number> => {
      const text = await (await fetch(`${hub.url(keeper.region)}/metrics`)).text()
      return metric(text, 'hub_gateway_commit_failures_total') + metric(text, 'hub_replicator_transaction_failures_total')
    }
    const before = await failures()
    disk!.fill()
    await pause(lengthMs)
    const after = await failures()
    disk!.free()
    return { strikes: after - before }
  },

  /** Stopped (SIGSTOP) where a batch is decided and where a request is about to go out, until another process has taken over; its first write is refused. */
  async frozen({ hub, keepers }, { lengthMs = 0 }) {
    const keeper = keepers[0]!
    let strikes = 0
    for (const [point, refused] of [['replicate.taken', 'hub_replicator_fenced_total'], ['replicate.decided', 'hub_replicator_fenced_total'], ['relay.encoded', 'hub_relay_overtaken_events_total']] as const) {
      const note = join(await hub.fixture.stateDir(), 'struck')
      const plan = { note, strikes: [{ point, at: 20, action: 'stop' as const }] }
      await expireLeases(hub, keeper.region)
      await keeper.startAnew({ HUB_TEST_PROCESS: 'true', HUB_FAILPOINTS: JSON.stringify(plan) })
      const { pid } = keeper
      const second = await keeper.second(await freePort())
      await eventually(`stopped at ${point}`, () => existsSync(note), 60_000)
      await expireLeases(hub, keeper.region)
      await pause(lengthMs)
      process.kill(pid!, 'SIGCONT')
      strikes += await eventually('its write is refused', async () => metric(await (await fetch(`${hub.url(keeper.region)}/metrics`)).text(), refused), 20_000).then(() => 1, () => 0)
      second.kill('SIGKILL')
    }
    await keeper.startAnew({})
    return { strikes }
  },

  /** A region's topic is deleted and made anew; the region publishes again, and all rebuild, while the other topics go on. */
  async topicRecreated({ hub, keepers, seed }, _fault) {
    const { region } = keepers[2]!
    const topic = topicName(region, 'complaint', hub.fixture.prefix)
    const own = [...complaints(1_500, seed, region)].filter(({ kind }) => kind === 'original')
    const settings = settingsOf(hub, keepers.map((keeper) => keeper.region))
    const reasons = async (): Promise<string[]> => (await hub.db(region).query<{ reason: string }>(`SELECT coalesce(paused_reason, '') AS reason FROM relay_position WHERE topic = $1`, [topic])).rows.map(({ reason }) => reason)
    await hub.publish(region, 'complaint', own.slice(0, 300))
    await hub.settled(60_000)
    await deleteTopic(hub.fixture, topic)
    await eventually('the relay has noticed', async () => (await reasons()).every((reason) => reason.startsWith('topic-missing')), 90_000)
    await hub.publish(region, 'complaint', own.slice(300, 350))
    await applyAgain(hub.fixture)
    await eventually('the relay does not use the new log', async () => (await reasons()).every((reason) => reason.startsWith('generation-changed')), 90_000)
    const again = await runHub(settings, ['republish', `${region}.complaint`, '--why', 'fault', '--yes'])
    await hub.publish(region, 'complaint', own.slice(350))
    await eventually('everything is on the new log', async () => (await hub.db(region).query(
      'SELECT FROM relay_position p JOIN outbox_head h USING (topic, partition) WHERE topic = $1 AND (paused_reason IS NOT NULL OR next_sequence - last_sequence > 3)', [topic])).rows.length === 0, 60_000)
    const rebuilt = await runHub(settings, ['rebuild', `${region}.complaint`, '--why', 'fault', '--yes'])
    return { strikes: again.exit === 0 && rebuilt.exit === 0 ? 1 : 0 }
  },

  /** The logs are compacted all the time while one region hears nothing of them; it catches up on what is left. Strikes are offsets that it never saw. */
  async compacting({ hub, keepers }, { lengthMs = 0 }) {
    const [first, second, , away] = keepers as readonly [Keeper, Keeper, Keeper, Keeper]
    const topics = [first, second].map(({ region }) => topicName(region, 'complaint', hub.fixture.prefix))
    away.broker.set({ silent: true })
    await compactAtOnce(hub.fixture, topics)
    await pause(lengthMs)
    away.broker.set({})
    const absent = await eventually('it has caught up on a compacted log', async () => {
      const { rows: [row] } = await hub.db(away.region).query<{ n: bigint }>('SELECT coalesce(sum(absent), 0)::int8 AS n FROM consumer_offset WHERE topic = ANY ($1)', [topics])
      return row!.n > 0n ? Number(row!.n) : undefined
    }, 60_000)
    return { strikes: absent, compacted: true }
  },

  async largeRecord({ hub, keepers }, _fault) {
    await putRaw(hub, keepers[0]!.region, Buffer.alloc(ONE_MEGABYTE, 1))
    return { strikes: 1, poison: 1 }
  },
} satisfies Record<string, (world: World, fault: Fault) => Promise<Struck>>

export async function strike(world: World, fault: Fault): Promise<Struck> {
  return await NEMESES[fault.what](world, fault)
}

/** Between two batches of a load. */
export const BETWEEN_MS = 150

async function putRaw(hub: Hub, region: Region, value: Buffer): Promise<void> {
  await using producer = hub.fixture.kafka(region).producer()
  await producer.send([{ topic: topicName(region, 'complaint', hub.fixture.prefix), partition: 2, messages: [{ key: 'bad', value, headers: { sequence: '0' } }] }])
}

function partOf(stack: Stack, name: Part): ManagedProcess {
  const part = stack.processes[name]
  if (part === undefined) throw new Error(`${name} is not a process of this run: faults need the native stack, without HUB_KAFKA_BROKERS, HUB_REGISTRY_URL and HUB_DATABASE_URL`)
  return part
}
