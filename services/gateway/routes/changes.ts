import { Problem, problemAnswer, type Documented } from '@hub/runtime/http'
import { DATA_STREAMS, REGIONS, type DataStream, type Region } from '@hub/schemas/streams'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Feed } from '../feed/feed.ts'
import { cursorText } from '../feed/cursor.ts'
import { PARTY_ROLES, type PartyRole, type Selection } from '../feed/selection.ts'
import { CHANGES_EXAMPLE, EVENTS_EXAMPLE, SNAPSHOT_EXAMPLE } from '../openapi/feed.ts'
import { REPLICA_DOWN } from '../read/replica.ts'
import { LOOKING, viewerOf } from '../read/viewer.ts'

const MAX_PAGE = 1_000
const DEFAULT_PAGE = 500

interface Filters { region?: Region; involves?: Region; role?: PartyRole }
interface ChangesInput {
  Params: { stream: DataStream }
  Querystring: Filters & { after?: string; limit?: number }
}
interface SnapshotInput {
  Params: { stream: DataStream }
  Querystring: Filters
}

/** `GET /v1/streams/{stream}/changes` and `…/snapshot`: how others keep a copy of what they may see. */
export function changeRoutes(feed: Feed, region: Region): (app: FastifyInstance) => void {
  const selectionOf = ({ params: { stream }, query, caller }: FastifyRequest<SnapshotInput>): Selection => {
    const { region: origin, involves, role } = query
    if (stream !== 'inspection-failure' && (involves !== undefined || role !== undefined)) {
      throw new Problem(400, 'FILTER_UNKNOWN', '此数据流没有这个筛选条件 · this stream has no such filter', 'involves and role are of inspection-failure.')
    }
    return { stream, viewer: viewerOf(caller!, region), region: origin, involves, role }
  }
  return (app) => {
    const config = { access: { roles: LOOKING } }
    app.get<ChangesInput>('/v1/streams/:stream/changes', { config: { ...config, documented: CHANGES }, schema: CHANGES_SCHEMA, exposeHeadRoute: false }, async (request, reply) => {
      const selection = selectionOf(request)
      const { after, limit = DEFAULT_PAGE } = request.query
      if (request.headers.accept?.includes('text/event-stream') === true) {
        const last = request.headers['last-event-id']
        return feed.live(request, reply, selection, typeof last === 'string' && last !== '' ? last : after)
      }
      const { changes, next, upToDate, tip: { replica } } = await feed.page(selection, after, limit)
      const page = JSON.stringify({ replica, next: cursorText({ replica, change: next }), upToDate })
      return reply.type('application/json').send(`${page.slice(0, -1)},"changes":[${changes.map(({ json }) => json).join(',')}]}`)
    })
    app.get<SnapshotInput>('/v1/streams/:stream/snapshot', { config: { ...config, documented: SNAPSHOT }, schema: SNAPSHOT_SCHEMA, exposeHeadRoute: false }, (request, reply) => {
      const selection = selectionOf(request)
      const { stream, region: origin, involves, role } = selection
      return feed.snapshot(request, reply, selection, { stream, region, filters: { ...(origin && { region: origin }), ...(involves && { involves }), ...(role && { role }) } })
    })
  }
}

const params = { type: 'object', required: ['stream'], properties: { stream: { type: 'string', enum: DATA_STREAMS, description: '数据流 · stream' } } }
const filters = {
  region: { type: 'string', enum: REGIONS, description: '仅此地区发布的记录 · records of this origin alone' },
  involves: { type: 'string', enum: REGIONS, description: '抽检不合格：当事人在此地区 · inspection failures: a party is in this region' },
  role: { type: 'string', enum: PARTY_ROLES, description: '抽检不合格：该当事人的角色，producer 即标称生产企业 · inspection failures: the part of that party; producer = nominal-producer' },
}

const CHANGES_SCHEMA = {
  operationId: 'readChanges',
  summary: '读取变更 · read changes',
  description: '自游标之后的变更，按次序，不重不漏：put 为您可见的内容，remove 仅有编号，表示须删除（记录已终结、停止公示或不再与您有关；可能是您从未见过的）。'
    + 'accept: text/event-stream 时持续推送，每条事件的 id 即游标，用 Last-Event-ID 或 after 续读。upToDate 指已到本副本的末尾；副本有多新见 GET /v1/streams。'
    + ' · What changed after a cursor, in order, nothing twice and nothing missing. put has what you may see; remove has the key alone: drop what you hold (it ended, is no longer published'
    + ' or no longer concerns you; you may never have had it). With accept: text/event-stream it goes on live, the id of each event being its cursor: resume with Last-Event-ID or after.'
    + ' A page may be empty and not the last: go on from next until upToDate, which means the end of this replica; GET /v1/streams tells how fresh that is.',
  tags: ['read'],
  params,
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      after: { type: 'string', maxLength: 60, description: '游标；now 为从现在起；省略为从头 · a cursor; now = from now on; left out = from the beginning' },
      limit: { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE, description: '一页至多查看的变更数，仅用于 JSON · changes that one page of JSON looks at, at most' },
      ...filters,
    },
  },
}

const SNAPSHOT_SCHEMA = {
  operationId: 'readSnapshot',
  summary: '下载快照 · download a snapshot',
  description: '您可见的全部现行记录，取自同一时刻：首行为 head，含续读变更流的游标；末行为 summary，含行数和全部记录行（含换行）的 SHA-256。没有末行即不完整。'
    + ' · Every current record that you may see, of one moment: the first line is the head with the cursor to go on from, the last the summary with the number of record lines and the SHA-256 of'
    + ' them (newlines included). Without the summary it is not whole. gzip where accept-encoding says so.',
  tags: ['read'],
  params,
  querystring: { type: 'object', additionalProperties: false, properties: filters },
}

const CURSOR_PROBLEMS = {
  400: problemAnswer('参数或游标有误 · a parameter or the cursor is wrong', 'CURSOR_INVALID', 'CURSOR_AHEAD', 'FILTER_UNKNOWN'),
  410: problemAnswer('此后的变更已不完整，见 snapshot · no longer complete after this cursor: `snapshot` says where to begin anew', 'CURSOR_GONE'),
}
const CHANGES: Documented = {
  response: {
    200: {
      description: '一页，或持续的事件流 · one page, or a stream of events',
      content: {
        'application/json': { schema: { $ref: 'Changes#' }, example: CHANGES_EXAMPLE },
        'text/event-stream': { schema: { type: 'string', description: 'id: 游标；event: put、remove 或 heartbeat；data: 一条 Change（heartbeat 仅有游标和时间） · id: the cursor; event: put, remove or heartbeat; data: a Change (of a heartbeat: cursor and time)' }, example: EVENTS_EXAMPLE },
      },
    },
    ...CURSOR_PROBLEMS,
    429: problemAnswer('同时读取的连接过多 · too many live readers', 'TOO_MANY_READERS'),
    503: REPLICA_DOWN,
  },
}
const SNAPSHOT: Documented = {
  response: {
    200: {
      description: '每行一个 JSON：head、记录、summary · one JSON a line: head, records, summary',
      content: { 'application/x-ndjson': { schema: { type: 'string', description: '首行 {"head": SnapshotHead}，其后每行一个 SnapshotRecord，末行 {"summary": SnapshotSummary}' }, example: SNAPSHOT_EXAMPLE } },
    },
    400: problemAnswer('参数有误 · a parameter is wrong', 'FILTER_UNKNOWN'),
    429: problemAnswer('同时下载的快照过多 · too many snapshots at once', 'TOO_MANY_SNAPSHOTS'),
    503: REPLICA_DOWN,
  },
}
