import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import type { Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { allows } from '../callers.ts'
import { HANDED_OVER_EXAMPLE, SOURCES_EXAMPLE } from '../openapi/sources.ts'
import { REPLICA_DOWN } from '../read/replica.ts'
import { readOverview } from '../sources/overview.ts'
import type { Sources } from '../sources/sources.ts'

const MAX_BODY_BYTES = 4 * 1024
const DEADLINE_MS = 10_000

interface Input {
  Params: { id: string }
  Body: { handOverId: string; rows?: number; baseline?: boolean }
}

/** `GET /v1/sources`: the sources of the four regions and how fresh they are. `POST /v1/sources/{id}/hand-over`: a source that publishes by HTTP has delivered everything. */
export function sourceRoutes(db: Db, region: Region, sources: Sources): (app: FastifyInstance) => void {
  return (app) => {
    app.get('/v1/sources', { config: { access: { roles: ['reader', 'officer', 'approver', 'publisher', 'operator'] }, documented: SOURCES }, schema: SOURCES_SCHEMA }, async () => {
      const now = Date.now()
      return { region, asOf: new Date(now).toISOString(), sources: await readOverview(db, now) }
    })
    app.post<Input>('/v1/sources/:id/hand-over', { config: { access: { roles: ['publisher'] }, documented: HAND_OVER }, schema: HAND_OVER_SCHEMA, bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      const { params: { id }, body: { handOverId, rows = null, baseline = false } } = request
      const caller = request.caller!
      if (!allows(caller.sources, id)) throw new Problem(403, 'SOURCE_NOT_ALLOWED', '不是您的来源系统 · not a source of yours', "An operator adds it to the caller's sources in callers.yaml.")
      const done = await within(sources.handOver(id, { id: handOverId, rows, way: 'api', baseline, caller: caller.id }), DEADLINE_MS)
      return reply.code(done.duplicate ? 200 : 201).send({ source: id, handOverId, ...done })
    })
  }
}

const SOURCES_SCHEMA = {
  operationId: 'listSources',
  summary: '四地来源系统及其新鲜度 · the source systems of the four regions and how fresh they are',
  description: '每个来源系统的责任单位、值班电话、周期、最近一次完整到达本副本的交付，以及是否逾期。 · Of each source its office and duty line, its cadence, its last hand-over that this replica has seen whole, and what is overdue since when.',
  tags: ['read'],
}

const SOURCES: Documented = {
  response: { 200: { description: '来源系统 · sources', content: { 'application/json': { schema: { $ref: 'Sources#' }, example: SOURCES_EXAMPLE } } }, 503: REPLICA_DOWN },
}

const HAND_OVER_SCHEMA = {
  operationId: 'handOver',
  summary: '报告一次完整交付 · tell a complete hand-over',
  description: '该来源系统截至此刻的事件均已提交并得到结果之后调用；周期内没有变化也要调用。同一编号重复调用只计一次。'
    + ' · Call it once every event of the source has got its verdict, also when nothing changed within the cadence. The same id again counts once.',
  tags: ['publish'],
  params: { type: 'object', required: ['id'], additionalProperties: false, properties: { id: { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,39}$', description: '来源系统 · source system' } } },
  body: {
    type: 'object', required: ['handOverId'], additionalProperties: false,
    properties: {
      handOverId: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$', description: '交付编号，由调用方给出，每次不同 · given by the caller, another one each time' },
      rows: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 1, description: '本次行数 · rows or events that it had' },
      baseline: { type: 'boolean', default: false, description: '来源系统的全部现有数据均已包含 · everything that the source has was in it' },
    },
  },
}

const HANDED_OVER = { 'application/json': { schema: { $ref: 'HandedOver#' }, example: HANDED_OVER_EXAMPLE } }
const HAND_OVER: Documented = {
  response: {
    201: { description: '已持久化 · durable', content: HANDED_OVER },
    200: { description: '此前已收到 · told before', content: { 'application/json': { schema: { $ref: 'HandedOver#' }, example: { ...HANDED_OVER_EXAMPLE, duplicate: true } } } },
    403: problemAnswer('不是您的来源系统 · not a source of yours', 'SOURCE_NOT_ALLOWED'),
    404: problemAnswer('未申报 · not declared', 'SOURCE_UNDECLARED'),
    409: problemAnswer('编号已用于另一次交付 · the id was used for another one', 'HAND_OVER_CONFLICT'),
  },
}
