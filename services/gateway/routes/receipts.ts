import type { Db } from '@hub/runtime/db'
import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import { REGIONS } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { allows } from '../callers.ts'
import { RECEIPT_EXAMPLE } from '../openapi/document.ts'
import { receiptOf, type Passed } from '../read/receipt.ts'
import { fromReplica, REPLICA_DOWN } from '../read/replica.ts'
import { findPublished, readArrivals, type PublishedEvent } from '../read/receipt-store.ts'

/** `GET /v1/receipts/{eventId}`: where an event that this region published stands, and which regions have it. */
export function receiptRoutes(db: Db, topicPrefix: string): (app: FastifyInstance) => void {
  return (app) => {
    app.get<{ Params: { eventId: string } }>('/v1/receipts/:eventId', { config: { access: { roles: ['publisher', 'reader', 'operator'] }, documented: DOCUMENTED }, schema: SCHEMA }, async (request) => {
      const { eventId } = request.params
      const caller = request.caller!
      const event = await fromReplica(findPublished(db, eventId))
      const seesAll = caller.roles.includes('reader') || caller.roles.includes('operator')
      if (event === undefined || !(seesAll || allows(caller.sources, sourceOf(event.recordId)))) {
        throw new Problem(404, 'RECEIPT_UNKNOWN', '本地区没有发布过此事件 · this region has not published this event', 'Ask the gateway of the region that published it, with the event id of its verdict.')
      }
      return receiptOf(eventId, event, await passed(db, event, event.offset), await passed(db, event, event.next?.offset ?? null), topicPrefix)
    })
  }
}

async function passed(db: Db, { topic, partition }: PublishedEvent, offset: bigint | null): Promise<Passed> {
  return new Map(offset === null ? [] : (await fromReplica(readArrivals(db, topic, partition, offset))).map((arrival) => [arrival.region, arrival]))
}

function sourceOf(recordId: string): string {
  return recordId.slice(0, recordId.indexOf('/'))
}

const SCHEMA = {
  operationId: 'readReceipt',
  summary: '事件回执 · receipt of an event',
  description: `waiting：尚未到达；arrived：该地区副本已处理到此事件；superseded：也已处理到该记录的下一版本；parked：该地区搁置，附原因。`
    + ` · waiting: not there yet; arrived: that region's replica is past the event; superseded: it is past the record's next version too; parked: set aside there, with the reason. Regions: ${REGIONS.join(', ')}.`,
  tags: ['publish'],
  params: { type: 'object', required: ['eventId'], properties: { eventId: { type: 'string', pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$', description: '事件编号 · event id' } } },
}

const DOCUMENTED: Documented = {
  response: {
    200: { description: '回执 · the receipt', content: { 'application/json': { schema: { $ref: 'Receipt#' }, example: RECEIPT_EXAMPLE } } },
    404: problemAnswer('本地区没有发布过此事件 · this region has not published this event', 'RECEIPT_UNKNOWN'),
    503: REPLICA_DOWN,
  },
}
