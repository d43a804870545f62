import type { Codec } from '@hub/runtime/codec'
import { Problem, type Caller, type Role } from '@hub/runtime/http'
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
import { answerLines, codesIn, codesOf, NDJSON } from './batch.ts'
import type { Lookup } from './lookup.ts'
import { COMPONENTS } from './openapi.ts'
import { BATCH, BATCH_SCHEMA, SEARCH, SEARCH_SCHEMA, SINGLE, SINGLE_SCHEMA } from './operations.ts'
import type { Asked } from './question.ts'
import { candidatesOf } from './search.ts'
import { sendJson } from './send-json.ts'
import type { Store } from './store.ts'
import { LOOKING, viewerOf } from './viewer.ts'
import { ByteSink } from './wire/sink.ts'

const MAX_BODY_BYTES = 1024 * 1024

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
      if (bytes !== undefined) return sendJson(reply, bytes)
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
      return reply.type(NDJSON).send(Readable.from(answerLines(lookup, questions, byRegNo, lookup.moment(), viewerOf(request.caller!, region))))
    })
  }

  /** A whole answer, where it can be written at once and is no problem. */
  function written(question: Asked, moment: Moment, viewer: Viewer): Buffer | undefined {
    // What an answer that failed or was given up has left.
    sink.cut(0)
    const verdict = lookup.write(sink, question, moment, viewer)
    if (verdict === undefined || verdict === 'unknown') return undefined
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

let turn: Promise<void> | undefined

/** When everything that has arrived by now has been read. */
function nextTurn(): Promise<void> {
  return turn ??= setImmediate().then(() => { turn = undefined })
}
