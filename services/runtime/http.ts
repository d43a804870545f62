import rateLimit from '@fastify/rate-limit'
import swagger from '@fastify/swagger'
import { promisify } from 'node:util'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify'
import { createDoorkeeper, mayCall, type Access } from './access.ts'
import type { Authenticator, Caller } from './caller.ts'
import { logAccess } from './access-log.ts'
import { answerClientError } from './client-error.ts'
import { documentRoute, type Documented } from './document.ts'
import type { Dependency } from './dependency.ts'
import { HEALTH_TAG, healthRoutes } from './health-routes.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { MenuEntry } from './page.ts'
import { refuseNul } from './no-nul.ts'
import { answerProblem, Problem, PROBLEM_SCHEMA } from './problem.ts'
import { createSessions } from './session.ts'
import { loginPath, signIn } from './sign-in.ts'

export type { Access } from './access.ts'
export type { Authenticator, Caller, Role } from './caller.ts'
export type { Dependency } from './dependency.ts'
export { problemAnswer, type Documented } from './document.ts'
export { Problem } from './problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    documented?: Documented
    /** The route answers with HTML pages (see `page`), its problems too; without a session it leads to /login. `menu`: its words in the menu. */
    page?: { readonly menu?: string }
  }
  interface FastifyRequest {
    caller: Caller | undefined
  }
  interface FastifyInstance {
    /** The pages that a caller may open, in the order of their routes. */
    menu(caller: Caller | undefined): readonly MenuEntry[]
  }
}

export interface HttpOptions {
  readonly log: Log
  readonly metrics: Metrics
  /** Of the OpenAPI document, as are `description` and `tags` (name to description). */
  readonly title: string
  readonly description?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly host: string
  readonly port: number
  readonly authenticate?: Authenticator
  /** Lets browsers sign in at /login; the name of the cookie, which no other server on this host may use (browsers do not tell ports apart). */
  readonly sessionCookie?: string
  /** Path of the page that `/` leads to; whoever is signed in is led to the first page of their menu. */
  readonly home?: string
  /** Requests a second of a caller that has no limit of its own. */
  readonly requestsPerSecond?: number
  /** Addresses or networks of the proxies whose `x-forwarded-…` headers are believed. */
  readonly trustedProxies?: readonly string[]
  readonly readiness: () => Promise<readonly Dependency[]>
  /** Bytes of one non-streamed body. */
  readonly bodyLimit?: number
  readonly routes: (app: FastifyInstance) => void | Promise<void>
}

export interface HubHttp extends AsyncDisposable {
  readonly url: string
  readonly app: FastifyInstance
}

/** A socket with no byte in either direction for this long is closed. */
const SILENT_SOCKET_MS = 90_000
/** Open connections; one more is closed at once. */
const MAX_SOCKETS = 4_096
const CLOSE_MS = 4_000
const LINGER_MS = 5_000
/** What a runaway loop is stopped at; an honest sender waits for its answers and stays below. */
const REQUESTS_PER_SECOND = 20_000

