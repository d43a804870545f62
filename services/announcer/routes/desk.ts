import { problemAnswer, type Documented } from '@hub/runtime/http'
import type { FastifyInstance } from 'fastify'
import type { AskedCorrection } from '../correct.ts'
import type { Desk } from '../desk.ts'
import { FORMATS, type Documents, type Format } from './documents.ts'

const MAX_BODY_BYTES = 64 * 1024
/** Tips of an edition, and the length of one. */
const MOST_TIPS = 10
const MOST_CORRECTIONS = 50
const TIP_LENGTH = 300

interface Of {
  Params: { campaign: string; year: number }
}

/** What officers and approvers of the region see and do. */
export function deskRoutes(desk: Desk, documents: Documents): (app: FastifyInstance) => void {
  const reads = { access: { roles: ['officer', 'approver', 'operator'] as const } }
  const officers = { access: { roles: ['officer'] as const } }
  const approvers = { access: { roles: ['approver'] as const } }
  return (app) => {
    const base = '/v1/desk/announcements/:campaign/:year'
    app.get('/v1/desk/announcements', { config: { ...reads, documented: answers() }, schema: schema('listPlans', '公示日历 · the calendar of announcements', '每年每项的统计窗口、截数与发布时间、进度。 · Window, cut, publication and progress of each.', {}) },
      async () => ({ announcements: await desk.list() }))
    app.get<Of>(base, { config: { ...reads, documented: answers(404, 422) }, schema: schema('readAnnouncementState', '公示进度 · where an announcement stands', '各地区截数、完整性、草案、复算、审核。 · Cut, completeness, draft, signatures and approvals of each region.', { params: PARAMS }) },
      ({ params: { campaign, year } }) => desk.state(campaign, year))
    app.post<Of & { Body: { demo?: boolean } }>(`${base}/run`, { bodyLimit: MAX_BODY_BYTES, config: { access: { roles: ['officer', 'operator'] }, documented: answers(404, 409, 422) }, schema: schema('runAnnouncement', '立即截数 · take an announcement up now', '截数时间已过而未开始时使用；demo 为演示，所有版式均标明。 · For one whose cut has passed; a demo is marked in every rendering.', { params: PARAMS, body: body({ demo: { type: 'boolean', default: false } }) }) },
      ({ params: { campaign, year }, body: { demo = false }, caller }) => desk.run(campaign, year, demo, caller!.id))
    app.post<Of>(`${base}/approvals`, { bodyLimit: MAX_BODY_BYTES, config: { ...approvers, documented: answers(404, 409, 422) }, schema: schema('approveAnnouncement', '审核通过 · approve', '须两人；第二人通过后本地区签署。 · Two people; with the second one the region signs.', { params: PARAMS, body: body({}) }) },
      ({ params: { campaign, year }, caller }) => desk.approve(campaign, year, caller!.id))
    app.post<Of & { Body: { reason: string } }>(`${base}/rejections`, { bodyLimit: MAX_BODY_BYTES, config: { ...approvers, documented: answers(404, 409, 422) }, schema: schema('rejectAnnouncement', '退回 · reject', '写明理由，四地可见。 · With a reason that the four regions see.', { params: PARAMS, body: REASON }) },
      ({ params: { campaign, year }, body: { reason } }) => desk.reject(campaign, year, reason))
    app.put<Of & { Body: { tips: { zh: string; en?: string | null }[] } }>(`${base}/tips`, { bodyLimit: MAX_BODY_BYTES, config: { ...officers, documented: answers(404, 409, 422) }, schema: schema('writeTips', '编辑消费提示 · write the tips', '由起草地区编辑，改动后各地须重新审核。 · By the region that drafted; what was approved before has to be approved anew.', { params: PARAMS, body: TIPS }) },
      ({ params: { campaign, year }, body: { tips } }) => desk.tips(campaign, year, tips.map(({ zh, en = null }) => ({ zh, en }))))
    app.post<Of & { Body: { reason: string } }>(`${base}/retractions`, { bodyLimit: MAX_BODY_BYTES, config: { ...approvers, documented: answers(404, 409, 422) }, schema: schema('retractAnnouncement', '撤回 · take back', '撤回为新的一版，同样须四地签署。 · A retraction is an edition that all sign.', { params: PARAMS, body: REASON }) },
      ({ params: { campaign, year }, body: { reason } }) => desk.retract(campaign, year, reason))
    app.get<Of & { Querystring: { format?: Format } }>(`${base}/draft`, { config: { ...reads, documented: answers(404, 409, 422) }, schema: schema('readDraft', '草案 · the draft as it would be published', 'JSON、网页或工作簿，标明草案。 · As JSON, a page or a workbook, marked as a draft.', { params: PARAMS, querystring: { type: 'object', additionalProperties: false, properties: { format: { enum: FORMATS } } } }) },
      async (request, reply) => documents.answer(request, reply, JSON.stringify(await desk.draft(request.params.campaign, Number(request.params.year))), request.query.format, true))
    app.get<Of>(`${base}/rises`, { config: { ...reads, documented: answers(404, 422) }, schema: schema('readRises', '明显上升 · marked rises', '与上年同期可比日相比明显上升的类别，附消费提示的起草文字，须编辑后使用。 · Classes that rose by more than chance over the days that both years have, each with the beginning of a tip, to be edited.', { params: PARAMS }) },
      async ({ params: { campaign, year } }) => ({ rises: await desk.rises(campaign, year) }))
    app.post<Of & { Body: { corrections: AskedCorrection[] } }>(`${base}/corrections`, { bodyLimit: MAX_BODY_BYTES, config: { ...approvers, documented: answers(404, 422) }, schema: schema('correctAnnouncement', '提出更正 · state what was wrong', '只限经营者有误或记录已撤销(void)，由来源地区提出；正常办理进展不作更正。其余地区核对后签署更正版。 · By the origin, for a wrong trader or a voided record alone; the others check it and sign an erratum edition.', { params: PARAMS, body: CORRECTIONS }) },
      ({ params: { campaign, year }, body: { corrections } }) => desk.correct(campaign, year, corrections))
    app.post<Of & { Body: { edition: number } }>(`${base}/recomputations`, { bodyLimit: MAX_BODY_BYTES, config: { ...reads, documented: answers(404, 422) }, schema: schema('recomputeAnnouncement', '由本地副本复算已发布的一版 · recompute a published edition from this replica', 'recomputable 为 false 时本地已不能复算。 · Not recomputable: the copies are no longer kept here.', { params: PARAMS, body: body({ edition: { type: 'integer', minimum: 1, maximum: 1000 } }, ['edition']) }) },
      ({ params: { campaign, year }, body: { edition } }) => desk.recomputation(campaign, year, edition))
  }
}

