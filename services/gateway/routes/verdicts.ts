import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import { Problem, problemAnswer, type Caller, type Documented } from '@hub/runtime/http'
import { parseInstant } from '@hub/schemas/read-time'
import { DATA_STREAMS, type DataStream, type Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { lowestId } from '../publish/event-id.ts'
import { PAST_VERDICTS_EXAMPLE } from '../openapi/verdicts.ts'
import { VERDICTS, type VerdictKind } from '../verdicts/verdict.ts'
import { readVerdictPage } from '../verdicts/verdict-page.ts'
import type { Filter } from '../verdicts/verdict-store.ts'
import { KEPT_MS } from '../verdicts/verdict-trim.ts'

const MAX_PAGE = 1_000
const DEFAULT_PAGE = 100
const DEADLINE_MS = 10_000
/** Above every id that time will bring. */
const LAST_MS = 2 ** 48 - 1
const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'

interface Input {
  Querystring: { source?: string; stream?: DataStream; since?: string; until?: string; outcome?: VerdictKind; after?: string; limit?: number }
}

/** `GET /v1/verdicts`: what became of what was sent, the newest first; 90 days of what is not published. */
export function verdictRoutes(db: Db, where: { region: Region; topicPrefix: string }): (app: FastifyInstance) => void {
  return (app) => {
    app.get<Input>('/v1/verdicts', { config: { access: { roles: ['publisher', 'operator'] }, documented: DOCUMENTED }, schema: SCHEMA }, async (request) => {
      const { source, stream, since, until, outcome, after, limit = DEFAULT_PAGE } = request.query
      const now = Date.now()
      const below = lowestId(until === undefined ? LAST_MS : instant('until', until))
      return within(readVerdictPage(db, where, {
        ...visibleTo(request.caller!, source), streams: stream === undefined ? null : [stream], outcomes: outcome === undefined ? null : [outcome],
      }, {
        from: lowestId(Math.max(now - KEPT_MS, since === undefined ? 0 : instant('since', since))),
        below: after !== undefined && after < below ? after : below,
        limit,
      }), DEADLINE_MS)
    })
  }
}

/** A publisher is told of its own sources and of what it sent itself; an operator of everything. With `source`, of that one alone. */
export function visibleTo(caller: Caller, source?: string): Pick<Filter, 'sources' | 'caller'> {
  const all = caller.roles.includes('operator') || caller.sources.includes('*')
  // What named no source of the sender is nobody's when one source is asked for.
  if (source !== undefined) return { sources: all || caller.sources.includes(source) ? [source] : [], caller: '' }
  return { sources: all ? null : caller.sources, caller: caller.roles.includes('operator') ? null : caller.id }
}

function instant(name: string, text: string): number {
  const ms = parseInstant(text)
  if (ms === undefined || ms < 0) throw new Problem(400, 'TIME_INVALID', '时间不对 · the time is not valid', `${name} is a time of RFC 3339 with an offset: 2026-03-15T09:30:00+08:00, with "+" written as %2B.`)
  return ms
}

const SCHEMA = {
  operationId: 'listVerdicts',
  summary: '历史结果 · past verdicts',
  description: '已给出的结果，新的在前，保留 90 天；不含任何数据值。发布方只见自己的来源系统，运维可见全部。每页查看的行数有上限，页可能不满甚至为空：只要有 next 就还有下文。'
    + ' · Verdicts that were given, the newest first, for 90 days and without any value. A publisher sees those of its own sources, an operator all. A page looks at a bounded number of rows and may be short or empty: there is more as long as there is a `next`.',
  tags: ['publish'],
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      source: { type: 'string', maxLength: 40, description: '来源系统 · source system' },
      stream: { type: 'string', enum: DATA_STREAMS, description: '数据流 · stream' },
      since: { type: 'string', maxLength: 40, description: '起始时间（含） · from this time on' },
      until: { type: 'string', maxLength: 40, description: '截止时间（不含） · before this time' },
      outcome: { type: 'string', enum: VERDICTS, description: '结果 · verdict' },
      after: { type: 'string', pattern: UUID, description: '上一页的 next · `next` of the page before' },
      limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE, description: '每页至多 · at most so many a page' },
    },
  },
}

const DOCUMENTED: Documented = {
  response: {
    200: { description: '一页 · one page', content: { 'application/json': { schema: { $ref: 'PastVerdicts#' }, example: PAST_VERDICTS_EXAMPLE } } },
    400: problemAnswer('请求有误 · the request is wrong', 'TIME_INVALID'),
  },
}
