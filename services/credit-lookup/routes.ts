import type { Codec } from '@hub/runtime/codec'
import { Problem, problemAnswer, type Caller, type Documented, type Role } from '@hub/runtime/http'
import { compactJws } from '@hub/runtime/jws'
import type { Signer } from '@hub/runtime/sign'
import { parseInstant } from '@hub/schemas/read-time'
import { instantText } from '@hub/schemas/record-json'
import type { Region } from '@hub/schemas/streams'
import { todayInShanghai, type Viewer } from '@hub/schemas/visibility'
import type { FastifyInstance } from 'fastify'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { type Answer, type Moment, told, toldBytes } from './answer.ts'
import { answerAsOf, type EarlierAnswer } from './as-of.ts'
import type { Lookup } from './lookup.ts'
import { BATCH_EXAMPLE, COMPONENTS, EARLIER_EXAMPLE, EXAMPLES } from './openapi.ts'
import type { Asked, Question } from './question.ts'
import { candidatesOf, MOST_CANDIDATES } from './search.ts'
import type { Store } from './store.ts'
import { LOOKING, viewerOf } from './viewer.ts'
import { ByteSink } from './wire/sink.ts'

const MAX_CODES = 10_000
const MAX_BODY_BYTES = 1024 * 1024
const HOLD_MS = 6
const PART_BYTES = 65_536
const LINE_END = Buffer.from('\n')
const ANSWER_END = Buffer.from('}\n')
const NDJSON = 'application/x-ndjson'
/** Of what stands in a line that is no code, at most this much is looked at. */
const LONGEST_LINE = 256

/** Who may ask what was in force earlier. */
const OFFICERS: readonly Role[] = ['officer', 'approver', 'operator']
const MOST_READ = 200
/** What a signed answer says it is. */
export const JWS_TYPE = 'yrd-credit-answer'

export interface CreditRoutes {
  readonly lookup: Lookup
  readonly store: Store
  readonly codec: Codec
  readonly region: Region
  readonly topicPrefix: string
  /** Undefined where the region has no signing key. */
  readonly signer: Signer | undefined
}

interface Single {
  Params: { uscc: string }
  Querystring: { asOf?: string; signed: boolean }
}

