import type { Caller } from '@hub/runtime/http'
import type { DbClient } from '@hub/runtime/db'
import { page } from '@hub/runtime/page'
import type { Region } from '@hub/schemas/streams'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Desk } from '../desk.ts'
import type { AskedCorrection } from '../correct.ts'
import { announcementView, calendarView, type Sees } from '../desk-view/view.ts'
import { readContacts } from '../store/contacts.ts'
import { Problem } from '@hub/runtime/http'

const FORM = 'application/x-www-form-urlencoded'
const FORM_BYTES = 64 * 1024
const TIP_LENGTH = 300
const REASON_LENGTH = 300

interface Of {
  Params: { campaign: string; year: number }
}

const schema = {
  params: {
    type: 'object', required: ['campaign', 'year'], additionalProperties: false,
    properties: { campaign: { type: 'string', maxLength: 40, pattern: '^[a-z0-9-]+$' }, year: { type: 'integer', minimum: 2000, maximum: 2999 } },
  },
}

/** `/desk`: what officers and approvers of the region see and do, in a browser. */
export function deskPages(desk: Desk, db: DbClient, region: Region): (app: FastifyInstance) => Promise<void> {
  const reads = { roles: ['officer', 'approver', 'operator'] as const }
  return async (app) => {
    await app.register(async (pages) => {
      pages.removeAllContentTypeParsers()
      pages.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: FORM_BYTES }, (_request, body, done) => done(null, new URLSearchParams(body as string)))
      pages.get('/desk', { config: { access: reads, page: { menu: '公示办理 · Desk' } }, schema: {} }, async (request, reply) => page(request, reply, { title: '公示办理', body: calendarView(await desk.list()) }))
      pages.get<Of>('/desk/:campaign/:year', { config: { access: reads, page: {} }, schema }, async (request, reply) => {
        const { campaign, year } = request.params
        const state = await desk.state(campaign, year)
        const [contacts, rises] = await Promise.all([readContacts(db), state.draft === null ? [] : desk.rises(campaign, year)])
        return page(request, reply, { title: `${year}年${state.name[0]}公示`, body: announcementView(state, contacts, rises, seesOf(request.caller!, region)) })
      })
      const acts = (name: string, roles: readonly ('officer' | 'approver' | 'operator')[], act: (of: Of['Params'], fields: URLSearchParams, who: string) => Promise<unknown>): void => {
        pages.post<Of>(`/desk/:campaign/:year/${name}`, { config: { access: { roles }, page: {} }, schema }, async (request: FastifyRequest<Of>, reply: FastifyReply) => {
          const { campaign, year } = request.params
          await act({ campaign, year }, request.body instanceof URLSearchParams ? request.body : new URLSearchParams(), request.caller!.id)
          return reply.redirect(`/desk/${campaign}/${year}`, 303)
        })
      }
      acts('run', ['officer', 'operator'], ({ campaign, year }, fields, who) => desk.run(campaign, year, fields.get('demo') === 'yes', who))
      acts('approve', ['approver'], ({ campaign, year }, _fields, who) => desk.approve(campaign, year, who))
      acts('reject', ['approver'], ({ campaign, year }, fields) => desk.reject(campaign, year, reasonOf(fields)))
      acts('retract', ['approver'], ({ campaign, year }, fields) => desk.retract(campaign, year, reasonOf(fields)))
      acts('tips', ['officer'], ({ campaign, year }, fields) => {
        const [zh, en] = [fields.getAll('zh'), fields.getAll('en')].map((texts) => texts.slice(0, 10).map((one) => one.trim()))
        if ([...zh!, ...en!].some(({ length }) => length > TIP_LENGTH)) throw new Problem(400, 'REQUEST_INVALID', `一条提示不超过${TIP_LENGTH}字 · a tip has at most ${TIP_LENGTH} characters`)
        return desk.tips(campaign, year, zh!.flatMap((one, at) => (one === '' ? [] : [{ zh: one, en: en![at] || null }])))
      })
      acts('correct', ['approver'], ({ campaign, year }, fields) => desk.correct(campaign, year, [correctionIn(fields)]))
    })
  }
}

function seesOf({ roles }: Caller, region: Region): Sees {
  return { region, officer: roles.includes('officer'), approver: roles.includes('approver'), operator: roles.includes('operator') }
}

function reasonOf(fields: URLSearchParams): string {
  const reason = (fields.get('reason') ?? '').trim()
  if (reason.length < 2 || reason.length > REASON_LENGTH) throw new Problem(400, 'REQUEST_INVALID', `请写明理由，2至${REASON_LENGTH}字 · give a reason of 2 to ${REASON_LENGTH} characters`)
  return reason
}

function correctionIn(fields: URLSearchParams): AskedCorrection {
  const [reason, recordId, event] = ['reason', 'recordId', 'event'].map((name) => (fields.get(name) ?? '').trim()) as [string, string, string]
  if ((reason !== 'wrong-trader' && reason !== 'voided') || recordId.length < 3 || recordId.length > 128) throw new Problem(400, 'REQUEST_INVALID', '请选择原因并填写记录编号 · choose a reason and give the record id')
  if (event === '') return { reason, recordId }
  try {
    const given: unknown = JSON.parse(event)
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return { reason, recordId, event: given }
  } catch { /* said below */ }
  throw new Problem(400, 'REQUEST_INVALID', '截数时的记录须为一个 JSON 对象 · the record at the cut is a JSON object')
}
