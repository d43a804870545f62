import swagger from '@fastify/swagger'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { isTransient } from './errors.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'

export type Role = 'publisher' | 'reader' | 'officer' | 'approver' | 'operator'

/** Who may call a route: anyone, or a caller with one of these roles. Every route must say so; the default is closed. */
export type Access = 'open' | { readonly roles: readonly Role[] }

export interface Caller {
  readonly id: string
  readonly organisation: string
  readonly roles: readonly Role[]
  readonly sources: readonly string[]
  readonly authorities: readonly string[]
}

/** The caller of a key, or undefined. Comparison must not leak by time. */
export type Authenticator = (key: string) => Caller | undefined

export interface Dependency {
  readonly name: string
  readonly ok: boolean
  /** What is wrong and what to do, when not ok. */
  readonly detail?: string
  /** False where this process serves its callers without it: /readyz tells it and stays 200. */
  readonly required?: false
}

/** What OpenAPI says of a route that reads its body or writes its answers itself: request body by content type, answers by status. */
export interface Documented {
  readonly body?: object
  readonly response?: Readonly<Record<string, object>>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    documented?: Documented
  }
  interface FastifyRequest {
    caller: Caller | undefined
  }
}

/** RFC 9457 problem details; `code` is stable, `title` zh-CN and English. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: string
  readonly detail: string | undefined
  readonly extra: Record<string, unknown>

  constructor(status: number, code: string, title: string, detail?: string, extra: Record<string, unknown> = {}) {
    super(title)
    this.status = status
    this.code = code
    this.detail = detail
    this.extra = extra
  }
}

export interface HttpOptions {
  readonly log: Log
  readonly metrics: Metrics
  readonly title: string
  readonly host: string
  readonly port: number
  readonly authenticate?: Authenticator
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
const CLOSE_MS = 4_000
const LINGER_MS = 5_000

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
    genReqId: () => crypto.randomUUID(),
    ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', allErrors: true, strict: false } },
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: options.title, version: '1.0.0' },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    },
    refResolver: { buildLocalReference: (schema) => String(schema['$id']) },
    transform: ({ schema, url, route }) => ({ schema: { ...schema, ...document(route.config ?? {}) }, url }),
  })
  app.addSchema(PROBLEM_SCHEMA)
  app.decorateRequest('caller', undefined)
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) throw new Error(`route ${String(route.method)} ${route.url} declares no access rule`)
    if (route.config.access !== 'open') route.schema = { ...route.schema, security: [{ key: [] }] }
  })
  app.addHook('onRequest', (request, _reply, done) => {
    try {
      authorise(request, options.authenticate)
      done()
    } catch (error) {
      done(error as Error)
    }
  })
  app.addHook('onResponse', (request, _reply, done) => {
    linger(request)
    done()
  })
  app.setErrorHandler((error: FastifyError | Problem | Error, request, reply) => answerProblem(error, request, reply))
  app.setNotFoundHandler({}, (request, reply) => answerProblem(new Problem(404, 'NOT_FOUND', '没有这个地址 · no such address'), request, reply))
  app.get('/livez', { config: { access: 'open' }, schema: { hide: true } }, () => ({ status: 'ok' }))
  app.get('/readyz', { config: { access: 'open' }, schema: { hide: true } }, async (_request, reply) => {
    const dependencies = await options.readiness()
    const ready = dependencies.every(({ ok, required }) => ok || required === false)
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', dependencies })
  })
  app.get('/metrics', { config: { access: 'open' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type(options.metrics.registry.contentType).send(await options.metrics.registry.metrics()))
  app.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, () => app.swagger())
  await options.routes(app)
  await app.listen({ host: options.host, port: options.port })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  return { url: `http://${options.host}:${port}`, app, [Symbol.asyncDispose]: () => close(app) }
}

/** RFC 9457, as OpenAPI tells it. */
const PROBLEM_SCHEMA = {
  $id: 'Problem',
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'instance'],
  properties: {
    type: { type: 'string', description: 'urn:yrd-hub:problem:<code>' },
    title: { type: 'string', description: '中文 · English' },
    status: { type: 'integer' },
    code: { type: 'string', description: '稳定代码 · stable code' },
    detail: { type: 'string', description: '如何处理 · what to do' },
    instance: { type: 'string', description: '请求编号，可在日志中查找 · request id, to be found in the log' },
  },
} as const

