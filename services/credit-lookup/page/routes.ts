import { addressOf } from '@hub/runtime/access'
import { Problem } from '@hub/runtime/http'
import { compactJws } from '@hub/runtime/jws'
import { page } from '@hub/runtime/page'
import type { Signer } from '@hub/runtime/sign'
import type { Region } from '@hub/schemas/streams'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { setImmediate } from 'node:timers/promises'
import { told } from '../answer.ts'
import type { Lookup } from '../lookup.ts'
import { JWS_TYPE } from '../routes.ts'
import { AT_ONCE, distinct, type Line, MOST_CODES, numberOf, piecesOf, publicly, type Result } from './result.ts'
import { STYLE } from './style.ts'
import { TITLE, view, type View } from './view.ts'
import { workbookOf } from './workbook.ts'

const FORM = 'application/x-www-form-urlencoded'
/** Ten thousand pasted codes are still told that they are too many. */
const FORM_BYTES = 512 * 1024
/** Forms that one address (IPv6: one /64) may send in a minute. */
const FORMS_A_MINUTE = 60

const PUBLIC = { kind: 'public' } as const

/** `/credit`: the lookup as a page for everybody. What is asked travels in the body alone, so that it stands in no log, address bar or history. */
export function creditPage({ lookup, region, signer }: { readonly lookup: Lookup; readonly region: Region; readonly signer: Signer | undefined }): (app: FastifyInstance) => Promise<void> {
  // Open: what is published by law is for everybody to see, and only that is shown (viewer `public`).
  const config = { access: 'open', page: {} } as const
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: FORM_BYTES }, (_request, body, done) => done(null, new URLSearchParams(body as string)))
    const forms = app.createRateLimit({ max: FORMS_A_MINUTE, timeWindow: 60_000, keyGenerator: addressOf })
    app.get('/credit', { config }, (request, reply) => answerWith(request, reply, {}))
    app.post('/credit', { config, bodyLimit: FORM_BYTES }, async (request, reply) => {
      const spent = await forms(request)
      if (!spent.isAllowed && spent.isExceeded) throw new Problem(429, 'TOO_MANY_REQUESTS', '查询过于频繁，请稍后再试 · too many questions: try again later', `每个地址每分钟最多 ${FORMS_A_MINUTE} 次 · at most ${FORMS_A_MINUTE} a minute from one address`, { retryAfterSeconds: Math.max(1, spent.ttlInSeconds) })
      const pieces = piecesOf(request.body instanceof URLSearchParams ? request.body.get('codes') ?? '' : '')
      if (pieces.length === 0) return answerWith(request, reply, { alert: '请输入至少一个代码 · give at least one code' }, 400)
      if (pieces.length > MOST_CODES) return answerWith(request, reply, { alert: `一次最多 ${MOST_CODES} 个，收到 ${pieces.length} 个，请分批；更多请用批量接口 · at most ${MOST_CODES} at once, ${pieces.length} were given: send several batches` }, 400)
      const result = await ask(pieces)
      const workbook = `data:application/vnd.openxmlformats-officedocument.spreadsheetml.sheet;base64,${(await workbookOf(result)).toString('base64')}`
      return answerWith(request, reply, { result, workbook })
    })
  }

  async function ask(pieces: readonly string[]): Promise<Result> {
    const questions = distinct(pieces.map((piece) => lookup.question(piece)))
    const byRegNo = await lookup.codesOf(questions.map(({ question }) => question))
    const moment = lookup.moment()
    const lines: Line[] = []
    for (const { at, question } of questions) {
      if (question.ok) lines.push({ at, asked: question.code ?? question.regNo, said: publicly(await lookup.ask(question, moment, PUBLIC, byRegNo)) })
      else lines.push({ at, wrong: question.text })
      if (lines.length % AT_ONCE === 0) await setImmediate()
    }
    const [only] = lines
    const proof = lines.length > 1 || only?.wrong !== undefined || signer === undefined ? undefined : compactJws(signer, JWS_TYPE, {
      region, at: moment.at, question: only!.said.regNo === undefined ? { uscc: only!.asked } : { regNo: only!.asked }, answer: told(only!.said, moment),
    })
    return { number: numberOf(region, moment, lines), region, moment, lines, withoutCode: lookup.withoutCode(), proof }
  }
}

function answerWith(request: FastifyRequest, reply: FastifyReply, what: View, status = 200): Promise<FastifyReply> {
  return page(request, reply, { title: TITLE, status, style: STYLE, body: view(what) })
}