const PARAMS = {
  type: 'object', required: ['campaign', 'year'], additionalProperties: false,
  properties: { campaign: { type: 'string', maxLength: 40, pattern: '^[a-z0-9-]+$' }, year: { type: 'integer', minimum: 2000, maximum: 2999 } },
}
const REASON = body({ reason: { type: 'string', minLength: 2, maxLength: 300, pattern: '\\S', description: '理由 · why' } }, ['reason'])
const CORRECTIONS = body({ corrections: { type: 'array', minItems: 1, maxItems: MOST_CORRECTIONS, items: {
  type: 'object', required: ['reason', 'recordId'], additionalProperties: false, properties: {
    reason: { enum: ['wrong-trader', 'voided'] }, recordId: { type: 'string', minLength: 3, maxLength: 128 },
    event: { type: 'object', description: '截数时的记录，撤销的投诉必附 · the record as it was at the cut; of a voided one it is needed' },
  } } } }, ['corrections'])
const TIPS = body({ tips: { type: 'array', maxItems: MOST_TIPS, items: { type: 'object', required: ['zh'], additionalProperties: false, properties: { zh: { type: 'string', minLength: 2, maxLength: TIP_LENGTH }, en: { type: ['string', 'null'], maxLength: TIP_LENGTH } } } } }, ['tips'])

function body(properties: object, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, required, properties }
}

function schema(operationId: string, summary: string, description: string, parts: object): object {
  return { operationId, summary, description, tags: ['desk'], ...parts }
}

function answers(...statuses: (404 | 409 | 422)[]): Documented {
  const problems = {
    404: problemAnswer('没有此公示 · no such announcement', 'ANNOUNCEMENT_UNKNOWN'),
    409: problemAnswer('现在不能这样做，detail 说明原因 · not now; the detail says why', 'NOT_DUE', 'NO_DRAFT', 'NOT_RECOMPUTED', 'NEEDS_ANOTHER', 'NOT_THE_DRAFTER', 'ALREADY_APPROVED'),
    422: problemAnswer('不能这样安排或公布 · it cannot be planned, or published, like this', 'PLAN_REFUSED', 'TIP_UNEDITED', 'CORRECTION_REFUSED'),
  }
  return {
    response: {
      200: { description: '进度 · where it stands', content: { 'application/json': { schema: { type: 'object' } } } },
      ...Object.fromEntries(statuses.map((status) => [status, problems[status]])),
    },
  }
}
