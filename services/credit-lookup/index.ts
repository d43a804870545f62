import { keepCallers } from '@hub/runtime/callers'
import { createCodec } from '@hub/runtime/codec'
import { createDb } from '@hub/runtime/db'
import { createHttp, type Dependency } from '@hub/runtime/http'
import { createKafka } from '@hub/runtime/kafka'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { openSigner } from '@hub/runtime/sign'
import { runService, Scope, type Context, type Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { join } from 'node:path'
import { createChanges } from './changes/feed.ts'
import { changesRoutes } from './changes/routes.ts'
import { createTeller } from './changes/tell.ts'
import { lookupConfig, type LookupConfig } from './config.ts'
import { createLookup } from './lookup.ts'
import { createLookupMetrics } from './metrics.ts'
import { boundBodies } from './patience.ts'
import { creditPage } from './page/routes.ts'
import { createReader } from './reader.ts'
import { creditRoutes } from './routes.ts'
import { createStore } from './store.ts'

/** What is written at the stop, ten million subjects included. */
const LAST_SNAPSHOT_MS = 5_000

/** Answers whether a subject is on a credit list of any region. Needs the broker and, the first time, the registry; the region's database for what is more than that. */
export async function start(config: LookupConfig, context: Context): Promise<Service & { readonly url: string }> {
  const { region, topicPrefix } = config
  const log = context.log.child({ part: 'credit-lookup' })
  const scope = new Scope(log)
  try {
    const callers = scope.use('callers', await keepCallers(config.callersFile, log, context.metrics))
    const codec = await createCodec({ registryUrl: config.registryUrl, cacheDir: config.stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log })
    const kafka = createKafka({
      brokers: config.brokers, clientId: `${region}.credit-lookup`,
      ...(config.username === null ? {} : { username: config.username, password: config.password ?? '' }),
    }, log)
    const reader = createReader({ kafka, codec, region, topicPrefix, dir: join(config.stateDir, 'credit-lookup'), snapshotMs: config.snapshotSeconds * 1000, log })
    const db = scope.use('database', createDb({ url: config.databaseUrl, name: 'credit lookup', max: 4, log, answerMs: 5_000 }))
    const store = createStore(db)
    const signer = config.signingKeyFile === null ? undefined : await openSigner(config.signingKeyFile)
    const stop = new AbortController()
    const running = reader.run(stop.signal).catch(context.fail)
    scope.use('reader', () => (stop.abort(), running), LAST_SNAPSHOT_MS)

    const health = (): Promise<Dependency[]> => Promise.resolve([
      { name: 'credit-lists', ok: reader.life?.loaded === true, ...(reader.life?.loaded !== true && { detail: reader.fault ?? '正在读取 · being read' }) },
      // What was read is answered from, with the regions named that are no longer fresh.
      { name: 'credit-log', ok: reader.fault === undefined, required: false, ...(reader.fault !== undefined && { detail: reader.fault }) },
    ])
    const lookup = createLookup({ reader, codec, topicPrefix, metrics: createLookupMetrics(context.metrics, reader), store })
    const closing = new AbortController()
    const changes = createChanges({ reader, store, teller: createTeller(codec, topicPrefix), log, metrics: context.metrics, closing: closing.signal })
    const http = scope.use('http', await createHttp({
      log, metrics: context.metrics, title: `信用查询 · credit lookup of ${region}`, tags: { credit: '信用查询 · credit lookup', changes: '变更订阅 · following what changes' }, host: config.host, port: config.lookupPort, trustedProxies: config.trustedProxies, authenticate: callers.authenticate, home: '/credit', readiness: async () => [callers.health(), ...await health()],
      async routes(app) {
        boundBodies(app)
        await app.register(creditPage({ lookup, region, signer }))
        for (const routes of [creditRoutes({ lookup, store, codec, region, topicPrefix, signer }), changesRoutes(changes, store, region)]) routes(app)
      },
    }))
    scope.use('streams', () => closing.abort())
    log.info({ url: http.url }, 'credit lookup listening')
    return { url: http.url, health, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
  } catch (error) {
    await scope[Symbol.asyncDispose]()
    throw error
  }
}

if (import.meta.main) {
  const config = lookupConfig.read()
  const log = createLog({ service: 'credit-lookup', region: config.region, level: config.logLevel })
  const metrics = createMetrics({ service: 'credit-lookup', region: config.region })
  await runService(log, ({ fail }) => start(config, { log, metrics, fail, wakeup: createWakeup() }))
}
