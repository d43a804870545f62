import { within } from '@hub/runtime/deadline'
import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import { containsIdentity } from '@hub/schemas/identity'
import { dateText, toJson } from '@hub/schemas/record-json'
import { shanghaiDay } from '@hub/schemas/read-time'
import { DATA_STREAMS, type DataStream } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { erase, type Erasing } from '../erasure/erase.ts'
import { readArchive } from '../erasure/store.ts'
import { ARCHIVE_EXAMPLE, ERASURE_EXAMPLE } from '../openapi/ended.ts'
import { decodeBody } from '../read/record-view.ts'
import { fromReplica, REPLICA_DOWN } from '../read/replica.ts'

const MAX_BODY_BYTES = 4 * 1024
const DEADLINE_MS = 10_000
/** Versions of one record in one answer, the newest; more is a record that was touched every hour. */
const MOST_VERSIONS = 200
/** `max.compaction.lag.ms` of the data topics (infra/topics.yaml), and as long again for the cleaner to come by. */
const LOG_FORGETS_MS = 2 * 72 * 3_600_000

interface Erase {
  Params: { stream: DataStream }
  Body: { recordId: string; why: string }
}

/** What becomes of records after their end: `POST /v1/streams/{stream}/erasures`, and `GET /v1/streams/{stream}/archive` for what the origin alone keeps. */
export function endedRoutes(erasing: Erasing): (app: FastifyInstance) => void {
  const { db, codec, preparing: { region } } = erasing
  return (app) => {
    app.post<Erase>('/v1/streams/:stream/erasures', { config: { access: { roles: ['officer', 'operator'] }, documented: ERASED }, schema: ERASE, bodyLimit: MAX_BODY_BYTES }, async ({ params: { stream }, body: { recordId, why }, caller, log }, reply) => {
      if (containsIdentity(why, dateText(shanghaiDay(Date.now())))) throw new Problem(400, 'WHY_PERSONAL', '原因中不得有证件号码 · the reason must not hold a person\'s number', 'Say why without naming the person: a file number will do.')
      const { erasure: { at, ...erasure }, duplicate } = await fromReplica(within(erase(erasing, stream, { recordId, why, caller: caller!.id }), DEADLINE_MS))
      if (!duplicate) log.info({ stream, caller: caller!.id, eventId: erasure.eventId }, 'record erased')
      return reply.code(duplicate ? 200 : 201).send({ region, stream, ...erasure, version: String(erasure.version), at, logForgetsBy: new Date(at.getTime() + LOG_FORGETS_MS), duplicate })
    })
    app.get<{ Params: { stream: DataStream }; Querystring: { recordId: string } }>('/v1/streams/:stream/archive', { config: { access: { roles: ['officer'] }, documented: ARCHIVED }, schema: ARCHIVE }, async ({ params: { stream }, query: { recordId } }) => {
      const rows = await fromReplica(readArchive(db, stream, recordId, MOST_VERSIONS))
      const versions = await Promise.all(rows.map(async ({ body, version, ...row }) => {
        const { contract, record } = await decodeBody(codec, body)
        return { version: String(version), ...row, body: toJson(contract, record) }
      }))
      return { region, stream, recordId, versions }
    })
  }
}

const STREAM = { type: 'object', required: ['stream'], properties: { stream: { type: 'string', enum: DATA_STREAMS, description: '数据流 · stream' } } }
const RECORD_ID = { type: 'string', minLength: 3, maxLength: 128, pattern: '^[^/\\s]+/\\S+$', description: '记录编号 · record id' }

const ERASE = {
  operationId: 'eraseRecord',
  summary: '清除记录（个人信息） · erase a record of this region',
  description: '仅限本地区发布的记录。四地副本只留标识、日期，投诉另留统计字段；历史、存档和本网关记住的内容一并清除。日志在 logForgetsBy 之前压缩掉旧内容。写入审计；重复调用返回第一次的结果。之后只有 kind 为 restored 的事件能恢复该记录。'
    + ' · Of a record that this region published. In all four replicas identity and date stay, of a complaint what statistics need too; history, archive and what this gateway remembers of its content go. The log has compacted the earlier versions away by `logForgetsBy`. Audited; the same again answers with the first erasure. Only an event of kind `restored` brings the record back. Files that an office keeps itself, and backups, are for those who keep them.',
  tags: ['operate'],
  params: STREAM,
  body: {
    type: 'object', required: ['recordId', 'why'], additionalProperties: false,
    properties: { recordId: RECORD_ID, why: { type: 'string', minLength: 3, maxLength: 500, pattern: '\\S', description: '为何清除，写入审计；不得含个人信息 · why; stands in the audit, and names no person' } },
  },
}
const ARCHIVE = {
  operationId: 'readArchive',
  summary: '已终结记录的早期版本 · earlier versions of a record that has ended',
  description: `仅来源地保存，供其业务人员查阅：本地区已终结记录的全部早期版本，新的在前，至多 ${MOST_VERSIONS} 个；保存期限见 HUB_ARCHIVE_MONTHS。已清除的记录没有。 · Kept by the origin alone, for its officers: what records of this region were before they ended, the newest first, at most ${MOST_VERSIONS}, for HUB_ARCHIVE_MONTHS. Nothing of what was erased.`,
  tags: ['read'],
  params: STREAM,
  querystring: { type: 'object', required: ['recordId'], additionalProperties: false, properties: { recordId: RECORD_ID } },
}

const ERASURE = { 'application/json': { schema: { $ref: 'Erasure#' }, example: ERASURE_EXAMPLE } }
const ERASED: Documented = {
  response: {
    201: { description: '已清除，四地副本随即生效 · erased; the replicas follow', content: ERASURE },
    200: { description: '此前已清除 · it was erased before', content: { 'application/json': { schema: { $ref: 'Erasure#' }, example: { ...ERASURE_EXAMPLE, duplicate: true } } } },
    400: problemAnswer('请求有误 · the request is wrong', 'WHY_PERSONAL'),
    404: problemAnswer('未发布过 · never published here', 'RECORD_UNKNOWN'),
    503: problemAnswer('暂不能清除，按 Retry-After 重试 · not now: try again after Retry-After seconds', 'RECORD_ON_ITS_WAY', 'REPLICA_MISSING'),
  },
}
const ARCHIVED: Documented = { response: { 200: { description: '早期版本，可为空 · earlier versions; none where there are none', content: { 'application/json': { schema: { $ref: 'Archive#' }, example: ARCHIVE_EXAMPLE } } }, 503: REPLICA_DOWN } }
