import swagger from '@fastify/swagger'
import Fastify, { type FastifyBaseLogger, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
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
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
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

/** An HTTP server with health, metrics, OpenAPI 3.1, problem answers and an access rule on every route. Listens when it returns. */
export async function createHttp(options: HttpOptions): Promise<HubHttp> {
  const app = Fastify({
    loggerInstance: options.log.child({ part: 'http' }, { level: 'warn' }) as FastifyBaseLogger,
    disableRequestLogging: true,
    bodyLimit: options.bodyLimit ?? 1024 * 1024,
    requestTimeout: 0,
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
  })
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
  app.setErrorHandler((error: FastifyError | Problem | Error, request, reply) => answerProblem(error, request, reply))
  app.setNotFoundHandler({}, (request, reply) => answerProblem(new Problem(404, 'NOT_FOUND', '没有这个地址 · no such address'), request, reply))
  app.get('/livez', { config: { access: 'open' }, schema: { hide: true } }, () => ({ status: 'ok' }))
  app.get('/readyz', { config: { access: 'open' }, schema: { hide: true } }, async (_request, reply) => {
    const dependencies = await options.readiness()
    const ready = dependencies.every((dependency) => dependency.ok)
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', dependencies })
  })
  app.get('/metrics', { config: { access: 'open' }, schema: { hide: true } }, async (_request, reply) =>
    reply.type(options.metrics.registry.contentType).send(await options.metrics.registry.metrics()))
  app.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, () => app.swagger())
  await options.routes(app)
  await app.listen({ host: options.host, port: options.port })
  const address = app.server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  return { url: `http://${options.host}:${port}`, app, [Symbol.asyncDispose]: () => app.close() }
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
  if (problem.status >= 500 && problem.status !== 503) request.log.error({ err: error, route: request.routeOptions.url }, 'request failed')
  if (problem.status === 503) void reply.header('retry-after', '2')
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

function toProblem(error: FastifyError | Problem | Error): Problem {
  if (error instanceof Problem) return error
  const { statusCode, code, validation } = error as Partial<FastifyError>
  if (validation !== undefined) return new Problem(400, 'REQUEST_INVALID', '请求参数不对 · the request is not valid', error.message)
  if (statusCode === 413) return new Problem(413, 'BODY_TOO_LARGE', '内容过大 · the body is too large', 'Send many events as application/x-ndjson: its length is not limited.')
  if (statusCode === 415) return new Problem(415, 'MEDIA_TYPE', '内容类型不支持 · this content type is not accepted', 'Use application/json or application/x-ndjson.')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new Problem(statusCode, code ?? 'BAD_REQUEST', '请求有误 · the request is wrong', error.message)
  if (isTransient(error)) return new Problem(503, 'DEPENDENCY_DOWN', '依赖暂不可用，请稍后重试 · a dependency is down, try again', 'See /readyz for which one. Nothing was acknowledged.')
  return new Problem(500, 'INTERNAL', '内部错误 · internal error', 'The operator finds it in the log under this instance id.')
}
