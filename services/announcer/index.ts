import { keepCallers } from '@hub/runtime/callers'
import { createCodec } from '@hub/runtime/codec'
import { createDb, migrate, migrateOutbox } from '@hub/runtime/db'
import { createHttp, type Dependency } from '@hub/runtime/http'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { runService, Scope, type Context, type Service } from '@hub/runtime/service'
import { openSigner } from '@hub/runtime/sign'
import { createWakeup } from '@hub/runtime/wakeup'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { isRegion } from '@hub/schemas/streams'
import type { Advancing } from './advance.ts'
import { loadCalendar } from './calendar/load.ts'
import { announcerConfig, type AnnouncerConfig } from './config.ts'
import { createDesk } from './desk.ts'
import { keepKeys } from './keys.ts'
import { deskPages } from './routes/desk-pages.ts'
import { deskRoutes } from './routes/desk.ts'
import { createDocuments } from './routes/documents.ts'
import { publicPages } from './routes/public-pages.ts'
import { publishedRoutes } from './routes/published.ts'
import { createSchedule } from './schedule.ts'

/** Does this region's part of the joint announcements. Needs the region's database, whose replica the region's replicator keeps, and its signing key. */
export async function start(config: AnnouncerConfig, context: Context): Promise<Service & { readonly url: string }> {
  const { region, topicPrefix, silence, deadline } = config
  const log = context.log.child({ part: 'announcer' })
  const scope = new Scope(log)
  try {
    const callers = scope.use('callers', await keepCallers(config.callersFile, log, context.metrics))
    const signer = await openSigner(config.signingKeyFile)
    const db = scope.use('database', createDb({ url: config.databaseUrl, name: 'announcer', max: 4, log }))
    await migrateOutbox(db)
    await migrate(db, 'announcer', new URL('./migrations/', import.meta.url))
    const codec = await createCodec({ registryUrl: config.registryUrl, cacheDir: config.stateDir, contracts: ALL_CONTRACTS, guard: createGuard, log })
    const options: Advancing = {
      db, codec, region, topicPrefix, silence, deadline, signer, log, wakeup: context.wakeup, calendar: loadCalendar(), keys: keepKeys(config.publicKeysDir, log), leads: config.leads.filter(isRegion), notBefore: new Map(),
    }
    const schedule = createSchedule(options)
    const stop = new AbortController()
    const running = schedule.run(stop.signal).catch(context.fail)
    scope.use('schedule', () => (stop.abort(), running))

    const desk = createDesk(options, schedule.look)
    const documents = createDocuments()
    const health = async (): Promise<Dependency[]> => [{ name: 'announcer-database', ...await db.query('SELECT 1').then(() => ({ ok: true }), (error: Error) => ({ ok: false, detail: error.message })) }]
    const http = scope.use('http', await createHttp({
      log, metrics: context.metrics, title: `联合公示 · joint announcements, ${region}`, tags: { announcements: '已发布的公示 · published announcements', desk: '办理 · the officers\' desk' }, host: config.host, port: config.announcerPort, trustedProxies: config.trustedProxies,
      authenticate: callers.authenticate, sessionCookie: `hub_announcer_${region}`, home: '/announcements', readiness: async () => [callers.health(), ...await health()],
      async routes(app) {
        for (const routes of [publishedRoutes(desk, documents), deskRoutes(desk, documents), publicPages(desk, options.keys), deskPages(desk, db, region)]) await routes(app)
      },
    }))
    log.info({ url: http.url, kid: signer.kid }, 'announcer listening')
    return { url: http.url, health, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() }
  } catch (error) {
    await scope[Symbol.asyncDispose]()
    throw error
  }
}

if (import.meta.main) {
  const config = announcerConfig.read()
  const log = createLog({ service: 'announcer', region: config.region, level: config.logLevel })
  const metrics = createMetrics({ service: 'announcer', region: config.region })
  await runService(log, ({ fail }) => start(config, { log, metrics, fail, wakeup: createWakeup() }))
}
