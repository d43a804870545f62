import type { Db } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import type { FastifyInstance } from 'fastify'
import { REDRIVE_EXAMPLE } from '../openapi/parked.ts'
import { findParked, findRedrive, requestRedrive, type RedriveState } from '../parked/store.ts'
import { fromReplica, REPLICA_DOWN } from '../read/replica.ts'
import { notParked } from './parked.ts'

const MAX_BODY_BYTES = 4 * 1024
/** Requests that may wait. */
const MOST_WAITING = 100
const DEADLINE_MS = 10_000

interface Input {
  Body: { topic?: string; partition?: number; offset?: string; reason?: string; why: string }
}

/** `POST /v1/parked/redrives`: parked events are to be read again, by the release that applies now. `GET …/{id}`: what came of it. */
export function redriveRoutes(db: Db): (app: FastifyInstance) => void {
  return (app) => {
    app.post<Input>('/v1/parked/redrives', { config: { access: { roles: ['operator'] }, documented: ASK }, schema: ASK_SCHEMA, bodyLimit: MAX_BODY_BYTES }, async ({ body, caller }, reply) => {
      const { topic = null, partition = null, offset = null, reason = null, why } = body
      if (offset !== null) {
        const found = await fromReplica(findParked(db, { topic: topic!, partition: partition!, offset: BigInt(offset) }))
        if (found === undefined || found.redriven !== null) throw notParked()
      }
      const id = await within(fromReplica(requestRedrive(db, { topic, partition, offset: offset === null ? null : BigInt(offset), reason, who: caller!.id, why }, MOST_WAITING)), DEADLINE_MS)
      if (id === undefined) throw new Problem(429, 'TOO_MANY_REDRIVES', '等待重新处理的请求过多 · too many redrives wait', `At most ${MOST_WAITING}: wait until they are done, and ask for many events at once by topic or reason.`, { retryAfterSeconds: 10 })
      return reply.code(202).send(answer((await fromReplica(findRedrive(db, id)))!))
    })
    app.get<{ Params: { id: string } }>('/v1/parked/redrives/:id', { config: { access: { roles: ['operator'] }, documented: LOOK }, schema: LOOK_SCHEMA }, async ({ params: { id } }) => {
      const found = await fromReplica(findRedrive(db, id))
      if (found === undefined) throw new Problem(404, 'REDRIVE_UNKNOWN', '没有此请求，或已超过 90 天 · no such redrive, or longer ago than 90 days', 'Use the id that POST /v1/parked/redrives answered with; the audit keeps every act.')
      return answer(found)
    })
  }
}

function answer({ offset, finishedAt, ...state }: RedriveState): object {
  return { ...state, offset: offset === null ? null : String(offset), finishedAt, state: finishedAt === null ? 'waiting' : 'done' }
}

const ASK_SCHEMA = {
  operationId: 'redriveParked',
  summary: '软件修正后重新处理搁置的事件 · read parked events again after a software fix',
  description: '由正在应用的进程以当前版本重新读取日志中的原始内容，在其原位置处理；仍然无法读取的继续搁置。可指定一个事件，或按主题、分区、原因指定多个。写入审计。'
    + ' · The process that applies reads the bytes on the log again with its release and does what they say at their own place; what is still bad stays parked. One event, or many by topic, partition, reason. Audited with who and why.',
  tags: ['operate'],
  body: {
    type: 'object', required: ['why'], additionalProperties: false,
    anyOf: [{ required: ['topic', 'partition', 'offset'] }, { required: ['topic'], not: { required: ['offset'] } }, { required: ['reason'], not: { anyOf: [{ required: ['offset'] }, { required: ['partition'] }] } }],
    properties: {
      topic: { type: 'string', minLength: 1, maxLength: 249, description: '主题 · topic' },
      partition: { type: 'integer', minimum: 0, maximum: 9_999, description: '分区 · partition' },
      offset: { type: 'string', pattern: '^\\d{1,18}$', description: '偏移；不写则为全部 · offset; without it all of them' },
      reason: { type: 'string', minLength: 1, maxLength: 60, description: '搁置原因 · why they were parked' },
      why: { type: 'string', minLength: 3, maxLength: 500, pattern: '\\S', description: '为何重新处理，写入审计 · why; stands in the audit' },
    },
  },
}

const REDRIVE = { 'application/json': { schema: { $ref: 'Redrive#' }, example: REDRIVE_EXAMPLE } }

const ASK: Documented = {
  response: {
    202: { description: '已登记 · noted', content: REDRIVE },
    404: problemAnswer('没有 · there is none', 'PARKED_UNKNOWN'),
    429: problemAnswer('过多 · too many', 'TOO_MANY_REDRIVES'),
    503: REPLICA_DOWN,
  },
}

const LOOK_SCHEMA = {
  operationId: 'readRedrive',
  summary: '重新处理的结果 · what came of a redrive',
  description: 'redriven 按处理后的类别计数；parked：仍无法读取；gone：日志已压缩，请来源地重新发布。 · `redriven` counts by class; parked: still bad; gone: compaction took the bytes, the origin publishes again.',
  tags: ['operate'],
  params: { type: 'object', required: ['id'], additionalProperties: false, properties: { id: { type: 'string', pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$', description: '请求编号 · id of the request' } } },
}

const LOOK: Documented = {
  response: { 200: { description: '请求及其结果 · the request and what came of it', content: REDRIVE }, 404: problemAnswer('没有此请求 · no such request', 'REDRIVE_UNKNOWN'), 503: REPLICA_DOWN },
}
