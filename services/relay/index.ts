import { createCodec } from '@hub/runtime/codec'
import { createDb, ensureHeads, migrate, migrateOutbox, OUTBOX_CHANNEL } from '@hub/runtime/db'
import { createHttp } from '@hub/runtime/http'
import { createKafka } from '@hub/runtime/kafka'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { runService, Scope, type Context, type Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'
import { ACT } from '@hub/schemas/announcement-act'
import { contractByName } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { topicsOf } from '@hub/schemas/streams'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { relayActive } from './active.ts'
import { relayConfig, type RelayConfig } from './config.ts'
import { GENESIS, watchGenesis } from './genesis.ts'
import { relayHealth } from './health.ts'
import { HEARTBEAT } from './heartbeats.ts'
import { whileLeading } from './leadership.ts'
import { createRelayMetrics } from './metrics.ts'
import type { Failpoint } from './sender.ts'
import { ensurePositions } from './store.ts'

/** Statements are planned once, and not for the tables as they happen to be then: a plan made for a nearly empty outbox would scan it. */
const KEPT_PLANS = { plan_cache_mode: 'force_generic_plan', enable_seqscan: 'off' }

/** Brings the region's outbox to the log. Starts with the broker down; needs the database. */
export async function start(config: RelayConfig, context: Context & { failpoint?: Failpoint }): Promise<Service> {
  const { region } = config
  const log = context.log.child({ part: 'relay' })
  const scope = new Scope(log)
  try {
    const db = scope.use('database', createDb({ url: config.databaseUrl, name: 'relay', max: 5, log, settings: KEPT_PLANS }))
    await migrateOutbox(db)
    await migrate(db, 'relay', new URL('./migrations/', import.meta.url))
    const topics = topicsOf(region, config.topicPrefix)
    const partitions = topics.flatMap(({ topic, partitions: count }) => Array.from({ length: count }, (_, partition) => ({ topic, partition })))
    await ensureHeads(db, partitions)
    await ensurePositions(db, partitions)

    const kafka = createKafka({
      brokers: config.brokers, clientId: `${region}.relay`,
      ...(config.username === null ? {} : { username: config.username, password: config.password ?? '' }),
    }, log)
    const contracts = [GENESIS, HEARTBEAT, ACT].map((name) => contractByName(name)!)
    const codec = await createCodec({ registryUrl: config.registryUrl, cacheDir: config.stateDir, contracts, guard: createGuard, log })
    const metrics = createRelayMetrics(context.metrics, db, topics.map(({ topic }) => topic))
    const { wakeup } = context
    scope.use('listener', await db.listen(OUTBOX_CHANNEL, wakeup.signal))

    const groupPrefix = `${config.topicPrefix}${region}`
    const genesis = watchGenesis({ kafka, codec, topics, topicPrefix: config.topicPrefix, groupPrefix, log, onChange: wakeup.signal })
    const active = relayActive({ region, topics, db, kafka, codec, genesis, groupPrefix, registryUrl: config.registryUrl, cacheDir: config.stateDir, wakeup, metrics, log, failpoint: context.failpoint })
    const stop = new AbortController()
    const running = Promise.all([
      genesis.run(stop.signal),
      genesis.first.then(() => whileLeading(db, 'relay', `${hostname()}/${process.pid}/${randomUUID()}`, log, active.run, stop.signal)),
    ]).catch(context.fail)
    scope.use('relay', async () => {
      stop.abort()
      await running
    }, 6_000)

    const health = relayHealth(db, topics.map(({ topic }) => topic), () => active.fault() ?? genesis.fault())
    return { health, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
  } catch (error) {
    await scope[Symbol.asyncDispose]()
    throw error
  }
}

/** As a process of its own it also answers for its health; in a region's process the gateway does. */
async function standAlone(config: RelayConfig, context: Context): Promise<Service> {
  const scope = new Scope(context.log)
  const { health } = scope.use('relay', await start(config, context), 9_000)
  if (config.port !== null) {
    scope.use('http', await createHttp({ log: context.log, metrics: context.metrics, title: 'relay', host: config.host, port: config.port, readiness: health, routes() {} }))
  }
  return { health, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
}

if (import.meta.main) {
  const config = relayConfig.read()
  const log = createLog({ service: 'relay', region: config.region, level: config.logLevel })
  const metrics = createMetrics({ service: 'relay', region: config.region })
  await runService(log, ({ fail }) => standAlone(config, { log, metrics, fail, wakeup: createWakeup() }))
}
