import type { Db } from '@hub/runtime/db'
import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import { DATA_STREAMS, topicName, type Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { ORIGIN_PARKED_EXAMPLE, PARKED_DETAIL_EXAMPLE, PARKED_EXAMPLE } from '../openapi/parked.ts'
import { cursorOf, placeOfCursor } from '../parked/place.ts'
import { PARK_REASONS, reasonText } from '../parked/reasons.ts'
import { findParked, readOriginParked, readParked, type ParkedDetail } from '../parked/store.ts'
import { fromReplica, REPLICA_DOWN } from '../read/replica.ts'
import { visibleTo } from './verdicts.ts'

const MAX_PAGE = 1_000
const DEFAULT_PAGE = 100

interface Page {
  Querystring: { after?: string; limit?: number; open?: boolean }
}
interface Listing {
  Querystring: Page['Querystring'] & { topic?: string; reason?: string }
}
interface One {
  Params: { topic: string; partition: number; offset: string }
}

/**
 * `GET /v1/parked`: events that this region's replica set aside, in the order of the logs, and each of them; `GET /v1/parked/origin`: this region's own events that
 * any region set aside. Their bytes stay on the log and are shown nowhere.
 */
export function parkedRoutes(db: Db, region: Region, topicPrefix: string): (app: FastifyInstance) => void {
  const own = DATA_STREAMS.map((stream) => ({ topic: topicName(region, stream, topicPrefix), stream }))
  return (app) => {
    app.get<Listing>('/v1/parked', { config: { access: { roles: ['operator'] }, documented: LIST }, schema: LIST_SCHEMA }, async ({ query: { after, limit = DEFAULT_PAGE, topic = null, reason = null, open = null } }) => {
      const { page, next } = cut(await fromReplica(readParked(db, { topic, reason, open }, placeOfCursor(after), limit + 1)), limit)
      return { parked: page.map((one) => ({ ...one, ...told(one) })), next }
    })
    app.get<Page>('/v1/parked/origin', { config: { access: { roles: ['publisher', 'operator'] }, documented: ORIGIN }, schema: ORIGIN_SCHEMA }, async ({ query: { after, limit = DEFAULT_PAGE, open = null }, caller }) => {
      const { page, next } = cut(await fromReplica(readOriginParked(db, region, own, visibleTo(caller!).sources, open, placeOfCursor(after), limit + 1)), limit)
      return {
        parked: page.map((one) => ({
          ...one, offset: String(one.offset), ...reasonText(one.reason), stream: own.find(({ topic }) => topic === one.topic)!.stream, regions: one.regions.map((by) => ({ ...by, at: new Date(by.at) })),
        })),
        next,
      }
    })
    app.get<One>('/v1/parked/:topic/:partition/:offset', { config: { access: { roles: ['operator'] }, documented: DETAIL }, schema: DETAIL_SCHEMA }, async ({ params: { topic, partition, offset } }) => {
      const found = await fromReplica(findParked(db, { topic, partition, offset: BigInt(offset) }))
      if (found === undefined) throw notParked()
      return { ...found, ...told(found), todo: reasonText(found.reason).todo, state: stateOf(found) }
    })
  }
}

export function notParked(): Problem {
  return new Problem(404, 'PARKED_UNKNOWN', '该位置没有被搁置的事件 · no event is parked at this place', 'GET /v1/parked lists what this replica set aside.')
}

function told({ offset, buriedBy, reason }: { offset: bigint; buriedBy: bigint | null; reason: string }): object {
  const { zh, en } = reasonText(reason)
  return { offset: String(offset), buriedBy: buriedBy === null ? null : String(buriedBy), zh, en }
}

function stateOf({ redriven, supersededBy, buriedBy }: ParkedDetail): 'redriven' | 'superseded' | 'buried' | 'open' {
  if (redriven !== null) return 'redriven'
  if (supersededBy !== null) return 'superseded'
  return buriedBy === null ? 'open' : 'buried'
}

function cut<T extends { topic: string; partition: number; offset: bigint }>(entries: readonly T[], limit: number): { page: readonly T[]; next: string | null } {
  const page = entries.slice(0, limit)
  const last = page.at(-1)
  return { page, next: entries.length > limit && last !== undefined ? cursorOf(last) : null }
}

const PAGE = {
  open: { type: 'boolean', description: 'true：尚无好的版本取代；false：已被取代 · true: no good version has taken its place; false: one has' },
  after: { type: 'string', maxLength: 300, description: '上一页的 next · `next` of the page before' },
  limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE, description: '每页条数 · entries of a page' },
}

