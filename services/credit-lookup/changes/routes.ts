import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import { instantText } from '@hub/schemas/record-json'
import { type Region, REGIONS } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import type { Store } from '../store.ts'
import { LOOKING, viewerOf } from '../viewer.ts'
import type { Changes } from './feed.ts'

const NAME = { type: 'string', pattern: '^[a-z0-9-]{1,40}$', default: 'main', description: '订阅名称：每份副本一个，重启后不变 · name of the subscription: one for each copy, the same after a restart' }
const CURSOR = { type: 'string', maxLength: 200, description: '游标 · cursor' }

/** `GET /v1/credit/changes`, `POST /v1/credit/changes/ack` and `/v1/credit/subscribers`. */
export function changesRoutes(changes: Changes, store: Store, region: Region): (app: FastifyInstance) => void {
  return (app) => {
    app.get<{ Querystring: { after?: string; name: string } }>('/v1/credit/changes', { config: { access: { roles: LOOKING }, documented: CHANGES }, schema: CHANGES_SCHEMA, exposeHeadRoute: false }, (request, reply) => {
      const last = request.headers['last-event-id']
      return changes.live(request, reply, viewerOf(request.caller!, region), request.query.name, typeof last === 'string' && last !== '' ? last : request.query.after)
    })
    app.post<{ Body: { cursor: string; name: string } }>('/v1/credit/changes/ack', { config: { access: { roles: LOOKING }, documented: ACK }, schema: ACK_SCHEMA }, async ({ caller, body: { cursor, name } }, reply) => {
      await changes.acknowledge(caller!.id, name, cursor)
      return reply.code(204).send()
    })
    app.get('/v1/credit/subscribers', { config: { access: { roles: ['operator'] }, documented: SUBSCRIBERS }, schema: SUBSCRIBERS_SCHEMA }, async () => ({
      subscribers: (await changes.subscribers()).map(({ caller, name, connected, firstSeen, lastSeen, acknowledgedAt, records, since, complete }) => ({
        caller, name, connected, firstSeen: firstSeen.toISOString(), lastSeen: lastSeen.toISOString(), acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
        notStopped: { records, since: since === undefined ? null : instantText(since), complete },
      })),
    }))
    app.delete<{ Querystring: { caller: string; name: string } }>('/v1/credit/subscribers', { config: { access: { roles: ['operator'] }, documented: FORGET }, schema: FORGET_SCHEMA }, async ({ query: { caller, name } }, reply) => {
      if (!await store.forget(caller, name)) throw new Problem(404, 'SUBSCRIBER_UNKNOWN', '没有这个订阅 · no such subscriber')
      return reply.code(204).send()
    })
  }
}

const CURSOR_EXAMPLE = '5f0c2a91.1a.4.9.2f.3.1.8.8.2.1.1.7'
const EVENT_EXAMPLE = `id: ${CURSOR_EXAMPLE}\nevent: stop-using\ndata: ${JSON.stringify({ recordId: 'js-credit/4711', region: REGIONS[1], takenAt: '2026-03-15T02:00:00.120Z' })}\n\n`
const LOADING = problemAnswer('正在读取，或数据库无应答 · still reading, or the database does not answer', 'LOOKUP_LOADING', 'DEPENDENCY_DOWN')

