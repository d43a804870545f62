import type { Codec } from '@hub/runtime/codec'
import type { Db } from '@hub/runtime/db'
import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import { partitionOf } from '@hub/schemas/partition'
import { DATA_STREAMS, PARTITIONS, REGIONS, topicName, type DataStream, type Region } from '@hub/schemas/streams'
import { TABLES } from '@hub/schemas/tables'
import { isInvolved, type Viewer } from '@hub/schemas/visibility'
import type { FastifyInstance } from 'fastify'
import { parseAsOf, placesToRead, tooOld, vectorText, type AsOf, type PartitionHere, type Place } from '../read/as-of.ts'
import { createCursors } from '../read/list-cursor.ts'
import { checkCombination, checkParameters, filterParameters, parseFilters } from '../read/list-query.ts'
import { RECORD_EXAMPLE } from '../openapi/records.ts'
import { listRecords, readPartitions, readRecords, readRecordsAsOf, readVectors } from '../read/record-store.ts'
import { metaOf, viewCurrent, viewEarlier } from '../read/record-view.ts'
import { fromReplica, REPLICA_DOWN } from '../read/replica.ts'
import { knownSources } from '../sources/overview.ts'
import { LOOKING, viewerOf } from '../read/viewer.ts'

const DEFAULT_PAGE = 100
const MAX_PAGE = 1_000
const MAX_AS_OF = 8_000

/** What was shared then and no longer is stays out of every answer, whoever asks. */
const NOTE = {
  zh: '不含此后停止共享的记录：已终结的、已停止公示的，以及您现在不可见的。',
  en: 'Records that are no longer shared are not included: those that have ended, whose publication has ended, or that you may not see now.',
}

export interface RecordRoutes {
  readonly db: Db
  readonly codec: Codec
  readonly region: Region
  readonly topicPrefix: string
  /** What the cursors of lists are made unreadable with; the same for all gateways of a region. */
  readonly cursorSecret: string
}

interface Input {
  Params: { stream: DataStream }
  Querystring: { recordId?: string; asOf?: string; after?: string; limit?: number } & Record<string, unknown>
}

/** `GET /v1/streams/{stream}/records`: one record, now or as of an earlier position, or a page of a list. */
export function recordRoutes({ db, codec, region, topicPrefix, cursorSecret }: RecordRoutes): (app: FastifyInstance) => void {
  const cursors = createCursors(cursorSecret)
  const sources = knownSources(db)
  return (app) => {
    app.get<Input>('/v1/streams/:stream/records', {
      config: { access: { roles: LOOKING }, documented: DOCUMENTED },
      schema: RECORDS_SCHEMA,
      preValidation: (request, _reply, done) => {
        try {
          checkParameters(request.params.stream, request.query)
          done()
        } catch (error) {
          done(error as Error)
        }
      },
    }, async (request) => {
      const { params: { stream }, query } = request
      const viewer = viewerOf(request.caller!, region)
      checkCombination(query)
      if (query.recordId === undefined) return list(stream, query, viewer)
      if (query.asOf === undefined) return readNow(stream, query.recordId, viewer)
      return readThen(stream, query.recordId, parseAsOf(query.asOf, Date.now()), viewer)
    })
  }

  async function readNow(stream: DataStream, recordId: string, viewer: Viewer): Promise<object> {
    const { head, rows } = await fromReplica(readRecords(db, stream, TABLES[stream].table, partitionOf(recordId, PARTITIONS[stream]), recordId, REGIONS))
    return { meta: metaOf(head, region, topicPrefix, await sources()), records: await viewCurrent(codec, rows, viewer, region) }
  }

  async function readThen(stream: DataStream, recordId: string, asOf: AsOf, viewer: Viewer): Promise<object> {
    const partition = partitionOf(recordId, PARTITIONS[stream])
    const names = REGIONS.map((origin) => `${topicName(origin, stream)}/${partition}`).sort()
    const { vector, at, here } = await fromReplica(resolve(asOf, REGIONS.map((origin) => topicName(origin, stream, topicPrefix)), partition))
    const places = placesToRead(vector, here, names)
    const { head, rows } = await fromReplica(readRecordsAsOf(db, stream, TABLES[stream].table, partition, recordId, places.map(({ here, offset }) => ({ region: here.region, offset }))))
    const used = vectorText(places.map(({ here: { name, generation }, offset }) => [name, { generation, offset }]))
    return { meta: { ...metaOf(head, region, topicPrefix, await sources()), asOf: at?.toISOString() ?? null, position: used, note: NOTE }, records: await viewEarlier(codec, rows, viewer, region) }
  }

  /** The vector that `asOf` means, with the time of one that this replica wrote down, and what is known here of the partitions. */
  async function resolve(asOf: AsOf, topics: readonly string[], partition: number): Promise<{ vector: ReadonlyMap<string, Place>; at: Date | undefined; here: PartitionHere[] }> {
    const instant = 'instant' in asOf ? asOf.instant : undefined
    // What is kept is looked at last, so that nothing can be forgotten after it was found to be here.
    const partitions = await readPartitions(db, topics, partition)
    const { found, oldest, forgotten } = await readVectors(db, instant)
    const here = partitions.map((one): PartitionHere => {
      const kept = forgotten ? oldest?.vector[`${one.topic}/${partition}`]?.[1] : undefined
      return { ...one, name: `${one.topic.slice(topicPrefix.length)}/${partition}`, keptFrom: kept === undefined ? undefined : BigInt(kept) }
    })
    if ('vector' in asOf) return { vector: asOf.vector, at: undefined, here }
    if (found === undefined) throw tooOld(oldest === undefined ? 'Nothing is written down yet: it is once a minute.' : `The earliest time is ${oldest.at.toISOString()}.`)
    const own = topics.flatMap((topic): [string, Place][] => {
      const place = found.vector[`${topic}/${partition}`]
      return place === undefined ? [] : [[`${topic.slice(topicPrefix.length)}/${partition}`, { generation: place[0].slice(0, 8), offset: BigInt(place[1]) }]]
    })
    return { vector: new Map(own), at: found.at, here }
  }

  async function list(stream: DataStream, query: Input['Querystring'], viewer: Viewer): Promise<object> {
    const { conditions, party, bound } = parseFilters(stream, query)
    const after = query.after === undefined ? undefined : cursors.open(query.after, bound)
    if (query.after !== undefined && after === undefined) {
      throw new Problem(400, 'CURSOR_INVALID', '游标不对 · the cursor is not valid', 'Use `next` of the page before as it is, with the same filters.')
    }
    const { head, rows, next } = await fromReplica(listRecords(db, stream, TABLES[stream].table, conditions, after, query.limit ?? DEFAULT_PAGE))
    const keep = party === undefined ? undefined : (record: Record<string, unknown>) => isInvolved(record, party.region, party.role)
    return { meta: metaOf(head, region, topicPrefix, await sources()), records: await viewCurrent(codec, rows, viewer, region, keep), next: next === null ? null : cursors.seal(next, bound) }
  }
}

