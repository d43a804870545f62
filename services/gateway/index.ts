import { keepCallers } from '@hub/runtime/callers'
import { createCodec } from '@hub/runtime/codec'
import { createDb } from '@hub/runtime/db'
import { createHttp, type Dependency } from '@hub/runtime/http'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { runService, Scope, type Context, type Service } from '@hub/runtime/service'
import { createWakeup } from '@hub/runtime/wakeup'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { createAdmission } from './intake/admission.ts'
import { COMMIT_DEADLINE_MS, createCommitter } from './publish/committer.ts'
import { gatewayConfig, type GatewayConfig } from './config.ts'
import { prepareDatabase } from './database.ts'
import { expireDaily } from './expiry/daily.ts'
import { createFeed } from './feed/feed.ts'
import { gatewayHealth } from './health.ts'
import { startImports } from './imports/start.ts'
import { createGatewayMetrics } from './metrics.ts'
import { about, addComponents } from './openapi/document.ts'
import { createPreparing } from './publish/prepare.ts'
import type { PreparedEvent } from './publish/publish-batch.ts'
import { rehearse } from './publish/rehearsal.ts'
import { keepRepublished } from './publish/republish.ts'
import { eventRoutes } from './routes/events.ts'
import { importPage } from './routes/import-page.ts'
import { importRoutes } from './routes/imports.ts'
import { smallRoutes } from './routes/small.ts'
import { handOverImports } from './sources/imported.ts'
import { startSources } from './sources/start.ts'
import { prepareSpoolDir } from './intake/spool.ts'
import { keepUp } from './upkeep.ts'
import { createVerdictLog, remember } from './verdicts/verdict-log.ts'

/** Takes events in and answers what is known of them. Needs the database and, the first time, the registry; goes on while the broker is down. */
export async function start(config: GatewayConfig, context: Context & { health?: () => Promise<readonly Dependency[]> }): Promise<Service & { readonly url: string }> {
  const log = context.log.child({ part: 'gateway' })
  const scope = new Scope(log)
  try {
    const callers = scope.use('callers', await keepCallers(config.callersFile, log, context.metrics))
    const db = scope.use('database', createDb({ url: config.databaseUrl, name: 'gateway', max: 8, log, answerMs: 8_000 }))
    const topics = await prepareDatabase(db, config)
    const codec = await createCodec({ registryUrl: config.registryUrl, cacheDir: config.stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log })
    const preparing = await createPreparing(codec, config)
    const sources = await startSources(config, { db, codec, wakeup: context.wakeup, log, metrics: context.metrics })
    const spoolDir = await prepareSpoolDir(config.stateDir)
    const metrics = createGatewayMetrics(context.metrics, () => group.waiting)
    const group = scope.use('group commit', createCommitter(db, context.wakeup, metrics, log), COMMIT_DEADLINE_MS)
    const admission = scope.use('admission', createAdmission({ db, waiting: () => group.waiting, ...config, log, metrics: context.metrics }))
    const history = scope.use('verdicts', createVerdictLog(db, metrics.forgotten, log))
    const publish = (events: PreparedEvent[]) => group.submit(events, COMMIT_DEADLINE_MS)
    scope.use('expiry', expireDaily({ db, codec, preparing, publish }, context.metrics, log))
    scope.use('upkeep', keepUp(db, config, () => history.waiting, context.metrics, log))
    const stop = new AbortController()
    const feed = scope.use('feed', createFeed({ databaseUrl: config.databaseUrl, codec, log, metrics: context.metrics, closing: stop.signal }))
    const imports = scope.use('imports', await startImports({ ...config, db, wakeup: context.wakeup, log, outboxFull: () => admission.enough(false) !== undefined, onReverting: ({ id, source }) => sources.takeBack(source, id), onFinished: handOverImports(db, sources, log) }))
    const republishing = keepRepublished(db, topics.filter(({ technical }) => !technical).map(({ topic }) => topic), context.wakeup, log, stop.signal)
    // Publishing goes on while the log or the replica stands still: a balancer must not take the gateway out for that.
    const health = async (): Promise<Dependency[]> => [...await gatewayHealth(db), callers.health(), ...admission.health(), ...(await context.health?.() ?? []).map((one) => ({ ...one, required: false as const }))]
    const http = scope.use('http', await createHttp({
      log, metrics: context.metrics, ...about(config.region), host: config.host, port: config.port, authenticate: callers.authenticate, sessionCookie: `hub_${config.region}`, home: '/login', readiness: health, requestsPerSecond: config.requestsPerSecond, trustedProxies: config.trustedProxies,
      async routes(app) {
        addComponents(app)
        await app.register(eventRoutes({ preparing, publish, admission, rehearse: () => rehearse(db, COMMIT_DEADLINE_MS), spoolDir, closing: stop.signal, onVerdicts: remember(history, metrics) }))
        for (const routes of [importRoutes, importPage]) await app.register(routes({ db, imports, admission, closing: stop.signal }))
        smallRoutes({ db, codec, config, preparing, wakeup: context.wakeup, feed, sources })(app)
      },
    }))
    scope.use('streams', () => (stop.abort(), republishing))
    log.info({ url: http.url }, 'gateway listening')
    return { url: http.url, health, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
  } catch (error) {
    await scope[Symbol.asyncDispose]()
    throw error
  }
}

if (import.meta.main) {
  const config = gatewayConfig.read()
  const log = createLog({ service: 'gateway', region: config.region, level: config.logLevel })
  const metrics = createMetrics({ service: 'gateway', region: config.region })
  await runService(log, ({ fail }) => start(config, { log, metrics, fail, wakeup: createWakeup() }))
}