const CHANGES_SCHEMA = {
  operationId: 'followCredit',
  summary: '订阅变更 · follow what changes',
  description: '供自存副本的系统使用。put：一条现行列入或处罚；stop-using：立即停用该 recordId（已移出、修复、作废、屏蔽、停止公示；可能是您从未有过的）。每条事件的 id 即游标，用 Last-Event-ID 或 after 续读，任一实例均可；'
    + '同一事件可能重复。记录中的 until、publicUntil 届满之日由使用方自行停用。停用后用 POST /v1/credit/changes/ack 确认。410：重新查询所保存的代码（批量答复首行有游标）。'
    + ' · For systems that keep a copy. put: a listing or penalty in force; stop-using: stop using this recordId at once (removed, repaired, void, shielded, no longer public; you may never have had it). The id of each event'
    + ' is its cursor: resume with Last-Event-ID or after, at any instance; an event may come twice. The day after until or publicUntil the copy stops by itself. Acknowledge with POST /v1/credit/changes/ack. 410: ask for your codes again; the first line of a batch has the cursor.',
  tags: ['changes'],
  querystring: { type: 'object', additionalProperties: false, properties: { after: { ...CURSOR, description: '游标；省略为从现在起 · a cursor; left out = from now on' }, name: NAME } },
}
const CHANGES: Documented = {
  response: {
    200: {
      description: '持续的事件流 · a stream of events',
      content: { 'text/event-stream': { schema: { type: 'string', description: 'id: 游标；event: put、stop-using 或 heartbeat · id: the cursor; event: put, stop-using or heartbeat' }, example: EVENT_EXAMPLE } },
    },
    400: problemAnswer('参数或游标有误，或名称过多 · a parameter or the cursor is wrong, or too many names', 'CURSOR_INVALID', 'TOO_MANY_SUBSCRIBERS'),
    410: problemAnswer('此后的变更已不完整 · no longer complete after this cursor', 'CURSOR_GONE'),
    429: problemAnswer('同时读取的连接过多 · too many live readers', 'TOO_MANY_READERS'),
    503: LOADING,
  },
}
const ACK_SCHEMA = {
  operationId: 'acknowledgeCredit',
  summary: '确认已停用 · acknowledge what was stopped',
  description: '到此游标为止的 stop-using 均已停用。按游标累计，重复无害。 · Everything told to be stopped up to this cursor is used no more. Cumulative; saying it twice does no harm.',
  tags: ['changes'],
  body: { type: 'object', additionalProperties: false, required: ['cursor'], properties: { cursor: CURSOR, name: NAME } },
}
const ACK: Documented = {
  body: { content: { 'application/json': { schema: { type: 'object', required: ['cursor'], properties: { cursor: { type: 'string' }, name: { type: 'string' } } }, example: { cursor: CURSOR_EXAMPLE, name: 'main' } } } },
  response: {
    204: { description: '已记下 · noted', type: 'null' },
    400: problemAnswer('游标有误或超出末尾 · the cursor is wrong, or beyond the end', 'CURSOR_INVALID', 'CURSOR_AHEAD'),
    404: problemAnswer('没有这个订阅 · no such subscriber', 'SUBSCRIBER_UNKNOWN'),
    410: problemAnswer('主题已重建 · the logs were created anew', 'CURSOR_GONE'),
    503: LOADING,
  },
}
const SUBSCRIBERS_SCHEMA = {
  operationId: 'readCreditSubscribers',
  summary: '谁还没有停用 · who has not stopped yet',
  description: 'notStopped：已告知停用而尚未确认的记录数，及其中最早的时间。complete 为 false 时所确认之处已太久远，可能更多、更早。 · notStopped: records it was told to stop using and has not acknowledged, and since when the oldest. Where complete is false what it acknowledged is too long ago: there may be more, and longer.',
  tags: ['changes'],
}
const SUBSCRIBERS: Documented = {
  response: {
    200: {
      description: '各订阅 · the subscribers',
      content: { 'application/json': {
        schema: { type: 'object', required: ['subscribers'], properties: { subscribers: { type: 'array', items: { type: 'object', required: ['caller', 'name', 'connected', 'firstSeen', 'lastSeen', 'acknowledgedAt', 'notStopped'], properties: {
          caller: { type: 'string' }, name: { type: 'string' }, connected: { type: 'boolean', description: '现连于本实例 · connected to this instance' }, firstSeen: { type: 'string', format: 'date-time' }, lastSeen: { type: 'string', format: 'date-time' }, acknowledgedAt: { type: ['string', 'null'], format: 'date-time' },
          notStopped: { type: 'object', required: ['records', 'since', 'complete'], properties: { records: { type: 'integer' }, since: { type: ['string', 'null'], format: 'date-time' }, complete: { type: 'boolean' } } },
        } } } } },
        example: { subscribers: [{ caller: 'js-permits', name: 'main', connected: true, firstSeen: '2026-03-01T01:00:00.000Z', lastSeen: '2026-03-15T02:00:30.000Z', acknowledgedAt: '2026-03-15T01:58:00.000Z', notStopped: { records: 1, since: '2026-03-15T02:00:00.120Z', complete: true } }] },
      } },
    },
    503: LOADING,
  },
}
const FORGET_SCHEMA = {
  operationId: 'forgetCreditSubscriber',
  summary: '删除一个订阅 · forget a subscriber',
  description: '该副本已不再使用时。 · When its copy is no longer used.',
  tags: ['changes'],
  querystring: { type: 'object', additionalProperties: false, required: ['caller', 'name'], properties: { caller: { type: 'string', maxLength: 100, description: '调用方 · caller' }, name: { type: 'string', maxLength: 40, description: '订阅名称 · name' } } },
}
const FORGET: Documented = {
  response: { 204: { description: '已删除 · forgotten', type: 'null' }, 404: problemAnswer('没有这个订阅 · no such subscriber', 'SUBSCRIBER_UNKNOWN'), 503: LOADING },
}