/** An HTTP server with health, metrics, OpenAPI 3.1, problem answers and an access rule on every route. Listens when it returns. */
export async function createHttp(options: HttpOptions): Promise<HubHttp> {
  const app = Fastify({
    loggerInstance: options.log.child({ part: 'http' }, { level: 'warn' }) as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // A child logger per request costs more than the rest of a small answer; what is logged names its request itself.
    childLoggerFactory: (logger) => logger,
    bodyLimit: options.bodyLimit ?? 1024 * 1024,
    // Bodies of any length are allowed; each route bounds how long it waits for the next byte.
    requestTimeout: 0,
    connectionTimeout: SILENT_SOCKET_MS,
    keepAliveTimeout: 72_000,
    forceCloseConnections: 'idle',
    trustProxy: options.trustedProxies === undefined || options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    clientErrorHandler: answerClientError,
    genReqId: () => crypto.randomUUID(),
    ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', allErrors: true, strict: false } },
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: options.title, version: '1.0.0', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }, ...(options.description !== undefined && { description: options.description }) },
      servers: [{ url: '/', description: '本网关 · this gateway' }],
      tags: Object.entries({ ...options.tags, ...HEALTH_TAG }).map(([name, description]) => ({ name, description })),
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: '调用方密钥 · key of the caller: authorization: Bearer <key>' } } },
    },
    refResolver: { buildLocalReference: (schema) => String(schema['$id']) },
    transform: ({ schema, url, route }) => ({ schema: { ...schema, ...documentRoute(route.config ?? {}, String(route.method)) }, url }),
  })
  app.addSchema(PROBLEM_SCHEMA)
  app.decorateRequest('caller', undefined)
  const menu: (MenuEntry & { access: Access })[] = []
  app.decorate('menu', (caller: Caller | undefined) => menu.filter(({ access }) => mayCall(access, caller)))
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) throw new Error(`route ${String(route.method)} ${route.url} declares no access rule`)
    if (route.config.page?.menu !== undefined && route.method === 'GET') menu.push({ href: route.url, text: route.config.page.menu, access: route.config.access })
    // Pages are for people: the document leaves them out.
    route.schema = { ...route.schema, security: route.config.access === 'open' ? [] : [{ key: [] }], ...(route.config.page !== undefined && { hide: true }) }
  })
  await app.register(rateLimit, { global: false })
  const sessions = options.sessionCookie === undefined || options.authenticate === undefined ? undefined : createSessions(options.sessionCookie, options.authenticate)
  const doorkeeper = createDoorkeeper(app, options.authenticate, sessions)
  const rate = app.createRateLimit({ timeWindow: 1_000, max: ({ caller }) => caller?.requestsPerSecond ?? options.requestsPerSecond ?? REQUESTS_PER_SECOND, keyGenerator: ({ caller }) => caller!.id })
  app.addHook('onRequest', async (request, reply) => {
    try {
      await doorkeeper.admit(request)
    } catch (error) {
      if (sessions !== undefined && request.routeOptions.config.page !== undefined && request.method === 'GET' && error instanceof Problem && error.status === 401) {
        return reply.redirect(loginPath(request), 303)
      }
      throw error
    }
    if (request.caller === undefined) return
    const spent = await rate(request)
    if (!spent.isAllowed && spent.isExceeded) {
      throw new Problem(429, 'TOO_MANY_REQUESTS', '请求过于频繁，请稍后重试 · too many requests: try again later', `At most ${spent.max} a second for this caller. Send many events as one application/x-ndjson body.`, { retryAfterSeconds: 1 })
    }
  })
  app.addHook('preValidation', (request, _reply, done) => {
    refuseNul(request)
    done()
  })
  const access = logAccess(options.log)
  app.addHook('onResponse', (request, reply, done) => {
    linger(request)
    access(request, reply)
    done()
  })
  app.setErrorHandler((error: FastifyError | Problem | Error, request, reply) => answerProblem(error, request, reply))
  app.setNotFoundHandler({}, (request, reply) => answerProblem(new Problem(404, 'NOT_FOUND', '没有这个地址 · no such address'), request, reply))
  healthRoutes(app, options)
  limitSockets(app, options.metrics)
  if (sessions !== undefined) await app.register(signIn(sessions, doorkeeper))
  const { home } = options
  if (home !== undefined) app.get('/', { config: { access: 'open', page: {} } }, ({ caller }, reply) => reply.redirect(caller === undefined ? home : app.menu(caller)[0]?.href ?? home, 303))
  await options.routes(app)
  await app.listen({ host: options.host, port: options.port })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  return { url: `http://${options.host}:${port}`, app, [Symbol.asyncDispose]: () => close(app) }
}

/** The servers of one process, by what they report to. */
const counted = new WeakMap<Metrics, Set<FastifyInstance['server']>>()

function limitSockets({ server }: FastifyInstance, metrics: Metrics): void {
  const servers = counted.get(metrics) ?? new Set()
  counted.set(metrics, servers.add(server))
  server.once('close', () => servers.delete(server))
  server.maxConnections = MAX_SOCKETS
  const dropped = metrics.counter('hub_http_dropped_connections_total', 'Connections closed at once, because too many were open')
  server.on('drop', () => dropped.inc())
  metrics.gauge('hub_http_connections', 'Open connections of the HTTP servers of the process', [], async (gauge) => {
    const counts = await Promise.all([...servers].map((one) => promisify(one.getConnections.bind(one))()))
    gauge.set(counts.reduce((sum, count) => sum + count, 0))
  })
}

/** Requests under way get their answer; a connection that outlives the deadline is cut. */
async function close(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_MS)
  await app.close()
  clearTimeout(cut)
}

/** A body nobody reads any more (a refused key, an early answer) is drained for a while, so that its sender can read the answer, and then cut. */
function linger({ raw }: FastifyRequest): void {
  if (raw.complete || raw.destroyed) return
  const cut = setTimeout(() => raw.socket.destroy(), LINGER_MS).unref()
  raw.once('close', () => clearTimeout(cut))
}
