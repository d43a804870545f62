import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import type { Region } from '@hub/schemas/streams'
import type { Viewer } from '@hub/schemas/visibility'
import type { FastifyInstance } from 'fastify'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import type { Answer, Moment } from './answer.ts'
import type { Lookup } from './lookup.ts'
import { LOOKING, viewerOf } from './viewer.ts'

const MAX_CODES = 10_000
const MAX_BODY_BYTES = 1024 * 1024
const HOLD_MS = 6
const NDJSON = 'application/x-ndjson'
/** Of what stands in a line that is no code, at most this much is looked at. */
const LONGEST_LINE = 256

/** `GET /v1/credit/{uscc}` and `POST /v1/credit/batch`. */
export function creditRoutes(lookup: Lookup, region: Region): (app: FastifyInstance) => void {
  return (app) => {
    const config = { access: { roles: LOOKING } }
    app.addContentTypeParser(NDJSON, { parseAs: 'string', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => done(null, body))
    app.get<{ Params: { uscc: string } }>('/v1/credit/:uscc', { config: { ...config, documented: SINGLE }, schema: SINGLE_SCHEMA }, async ({ params, caller }) => {
      const question = lookup.question(params.uscc)
      if (!question.ok) throw new Problem(400, 'CODE_WRONG', '代码有误 · the code is wrong', question.text, { reason: question.reason })
      const answered = await lookup.ask(question, lookup.moment(), viewerOf(caller!, region))
      if (answered.verdict !== 'unknown') return answered
      throw new Problem(503, 'ANSWER_UNKNOWN', '未查到，但有地区的数据不完整，不能断定未被列入 · nothing found, but not every region is complete: that it is not listed cannot be said', 'See incomplete: which regions, and why.', { ...answered })
    })
    app.post('/v1/credit/batch', { bodyLimit: MAX_BODY_BYTES, config: { ...config, documented: BATCH }, schema: BATCH_SCHEMA }, (request, reply) => {
      const codes = request.headers['content-type']?.startsWith(NDJSON) === true ? codesIn(request.body as string) : codesOf(request.body)
      return reply.type(NDJSON).send(Readable.from(lines(lookup, codes, lookup.moment(), viewerOf(request.caller!, region))))
    })
  }
}

/** The moment first, then a line for each code in its order, then how many of each verdict. */
async function* lines(lookup: Lookup, codes: readonly string[], moment: Moment, viewer: Viewer): AsyncGenerator<string> {
  const counts = { listed: 0, 'not-listed': 0, unknown: 0, wrong: 0 }
  const { at, cursor, asOf, incomplete } = moment
  let text = `${JSON.stringify({ head: { at, cursor, asOf, incomplete } })}\n`
  let began = performance.now()
  for (const raw of codes) {
    const question = lookup.question(raw)
    if (question.ok) {
      const answered = await lookup.ask(question, moment, viewer)
      counts[answered.verdict]++
      text += `${JSON.stringify(withoutMoment(answered))}\n`
    } else {
      counts.wrong++
      text += `${JSON.stringify({ problem: { code: 'CODE_WRONG', reason: question.reason, detail: question.text } })}\n`
    }
    if (text.length < 65_536 && performance.now() - began < HOLD_MS) continue
    yield text
    text = ''
    await setImmediate()
    began = performance.now()
  }
  yield `${text}${JSON.stringify({ summary: counts })}\n`
}

function withoutMoment({ at: _at, cursor: _cursor, asOf: _asOf, ...answered }: Answer): Omit<Answer, 'at' | 'cursor' | 'asOf'> {
  return answered
}

/** The codes of a JSON body: a list of them, or `{"codes": […]}`. */
function codesOf(body: unknown): string[] {
  const codes = Array.isArray(body) ? body as unknown[] : (body as { codes?: unknown } | null | undefined)?.codes
  if (!Array.isArray(codes) || !codes.every((code) => typeof code === 'string')) {
    throw new Problem(400, 'BATCH_WRONG', '请求体应为代码列表，或 {"codes": […]} · the body must be a list of codes, or {"codes": […]}', `Or ${NDJSON} with one code a line.`)
  }
  if (codes.length > MAX_CODES) throw tooMany()
  return codes
}

/** One code a line, as it is, as JSON text or as `{"code": …}`. */
function codesIn(body: string): string[] {
  const codes: string[] = []
  for (const line of body.split('\n')) {
    const text = line.trim()
    if (text === '') continue
    codes.push(codeIn(text.slice(0, LONGEST_LINE)))
    if (codes.length > MAX_CODES) throw tooMany()
  }
  return codes
}

function codeIn(line: string): string {
  if (!line.startsWith('"') && !line.startsWith('{')) return line
  try {
    const value = JSON.parse(line) as string | { code?: unknown }
    const code = typeof value === 'string' ? value : value.code
    return typeof code === 'string' ? code : ''
  } catch {
    return ''
  }
}

function tooMany(): Problem {
  return new Problem(400, 'TOO_MANY_CODES', `一次最多查询 ${MAX_CODES} 个代码，请分批 · at most ${MAX_CODES} codes at once: send several batches`)
}

const SINGLE_SCHEMA = {
  operationId: 'lookUpCredit',
  summary: '查询一个主体是否在册 · look one subject up',
  description: 'listed：列出四地现行有效的全部列入；not-listed：四地数据均完整且未查到；不能断定时为 503 ANSWER_UNKNOWN，incomplete 说明原因。penalties 仅供参考，不影响结论。'
    + ' · listed: every active listing of the four regions; not-listed: nothing found and every region complete; otherwise 503 ANSWER_UNKNOWN, and incomplete says why. Penalties are facts beside the verdict.',
  tags: ['credit'],
  params: { type: 'object', required: ['uscc'], properties: { uscc: { type: 'string', maxLength: 1000, description: '统一社会信用代码，大小写、全半角、空格、连字符不限 · code in any writing' } } },
}
const SINGLE: Documented = {
  response: {
    200: { description: '结论、依据与数据截至情况 · verdict, evidence and how far it reaches', content: { 'application/json': { schema: { type: 'object' } } } },
    400: problemAnswer('代码有误，detail 说明何处 · the code is wrong; the detail says where', 'CODE_WRONG'),
    503: problemAnswer('不能断定未被列入，或正在读取 · cannot be said, or still reading', 'ANSWER_UNKNOWN', 'LOOKUP_LOADING'),
  },
}
const BATCH_SCHEMA = {
  operationId: 'lookUpCreditBatch',
  summary: '批量查询 · look many up',
  description: `一次至多 ${MAX_CODES} 个。答复为 NDJSON：首行 head（数据截至），其后每个代码一行，次序相同；末行 summary。没有末行即不完整。 · At most ${MAX_CODES}. The answer is NDJSON: head, a line for each code in its order, summary; without the summary it is not whole.`,
  tags: ['credit'],
}
const BATCH: Documented = {
  body: { content: { 'application/json': { schema: { type: 'object', required: ['codes'], properties: { codes: { type: 'array', maxItems: MAX_CODES, items: { type: 'string' } } } } }, [NDJSON]: { schema: { type: 'string', description: '每行一个代码 · one code a line' } } } },
  response: {
    200: { description: '每行一个 JSON · one JSON a line', content: { [NDJSON]: { schema: { type: 'string' } } } },
    400: problemAnswer('请求有误 · the request is wrong', 'TOO_MANY_CODES', 'BATCH_WRONG'),
    503: problemAnswer('正在读取 · still reading', 'LOOKUP_LOADING'),
  },
}
