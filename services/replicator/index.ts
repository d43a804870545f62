import { createCodec } from '@hub/runtime/codec'
import { createDb, migrate, migrateOutbox } from '@hub/runtime/db'
import { createHttp } from '@hub/runtime/http'
import { createKafka } from '@hub/runtime/kafka'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { type Context, runService, Scope, type Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { allTopics } from '@hub/schemas/streams'
import { applyWhileHolding } from './applier.ts'
import { replicatorConfig, type ReplicatorConfig } from './config.ts'
import { createConsume } from './consume.ts'
import { createFeed, type Feed } from './feed.ts'
import { replicatorHealth } from './health.ts'
import { whileLeading } from './leadership.ts'
import { createLogWatch } from './log-watch.ts'
import { createReplicatorMetrics } from './metrics.ts'
import { createPartitions } from './partitions.ts'
import { withProof } from './proof.ts'
import { createPublisher } from './publish.ts'
import { Queue, QUEUE_LIMITS } from './queue.ts'
import { createSupervisor, type Supervisor } from './supervise.ts'
import { trimHourly } from './trim.ts'
import { recordVectors } from './vectors.ts'

const LEASE_MS = 10_000

/** Keeps the region's replica of all four regions' topics. Starts with broker and registry down; needs the database. */
export async function start(config: ReplicatorConfig, context: Context): Promise<Service> {
  const { region, topicPrefix } = config
  const log = context.log.child({ part: 'replicator' })
  const scope = new Scope(log)
  try {
    const db = scope.use('database', createDb({ url: config.databaseUrl, name: 'replicator', max: 5, log }))
    await migrateOutbox(db)
    await migrate(db, 'replicator', new URL('./migrations/', import.meta.url))
    const credentials = config.username === null ? {} : { username: config.username, password: config.password ?? '' }
    const kafka = createKafka({ brokers: config.brokers, clientId: `${region}.replicator`, ...credentials }, log)
    const codec = await createCodec({ registryUrl: config.registryUrl, cacheDir: config.stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log })

    const topics = allTopics(topicPrefix)
    const groupPrefix = `${region}.replicator`
    const queue = new Queue(QUEUE_LIMITS)
    let leading = false
    const partitions = createPartitions({ db, queue, topics, region, feed: () => feed, log })
    const feed: Feed = createFeed({ kafka, groupPrefix, log, onBatch: createConsume({ codec, queue, partitions }), onAssigned: () => supervisor.rejoined() })
    const watch = createLogWatch({ kafka, codec, topics, topicPrefix, groupPrefix })
    const supervisor: Supervisor = createSupervisor({ db, watch, topics, feed, partitions, leading: () => leading, log })
    const publisher = createPublisher({ db, codec, region, topicPrefix, wakeup: context.wakeup, log })
    const metrics = createReplicatorMetrics(context.metrics, { partitions, queue })
    const applier = { db, here: { region, topicPrefix }, queue, partitions, leaseMs: LEASE_MS, metrics, log, onApplied: publisher.changed, onUnknownOutcome: supervisor.look }
    const proof = { ...applier, databaseUrl: config.databaseUrl, kafka, codec, groupPrefix, passMs: config.scrubMinutes * 60_000, onRedriven: publisher.changed, watch, onCleared: supervisor.look, metrics: context.metrics }

    const stop = new AbortController()
    const lead = whileLeading({
      db, leaseMs: LEASE_MS, log,
      work: (lease, signal) => withProof(lease, proof, signal, applyWhileHolding(lease, applier, signal)),
      onChange(now) {
        leading = now
        metrics.active.set(Number(now))
        if (now) supervisor.look()
        else partitions.dropAll()
      },
      onFenced: () => metrics.fenced.inc(),
    }, stop.signal)
    const running = Promise.all([lead, supervisor.run(stop.signal), publisher.run(stop.signal), trimHourly(db, config, metrics.trimmed, log, stop.signal), recordVectors(db, () => leading, log, stop.signal)]).catch(context.fail)
    scope.use('consumer', feed)
    scope.use('replicator', () => {
      stop.abort()
      return running
    }, 6_000)

    const health = replicatorHealth(db, partitions, supervisor.fault)
    if (config.port !== null) scope.use('http', await createHttp({ log, metrics: context.metrics, title: 'replicator', host: config.host, port: config.port, readiness: health, routes() {} }))
    return { health, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
  } catch (error) {
    await scope[Symbol.asyncDispose]()
    throw error
  }
}

if (import.meta.main) {
  const config = replicatorConfig.read()
  const log = createLog({ service: 'replicator', region: config.region, level: config.logLevel })
  const metrics = createMetrics({ service: 'replicator', region: config.region })
  await runService(log, ({ fail }) => start(config, { log, metrics, fail, wakeup: createWakeup() }))
}
