import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isTransient } from './errors.ts'
import { html, page } from './page.ts'

/** When a problem that passes does not say how long it lasts. */
const RETRY_AFTER_SECONDS = 2

/** RFC 9457 problem details; `code` is stable, `title` zh-CN and English. `extra` members are told too; `retryAfterSeconds` among them is what Retry-After of a 429 or 503 says. */
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

/** RFC 9457, as OpenAPI tells it. */
export const PROBLEM_SCHEMA = {
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

/** Answers with a problem: as a page where the route answers with pages, else as `application/problem+json`. */
export function answerProblem(error: FastifyError | Problem | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply | Promise<FastifyReply> {
  const problem = toProblem(error)
  if (problem.status >= 500 && problem.status !== 503) request.log.error({ err: error, instance: request.id, route: request.routeOptions.url }, 'request failed')
  if (problem.status === 503 || problem.status === 429) void reply.header('retry-after', String(problem.extra['retryAfterSeconds'] ?? RETRY_AFTER_SECONDS))
  if (request.routeOptions.config?.page !== undefined) return problemPage(problem, request, reply)
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).type('application/problem+json').send(problemDocument(problem, request.id))
}

/** A problem as its answer tells it. `instance`: id of the request. */
export function problemDocument(problem: Problem, instance: string): object {
  return {
    type: `urn:yrd-hub:problem:${problem.code.toLowerCase().replaceAll('_', '-')}`,
    title: problem.message,
    status: problem.status,
    code: problem.code,
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    instance,
    ...problem.extra,
  }
}

function problemPage({ status, code, message, detail }: Problem, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  return page(request, reply, {
    title: message,
    status,
    body: html`${detail === undefined ? '' : html`<p>${detail}</p>`}<p class="quiet">${status} ${code} · ${request.id}</p>`,
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
  const { statusCode, validation } = error as Partial<FastifyError>
  if (validation !== undefined) return new Problem(400, 'REQUEST_INVALID', '请求参数不对 · the request is not valid', validation.map(explain).join('; '))
  if (statusCode === 413) return new Problem(413, 'BODY_TOO_LARGE', '内容过大 · the body is too large', 'Send many events as application/x-ndjson: its length is not limited.')
  if (statusCode === 415) return new Problem(415, 'MEDIA_TYPE', '内容类型不支持 · this content type is not accepted', 'Use application/json or application/x-ndjson.')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new Problem(statusCode, 'BAD_REQUEST', '请求有误 · the request is wrong', error.message)
  if (isTransient(error)) return new Problem(503, 'DEPENDENCY_DOWN', '依赖暂不可用，请稍后重试 · a dependency is down, try again', 'See /readyz for which one. Nothing was acknowledged.')
  return new Problem(500, 'INTERNAL', '内部错误 · internal error', 'The operator finds it in the log under this instance id.')
}
