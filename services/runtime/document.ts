import type { Access } from './access.ts'

/** What OpenAPI says of a route that reads its body or writes its answers itself: request body by content type, answers by status. */
export interface Documented {
  readonly body?: object
  readonly response?: Readonly<Record<string, object>>
}

/** An answer with a problem: what it means, and the codes it may carry. */
export interface ProblemAnswer {
  readonly description: string
  readonly codes: readonly string[]
  /** What may come instead of the problem document, by content type. */
  readonly content?: Readonly<Record<string, object>>
}

/** An answer with a problem, for the `response` of a documented route; its codes join those that every route may answer with. */
export function problemAnswer(description: string, code: string, ...more: readonly string[]): ProblemAnswer {
  return { description, codes: [code, ...more] }
}

const OPEN: Readonly<Record<string, ProblemAnswer>> = {
  400: problemAnswer('请求有误 · the request is wrong', 'REQUEST_INVALID', 'BAD_REQUEST'),
  500: problemAnswer('内部错误 · internal error', 'INTERNAL'),
  503: problemAnswer('依赖暂不可用，按 Retry-After 重试 · a dependency is down: try again after Retry-After seconds', 'DEPENDENCY_DOWN'),
}
const CLOSED: Readonly<Record<string, ProblemAnswer>> = {
  401: problemAnswer('缺少密钥或密钥无效 · no key, or one not known here', 'KEY_MISSING', 'KEY_UNKNOWN'),
  403: problemAnswer('缺少角色 · the caller lacks the role', 'ROLE_MISSING'),
  429: problemAnswer('请求过于频繁，按 Retry-After 重试 · too many requests: try again after Retry-After seconds', 'TOO_MANY_REQUESTS', 'TOO_MANY_WRONG_KEYS'),
}
/** Only what changes something can be forged from another site. */
const CHANGING: Readonly<Record<string, ProblemAnswer>> = { 403: problemAnswer('缺少角色，或请求来自其他网站 · the caller lacks the role, or the request comes from another site', 'CROSS_ORIGIN') }

/** The body and the answers of a route as OpenAPI has them, with the problems that any route of its kind may answer with. */
export function documentRoute({ access, documented }: { access?: Access | undefined; documented?: Documented | undefined }, method: string): { body?: object; response?: Record<string, object> } {
  if (documented === undefined) return {}
  const response: Record<string, object> = { ...documented.response }
  for (const common of [OPEN, ...(access === 'open' ? [] : [CLOSED, ...(method === 'GET' ? [] : [CHANGING])])]) {
    for (const [status, answer] of Object.entries(common)) response[status] = merge(answer, response[status])
  }
  return {
    ...(documented.body !== undefined && { body: documented.body }),
    response: Object.fromEntries(Object.entries(response).map(([status, answer]) => [status, isProblem(answer) ? rendered(Number(status), answer) : answer])),
  }
}

function merge(common: ProblemAnswer, own: object | undefined): object {
  if (own === undefined) return common
  return isProblem(own) ? { ...own, codes: [...own.codes, ...common.codes] } : own
}

function isProblem(answer: object): answer is ProblemAnswer {
  return 'codes' in answer
}

function rendered(status: number, { description, codes, content = {} }: ProblemAnswer): object {
  const code = codes[0]!
  return {
    description: `${description}：${codes.join(', ')}`,
    ...((status === 429 || status === 503) && { headers: { 'retry-after': { type: 'integer', description: '几秒后重试 · seconds after which to try again' } } }),
    content: {
      'application/problem+json': {
        schema: { allOf: [{ $ref: 'Problem#' }, { type: 'object', properties: { code: { type: 'string', enum: [...codes] } } }] },
        example: { type: `urn:yrd-hub:problem:${code.toLowerCase().replaceAll('_', '-')}`, title: description, status, code, detail: '如何处理 · what to do', instance: '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10' },
      },
      ...content,
    },
  }
}