/** What the route takes, as OpenAPI tells it and as it is checked. */
export const RECORDS_SCHEMA = {
  operationId: 'readRecords',
  summary: '读取记录 · read records',
  description: [
    '带 recordId：该编号的当前版本，或 asOf 时的版本。不带：按条件列出当前版本，按发布地区和记录编号排序，每页看过的行数有限，因此一页可能不满甚至为空；只要 next 不为空就还有。每个条件适用的数据流见其说明；…From 含当日，…To 不含当日。',
    'With recordId: the current version of that id, or the one as of asOf. Without: the current versions that agree with all filters, by region and record id. A page looks at a limited number of rows, so it may be short or empty: there is more as long as next is not null. Each filter says for which streams it is; …From includes the day, …To does not.',
  ].join('\n\n'),
  tags: ['read'],
  params: { type: 'object', required: ['stream'], properties: { stream: { type: 'string', enum: DATA_STREAMS, description: '数据流 · stream' } } },
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      recordId: { type: 'string', minLength: 3, maxLength: 200, pattern: '^[^\\u0000-\\u001f]*$', description: '记录编号：来源系统/编号 · record id: source system/number' },
      asOf: {
        type: 'string', minLength: 1, maxLength: MAX_AS_OF,
        description: '与 recordId 同用：时间（RFC 3339），或 GET /v1/position 所给形式的位置，至少含该记录的分区 · with recordId: a time (RFC 3339), or positions in the form of GET /v1/position, at least that of the record\'s partition',
      },
      after: { type: 'string', maxLength: 400, pattern: '^[\\w-]+$', description: '列表：上一页的 next · of a list: `next` of the page before' },
      limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE, description: `列表：每页至多，默认 ${DEFAULT_PAGE} · of a list: at most so many a page, ${DEFAULT_PAGE} by default` },
      ...filterParameters(),
    },
  },
}

const DOCUMENTED: Documented = {
  response: {
    200: {
      description: '您可见的版本；没有则为空 · the versions that you may see; empty when there is none',
      content: { 'application/json': { schema: { $ref: 'Records#' }, example: RECORD_EXAMPLE } },
    },
    400: problemAnswer('请求有误 · the request is wrong', 'PARAMETER_UNKNOWN', 'PARAMETER_CONFLICT', 'CURSOR_INVALID', 'ASOF_INVALID', 'ASOF_FUTURE', 'ASOF_PARTITION_MISSING'),
    410: problemAnswer('此位置已不可读 · this position cannot be read any more', 'ASOF_TOO_OLD', 'ASOF_INCOMPLETE', 'ASOF_OTHER_GENERATION'),
    503: REPLICA_DOWN,
  },
}