/** `GET /v1/credit/{uscc}`, `GET /v1/credit/search` and `POST /v1/credit/batch`. */
export function creditRoutes({ lookup, store, codec, region, topicPrefix, signer }: CreditRoutes): (app: FastifyInstance) => void {
  const sink = new ByteSink()
  return (app) => {
    const config = { access: { roles: LOOKING } }
    for (const schema of COMPONENTS) app.addSchema(schema)
    app.addContentTypeParser(NDJSON, { parseAs: 'string', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => done(null, body))
    app.get<Single>('/v1/credit/:uscc', { config: { ...config, documented: SINGLE }, schema: SINGLE_SCHEMA }, async ({ params, query: { asOf, signed }, caller }, reply) => {
      const question = lookup.question(params.uscc)
      if (!question.ok) throw new Problem(400, 'CODE_WRONG', '代码有误 · the code is wrong', question.text, { reason: question.reason })
      if (signed && signer === undefined) throw new Problem(400, 'NOT_SIGNING', '本服务没有签名密钥 · this service has no signing key', 'Ask without `signed`, or have its operator set HUB_SIGNING_KEY_FILE.')
      const viewer = viewerOf(caller!, region)
      if (asOf !== undefined) {
        const answered = await earlier(question, asOf, caller!, viewer)
        return signed ? { ...answered, jws: proof(question, asOf, answered) } : answered
      }
      const moment = lookup.moment()
      // Questions that came together are answered together: whoever asks them wakes once, which is half of what an answer costs on a busy machine.
      await nextTurn()
      const bytes = signed ? undefined : written(question, moment, viewer)
      if (bytes !== undefined) return reply.type('application/json; charset=utf-8').send(bytes)
      const said = await lookup.ask(question, moment, viewer, question.regNo === undefined ? undefined : await lookup.codesOf([question]))
      if (said.verdict !== 'unknown' && !signed) return reply.type('application/json; charset=utf-8').send(toldBytes(said, moment))
      const answered = told(said, moment)
      const whole = signed ? { ...answered, jws: proof(question, undefined, answered) } : answered
      if (answered.verdict !== 'unknown') return whole
      throw new Problem(503, 'ANSWER_UNKNOWN', '未查到，但有地区的数据不完整，不能断定未被列入 · nothing found, but not every region is complete: that it is not listed cannot be said', 'See incomplete: which regions, and why.', { ...whole })
    })
    app.get<{ Querystring: { name: string } }>('/v1/credit/search', { config: { ...config, documented: SEARCH }, schema: SEARCH_SCHEMA }, async ({ query: { name } }) => {
      const bodies = await store.byName(name, MOST_READ)
      if (bodies === undefined) throw new Problem(400, 'NAME_TOO_SHORT', '请至少输入名称的两个字 · give at least two characters of the name')
      const { candidates, more } = await candidatesOf(codec, bodies, todayInShanghai())
      return { candidates, more: more || bodies.length === MOST_READ }
    })
    app.post('/v1/credit/batch', { bodyLimit: MAX_BODY_BYTES, config: { ...config, documented: BATCH }, schema: BATCH_SCHEMA }, async (request, reply) => {
      const codes = request.headers['content-type']?.startsWith(NDJSON) === true ? codesIn(request.body as string) : codesOf(request.body)
      const questions = codes.map((raw) => lookup.question(raw))
      const byRegNo = await lookup.codesOf(questions)
      return reply.type(NDJSON).send(Readable.from(lines(lookup, questions, byRegNo, lookup.moment(), viewerOf(request.caller!, region))))
    })
  }

  /** A whole answer, where it can be written at once and is no problem. */
  function written(question: Asked, moment: Moment, viewer: Viewer): Buffer | undefined {
    const verdict = lookup.write(sink, question, moment, viewer)
    if (verdict === undefined || verdict === 'unknown') {
      sink.cut(0)
      return undefined
    }
    lookup.answered(verdict)
    sink.raw(moment.tail)
    return sink.take()
  }

  async function earlier(question: Asked, asOf: string, caller: Caller, viewer: Viewer): Promise<EarlierAnswer> {
    if (!caller.roles.some((role) => OFFICERS.includes(role))) throw new Problem(403, 'ROLE_MISSING', '没有此权限 · this caller lacks the role', `One of these roles is needed for asOf: ${OFFICERS.join(', ')}.`)
    // A "+" that was not escaped arrives as a space.
    const asked = parseInstant(asOf.replace(/ (?=\d\d:\d\d$)/, '+'))
    if (asked === undefined) throw new Problem(400, 'ASOF_INVALID', '时间有误 · the time is not valid', 'An RFC 3339 time with its offset (2026-03-15T10:00:00+08:00, the + as %2B).')
    if (asked > Date.now()) throw new Problem(400, 'ASOF_FUTURE', '所问时间尚未到来 · this time has not come yet', 'Ask for a time in the past, or leave asOf out.')
    if (question.code === undefined) throw new Problem(400, 'ASOF_BY_CODE', '过去时间只能以统一社会信用代码查询 · an earlier time is asked by the unified social credit code')
    return answerAsOf(codec, question, asked, await store.asOf(question.code, asked), viewer, topicPrefix)
  }

  function proof({ code, regNo }: Asked, asOf: string | undefined, answered: Answer | EarlierAnswer): string {
    return compactJws(signer!, JWS_TYPE, { region, at: instantText(Date.now()), question: { ...(code === undefined ? { regNo } : { uscc: code }), ...(asOf !== undefined && { asOf: (answered as EarlierAnswer).asked }) }, answer: answered })
  }
}

/** The moment first, then a line for each code in its order, then how many of each verdict; in parts of about 64 KiB. */
async function* lines(lookup: Lookup, questions: readonly Question[], byRegNo: ReadonlyMap<string, readonly string[]>, moment: Moment, viewer: Viewer): AsyncGenerator<Buffer> {
  const counts = { listed: 0, 'not-listed': 0, unknown: 0, wrong: 0 }
  const { at, cursor, asOf, incomplete } = moment
  const sink = new ByteSink()
  const line = (value: unknown): void => {
    sink.json(value)
    sink.raw(LINE_END)
  }
  line({ head: { at, cursor, asOf, incomplete } })
  let began = performance.now()
  for (const question of questions) {
    if (!question.ok) {
      counts.wrong++
      line({ problem: { code: 'CODE_WRONG', reason: question.reason, detail: question.text } })
    } else {
      const verdict = lookup.write(sink, question, moment, viewer)
      if (verdict === undefined) {
        const said = await lookup.ask(question, moment, viewer, byRegNo)
        counts[said.verdict]++
        line(said)
      } else {
        sink.raw(ANSWER_END)
        lookup.answered(verdict)
        counts[verdict]++
      }
    }
    if (sink.length < PART_BYTES && performance.now() - began < HOLD_MS) continue
    yield sink.take()
    await setImmediate()
    began = performance.now()
  }
  line({ summary: counts })
  yield sink.take()
}

let turn: Promise<void> | undefined

/** When everything that has arrived by now has been read. */
function nextTurn(): Promise<void> {
  return turn ??= setImmediate().then(() => { turn = undefined })
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

const NOT_NOW = problemAnswer('正在读取，或数据库、副本不可用 · still reading, or the database or the replica is not there', 'LOOKUP_LOADING', 'DEPENDENCY_DOWN', 'REPLICA_MISSING')

const SINGLE_SCHEMA = {
  operationId: 'lookUpCredit',
  summary: '查询一个主体是否在册 · look one subject up',
  description: 'listed：列出四地现行有效的全部列入；not-listed：四地数据均完整且未查到；不能断定时为 503 ANSWER_UNKNOWN，incomplete 说明原因。penalties 仅供参考，不影响结论。以 15 位注册号查询时，未查到一律不能断定。'
    + 'asOf（officer）：当时有效、且现在仍可共享的列入；未查到不等于当时未被列入。signed：附技术凭证（JWS，非电子印章），用 hub verify-answer 离线核验。'
    + ' · listed: every active listing of the four regions; not-listed: nothing found and every region complete; otherwise 503 ANSWER_UNKNOWN, and incomplete says why. Penalties are facts beside the verdict. By a registration number nothing found never means not listed.'
    + ' asOf (officers): what was in force then and may still be shared. signed adds a JWS to be verified offline with hub verify-answer: a technical proof, not an electronic seal.',
  tags: ['credit'],
  params: { type: 'object', required: ['uscc'], properties: { uscc: { type: 'string', maxLength: 1000, description: '统一社会信用代码或 15 位注册号，大小写、全半角、空格、连字符不限 · code or registration number in any writing' } } },
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      asOf: { type: 'string', minLength: 1, maxLength: 40, description: '过去的时间，RFC 3339 · a time in the past, RFC 3339' },
      signed: { type: 'boolean', default: false, description: '附技术凭证 · add a signature' },
    },
  },
}
const SINGLE: Documented = {
  response: {
    200: {
      description: '结论、依据与数据截至情况 · verdict, evidence and how far it reaches',
      content: { 'application/json': { schema: { anyOf: [{ $ref: 'CreditAnswer#' }, { $ref: 'CreditAnswerAsOf#' }] }, examples: { listed: { summary: '在册 · listed', value: EXAMPLES.listed }, 'not-listed': { summary: '未查到 · not listed', value: EXAMPLES.notListed }, asOf: { summary: '过去的时间 · an earlier time', value: EARLIER_EXAMPLE } } } },
    },
    400: problemAnswer('代码或时间有误，detail 说明何处 · the code or the time is wrong; the detail says where', 'CODE_WRONG', 'ASOF_INVALID', 'ASOF_FUTURE', 'ASOF_BY_CODE', 'NOT_SIGNING'),
    410: problemAnswer('该时间在本副本已无法回答 · this replica can no longer say', 'ASOF_TOO_OLD', 'ASOF_OTHER_GENERATION', 'ASOF_INCOMPLETE'),
    503: problemAnswer('不能断定未被列入，或正在读取 · cannot be said, or still reading', 'ANSWER_UNKNOWN', 'LOOKUP_LOADING', 'DEPENDENCY_DOWN', 'REPLICA_MISSING'),
  },
}
const SEARCH_SCHEMA = {
  operationId: 'searchCredit',
  summary: '按名称查找代码 · find codes by name',
  description: '名称以所给文字开头的主体，供选取代码后再查询；不是结论：不在其中者可能以其他名称在册，在其中者可能仅有处罚。自然人（含个体工商户）只能以代码查询。全半角、大小写、空格、括号和标点不限。'
    + ' · Firms whose name begins like this, to be asked for by code. No verdict: one that is not among them may be listed under another name, one that is may have a penalty alone. Natural persons, sole traders among them, are found by code only.',
  tags: ['credit'],
  querystring: { type: 'object', additionalProperties: false, required: ['name'], properties: { name: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[^\\u0000]*$', description: '名称的开头，至少两个字 · the beginning of the name, two characters or more' } } },
}
const SEARCH: Documented = {
  response: {
    200: { description: `至多 ${MOST_CANDIDATES} 个 · at most ${MOST_CANDIDATES}`, content: { 'application/json': { schema: { $ref: 'CreditCandidates#' }, example: EXAMPLES.candidates } } },
    400: problemAnswer('文字太短 · too short', 'NAME_TOO_SHORT'),
    503: NOT_NOW,
  },
}
const BATCH_SCHEMA = {
  operationId: 'lookUpCreditBatch',
  summary: '批量查询 · look many up',
  description: `一次至多 ${MAX_CODES} 个。答复为 NDJSON：首行 head（数据截至），其后每个代码一行，次序相同；末行 summary。没有末行即不完整。 · At most ${MAX_CODES}. The answer is NDJSON: head, a line for each code in its order, summary; without the summary it is not whole.`,
  tags: ['credit'],
}
const BATCH: Documented = {
  body: { content: { 'application/json': { schema: { type: 'object', required: ['codes'], properties: { codes: { type: 'array', maxItems: MAX_CODES, items: { type: 'string' } } } }, example: { codes: [EXAMPLES.listed.uscc, EXAMPLES.notListed.uscc] } }, [NDJSON]: { schema: { type: 'string', description: '每行一个代码 · one code a line' } } } },
  response: {
    200: { description: '每行一个 JSON · one JSON a line', content: { [NDJSON]: { schema: { type: 'string', description: 'CreditBatchHead、CreditBatchLine 或 CreditBatchProblem、CreditBatchSummary' }, example: BATCH_EXAMPLE } } },
    400: problemAnswer('请求有误 · the request is wrong', 'TOO_MANY_CODES', 'BATCH_WRONG'),
    408: problemAnswer('内容未及时到达 · the body did not come in time', 'BODY_TOO_SLOW'),
    413: problemAnswer('内容过大，请分批 · too large: send several batches', 'BODY_TOO_LARGE'),
    415: problemAnswer('内容类型不支持 · this content type is not accepted', 'MEDIA_TYPE'),
    503: NOT_NOW,
  },
}