const LIST_SCHEMA = {
  operationId: 'listParked',
  summary: '搁置的事件 · parked events',
  description: '本地区副本无法读取而单独搁置的事件，按日志顺序。内容留在日志中，任何接口都不显示。 · Events that this region\'s replica could not read and set aside alone. Their bytes stay on the log; nothing shows them.',
  tags: ['operate'],
  querystring: {
    type: 'object', additionalProperties: false,
    properties: {
      topic: { type: 'string', maxLength: 249, description: '只看一个主题 · one topic alone' },
      reason: { type: 'string', maxLength: 60, description: `只看一种原因 · one reason alone: ${PARK_REASONS.join(', ')}` },
      ...PAGE,
    },
  },
}

const LIST: Documented = {
  response: { 200: { description: '一页 · one page', content: { 'application/json': { schema: { $ref: 'Parked#' }, example: PARKED_EXAMPLE } } }, 400: problemAnswer('请求有误 · the request is wrong', 'CURSOR_INVALID'), 503: REPLICA_DOWN },
}

const ORIGIN_SCHEMA = {
  operationId: 'listParkedOfOrigin',
  summary: '本地区发布的事件在何处被搁置 · where this region\'s own events are parked',
  description: '本地区发布、被任一地区搁置的事件：在哪些地区、自何时起、原因、如何处理、来源系统的值班电话，以及是否已被更新版本取代。发布方只见自己的来源系统。'
    + ' · Events that this region published and any region parked: where, since when, why, what to do, whom to call at the source, and whether a newer version has taken its place. A publisher sees its own sources.',
  tags: ['publish'],
  querystring: { type: 'object', additionalProperties: false, properties: PAGE },
}

const ORIGIN: Documented = {
  response: { 200: { description: '一页 · one page', content: { 'application/json': { schema: { $ref: 'ParkedOfOrigin#' }, example: ORIGIN_PARKED_EXAMPLE } } }, 400: problemAnswer('请求有误 · the request is wrong', 'CURSOR_INVALID'), 503: REPLICA_DOWN },
}

const DETAIL_SCHEMA = {
  operationId: 'readParked',
  summary: '一个搁置的事件 · one parked event',
  description: 'open：仍搁置；buried：同键已有后续事件，但没有好的版本；superseded：已被好的版本取代；redriven：软件修正后已重新处理。 · open: still parked; buried: a later event of the key, and no good version; superseded: a good version has taken its place; redriven: a later release has read it.',
  tags: ['operate'],
  params: {
    type: 'object', required: ['topic', 'partition', 'offset'], additionalProperties: false,
    properties: { topic: { type: 'string', pattern: '^[A-Za-z0-9-]*[a-z]{2}\\.[a-z-]+$', description: '主题 · topic' }, partition: { type: 'integer', minimum: 0, maximum: 9_999, description: '分区 · partition' }, offset: { type: 'string', pattern: '^\\d{1,18}$', description: '偏移 · offset' } },
  },
}

const DETAIL: Documented = {
  response: { 200: { description: '已知的全部 · all that is known', content: { 'application/json': { schema: { $ref: 'ParkedEvent#' }, example: PARKED_DETAIL_EXAMPLE } } }, 404: problemAnswer('没有 · there is none', 'PARKED_UNKNOWN'), 503: REPLICA_DOWN },
}
