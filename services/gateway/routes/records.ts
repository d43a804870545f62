import type { Codec } from '@hub/runtime/codec'
import type { Db } from '@hub/runtime/db'
import type { Documented } from '@hub/runtime/http'
import { HubError } from '@hub/runtime/errors'
import { contractByName } from '@hub/schemas/contracts'
import { toJson } from '@hub/schemas/record-json'
import { DATA_STREAMS, REGIONS, type DataStream, type Region } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'
import type { FastifyInstance } from 'fastify'
import { RECORD_EXAMPLE } from '../openapi.ts'
import { fromReplica } from '../replica.ts'
import { readRecords } from '../store.ts'
import { isServed } from '../visibility.ts'

interface Input {
  Params: { stream: DataStream }
  Querystring: { recordId: string }
}

/** `GET /v1/streams/{stream}/records?recordId=`: the current version of a record, in each region that has one of this id (normally one). */
export function recordRoutes(db: Db, codec: Codec, region: Region): (app: FastifyInstance) => void {
  return (app) => {
    app.get<Input>('/v1/streams/:stream/records', { config: { access: { roles: ['reader'] }, documented: DOCUMENTED }, schema: SCHEMA }, async (request) => {
      const { params: { stream }, query: { recordId } } = request
      const rows = await fromReplica(readRecords(db, TABLES[stream].table, recordId, REGIONS))
      const records = await Promise.all(rows.map(async ({ body, ...row }) => ({ ...row, version: String(row.version), offset: String(row.offset), body: await decode(codec, body) })))
      return { records: records.filter((record) => record.ended || isServed(stream, record.region, record.body, region)) }
    })
  }
}

async function decode(codec: Codec, wire: Buffer): Promise<Record<string, unknown>> {
  for (;;) {
    const decoded = codec.decode(wire)
    if (decoded.ok) return toJson(contractByName(decoded.fullName)!, decoded.record)
    if (decoded.reason !== undefined) throw new HubError('ROW_UNDECODABLE', `a current row does not decode: ${decoded.reason}`)
    await decoded.pending
  }
}

const SCHEMA = {
  operationId: 'readRecord',
  summary: '读取记录的当前版本 · read the current version of a record',
  tags: ['read'],
  params: { type: 'object', required: ['stream'], properties: { stream: { type: 'string', enum: DATA_STREAMS, description: '数据流 · stream' } } },
  querystring: {
    type: 'object',
    required: ['recordId'],
    additionalProperties: false,
    properties: { recordId: { type: 'string', minLength: 3, maxLength: 200, pattern: '^[^\\u0000-\\u001f]*$', description: '记录编号：来源系统/编号 · record id: source system/number' } },
  },
}

const DOCUMENTED: Documented = {
  response: {
    200: {
      description: '各地区此编号的当前版本；没有则为空 · the current version in each region that has this id; empty when none has',
      content: { 'application/json': { schema: { $ref: 'Records#' }, example: RECORD_EXAMPLE } },
    },
  },
}
