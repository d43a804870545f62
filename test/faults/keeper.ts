import type { ChildProcess } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { Strike } from '@hub/runtime/failpoint'
import type { Region } from '@hub/schemas/streams'
import { eventually } from '../eventually.ts'
import type { Hub } from '../hub.ts'
import type { Link } from './link.ts'
import { openLink } from './link.ts'
import { spawnStruck } from './struck.ts'

/** Keeps one region's process running behind links of its own, as a supervisor does: what ends is started again. */
export interface Keeper extends AsyncDisposable {
  readonly region: Region
  /** To the broker and to the database. */
  readonly broker: Link
  readonly database: Link
  readonly pid: number | undefined
  /** Starts it, and resolves when it is ready with all it depends on. */
  start(): Promise<void>
  /** Ends it at once; it is started again. */
  kill(): void
  /** Kills it at each of these failpoints in turn, a start for each. */
  sweep(strikes: readonly Strike[]): Promise<void>
  /** Ends it and starts it again with this environment over its own, once `between` is done; resolves when it is ready. It stays so until the next call. */
  startAnew(env: Readonly<Record<string, string>>, between?: () => Promise<void>): Promise<void>
  /** A second process of the region, on its own port. */
  second(port: number): Promise<ChildProcess>
}

const AGAIN_MS = 300

export async function openKeeper(hub: Hub, region: Region): Promise<Keeper> {
  const [brokerHost, brokerPort] = hub.fixture.brokers[0]!.split(':') as [string, string]
  const broker = await openLink({ host: brokerHost, port: Number(brokerPort), advertised: true })
  let database: Link | undefined
  let child: ChildProcess | undefined
  let stopped = false
  let running: Promise<void> | undefined
  let over: Readonly<Record<string, string>> = {}
  let between: (() => Promise<void>) | undefined
  let pending: { strike: Strike, done: () => void, failed: (error: unknown) => void } | undefined

  async function env(): Promise<Record<string, string>> {
    const url = new URL(await hub.prepare(region))
    database ??= await openLink({ host: url.hostname, port: Number(url.port) })
    url.port = String(database.port)
    // A link tells its own address in the place of the broker's; there is one for one broker.
    return { HUB_KAFKA_BROKERS: hub.fixture.brokers.length > 1 ? hub.fixture.brokers.join(',') : `${brokerHost}:${broker.port}`, HUB_DATABASE_URL: url.href, ...over }
  }

  async function keep(): Promise<void> {
    while (!stopped) {
      const work = between
      between = undefined
      await work?.()
      const asked = pending
      pending = undefined
      const ended = Promise.withResolvers<void>()
      const onSpawned = (spawned: ChildProcess): void => {
        child = spawned
        if (asked === undefined && pending !== undefined) spawned.kill('SIGKILL') // a sweep began meanwhile
        spawned.once('exit', () => {
          child = undefined
          ended.resolve()
        })
      }
      try {
        if (asked === undefined) await hub.spawn(region, { env: await env(), onSpawned })
        else await (await spawnStruck(hub, region, asked.strike, { env: await env(), onSpawned })).struck()
        await ended.promise
        asked?.done()
      } catch (error) {
        // Not ready yet, or ended at its start because a dependency is away: it goes on or is started again.
        asked?.failed(error)
        if (child !== undefined) await ended.promise
      }
      if (pending === undefined) await pause(AGAIN_MS)
    }
  }

  return {
    region, broker,
    get database() {
      if (database === undefined) throw new Error(`${region} was not started`)
      return database
    },
    get pid() { return child?.pid },
    async start() {
      running ??= keep()
      await eventually(`${region} is ready`, () => readyAt(hub.url(region)), 60_000)
    },
    kill: () => void child?.kill('SIGKILL'),
    async sweep(strikes) {
      for (const strike of strikes) {
        await new Promise<void>((resolve, reject) => {
          pending = { strike, done: resolve, failed: reject }
          child?.kill('SIGKILL') // the one before it ended by itself, unless this is the first
        })
      }
    },
    async startAnew(env, work = async () => {}) {
      const before = child?.pid
      over = env
      const done = Promise.withResolvers<void>()
      between = () => work().then(done.resolve, done.reject)
      child?.kill('SIGKILL')
      await done.promise
      await eventually(`${region} is ready again`, async () => child?.pid !== before && await readyAt(hub.url(region)), 90_000)
    },
    second: async (port) => await hub.spawn(region, { port, env: await env() }),
    async [Symbol.asyncDispose]() {
      stopped = true
      child?.kill('SIGKILL')
      await running
      await Promise.all([broker[Symbol.asyncDispose](), database?.[Symbol.asyncDispose]()])
    },
  }
}

/** Whether a region answers and everything it depends on answers it. */
export async function readyAt(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })
  const { dependencies = [] } = await response.json() as { dependencies?: { ok: boolean }[] }
  return response.ok && dependencies.every(({ ok }) => ok)
}