/** An answer with a problem, for the `response` of a documented route. */
export function problemAnswer(description: string): object {
  return { description, content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } } }
}

function document({ access, documented }: { access?: Access; documented?: Documented }): { body?: object; response?: Record<string, object> } {
  if (documented === undefined) return {}
  return {
    ...(documented.body !== undefined && { body: documented.body }),
    response: {
      ...documented.response,
      400: problemAnswer('请求有误 · the request is wrong'),
      ...(access !== 'open' && { 401: problemAnswer('缺少密钥或密钥无效 · no key, or one not known here'), 403: problemAnswer('缺少角色 · the caller lacks the role') }),
      500: problemAnswer('内部错误 · internal error'),
      503: problemAnswer('依赖暂不可用，按 Retry-After 重试 · a dependency is down: try again after Retry-After seconds'),
    },
  }
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

function authorise(request: FastifyRequest, authenticate: Authenticator | undefined): void {
  const access = request.routeOptions.config.access
  if (access === 'open' || request.is404) return
  const key = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (key === undefined) throw new Problem(401, 'KEY_MISSING', '需要密钥 · a key is needed', 'Send "authorization: Bearer <key>".')
  const caller = authenticate?.(key)
  if (caller === undefined) throw new Problem(401, 'KEY_UNKNOWN', '密钥无效 · the key is not known here', 'Ask the operator of this region for a key, or check for a copy error.')
  if (access !== undefined && !access.roles.some((role) => caller.roles.includes(role))) {
    throw new Problem(403, 'ROLE_MISSING', '没有此权限 · this caller lacks the role', `One of these roles is needed: ${access.roles.join(', ')}.`)
  }
  request.caller = caller
}

function answerProblem(error: FastifyError | Problem | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error)
  if (problem.status >= 500 && problem.status !== 503) request.log.error({ err: error, instance: request.id, route: request.routeOptions.url }, 'request failed')
  if (problem.status === 503 || problem.status === 429) void reply.header('retry-after', '2')
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).type('application/problem+json').send({
    type: `urn:yrd-hub:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
    title: problem.message,
    status: problem.status,
    code: problem.code,
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    instance: request.id,
    ...problem.extra,
  })
}

/** What ajv found, with what was expected and never what was given. */
function explain({ instancePath, message, params, keyword }: NonNullable<FastifyError['validation']>[number]): string {
  const { allowedValues, additionalProperty } = params as { allowedValues?: unknown[]; additionalProperty?: unknown }
  const where = instancePath === '' ? 'request' : instancePath.slice(1)
  if (keyword === 'additionalProperties' && /^[\w.-]{1,40}$/.test(String(additionalProperty))) return `${where} must not have ${String(additionalProperty)}`
  return `${where} ${message ?? 'is not valid'}${allowedValues === undefined ? '' : `: ${allowedValues.join(', ')}`}`
}

function toProblem(error: FastifyError | Problem | Error): Problem {
  if (error instanceof Problem) return error
  const { statusCode, code, validation } = error as Partial<FastifyError>
  if (validation !== undefined) return new Problem(400, 'REQUEST_INVALID', '请求参数不对 · the request is not valid', validation.map(explain).join('; '))
  if (statusCode === 413) return new Problem(413, 'BODY_TOO_LARGE', '内容过大 · the body is too large', 'Send many events as application/x-ndjson: its length is not limited.')
  if (statusCode === 415) return new Problem(415, 'MEDIA_TYPE', '内容类型不支持 · this content type is not accepted', 'Use application/json or application/x-ndjson.')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new Problem(statusCode, code ?? 'BAD_REQUEST', '请求有误 · the request is wrong', error.message)
  if (isTransient(error)) return new Problem(503, 'DEPENDENCY_DOWN', '依赖暂不可用，请稍后重试 · a dependency is down, try again', 'See /readyz for which one. Nothing was acknowledged.')
  return new Problem(500, 'INTERNAL', '内部错误 · internal error', 'The operator finds it in the log under this instance id.')
}
