import type { Db } from '@hub/runtime/db'
import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import type { FastifyInstance } from 'fastify'
import { PARKED_EXAMPLE } from '../openapi.ts'
import { fromReplica, REPLICA_DOWN } from '../replica.ts'
import { readParked, type ParkedEntry } from '../store.ts'

const MAX_PAGE = 1_000
const DEFAULT_PAGE = 100
const MAX_BIGINT = 2n ** 63n - 1n

interface Input {
  Querystring: { after?: string; limit?: number }
}

/** `GET /v1/parked`: events that this region's replica set aside, in the order of the logs; their bytes stay there. */
export function parkedRoutes(db: Db): (app: FastifyInstance) => void {
  return (app) => {
    app.get<Input>('/v1/parked', { config: { access: { roles: ['operator'] }, documented: DOCUMENTED }, schema: SCHEMA }, async ({ query: { after, limit = DEFAULT_PAGE } }) => {
      const entries = await fromReplica(readParked(db, after === undefined ? undefined : placeOf(after), limit + 1))
      const page = entries.slice(0, limit)
      const last = page.at(-1)
      return {
        parked: page.map(({ offset, buriedBy, ...entry }) => ({ ...entry, offset: String(offset), buriedBy: buriedBy === null ? null : String(buriedBy) })),
        next: entries.length > limit && last !== undefined ? cursorOf(last) : null,
      }
    })
  }
}

function cursorOf({ topic, partition, offset }: ParkedEntry): string {
  return `${topic}/${partition}/${offset}`
}

function placeOf(cursor: string): { topic: string; partition: number; offset: bigint } {
  const [, topic, partition, offset] = /^([\w.-]{1,249})\/(\d{1,9})\/(\d{1,19})$/.exec(cursor) ?? []
  if (topic === undefined || BigInt(offset!) > MAX_BIGINT) throw new Problem(400, 'CURSOR_INVALID', '游标不对 · the cursor is not valid', 'Use `next` of the page before as it is.')
  return { topic, partition: Number(partition), offset: BigInt(offset!) }
}

const SCHEMA = {
  operationId: 'listParked',
  summary: '搁置的事件 · parked events',
  tags: ['operate'],
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      after: { type: 'string', maxLength: 300, description: '上一页的 next · `next` of the page before' },
      limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE, description: '每页条数 · entries of a page' },
    },
  },
}

const DOCUMENTED: Documented = {
  response: { 200: { description: '一页 · one page', content: { 'application/json': { schema: { $ref: 'Parked#' }, example: PARKED_EXAMPLE } } }, 400: problemAnswer('请求有误 · the request is wrong', 'CURSOR_INVALID'), 503: REPLICA_DOWN },
}
