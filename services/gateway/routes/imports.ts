import { BOUNDS } from '@hub/connectors/readers/bounds'
import { SHAPES } from '@hub/connectors/shapes/index'
import type { Db } from '@hub/runtime/db'
import { Problem, problemAnswer, type Caller, type Documented } from '@hub/runtime/http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Admission } from '../intake/admission.ts'
import { readChunks, type Patience } from '../intake/body.ts'
import { allows } from '../callers.ts'
import type { Imports } from '../imports/imports.ts'
import { reportOf, rowReport } from '../imports/report.ts'
import { readImport, readImports, readTold, type ImportRow } from '../imports/store.ts'
import { IMPORT_EXAMPLE } from '../openapi/imports.ts'
import { createSlots } from '@hub/runtime/slots'

const PATIENCE: Patience = { idleMs: 30_000, minBytes: 16 * 1024, perMs: 60_000 }
/** A connection without a byte is given up soon after this. */
const WAIT_MS = 60_000
/** Files on their way here at once. */
const UPLOADS = { all: 16, perCaller: 4 } as const
const MAX_PAGE = 1_000
const DEFAULT_PAGE = 100
const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
const WORKBOOK = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
const DELIMITERS = { comma: ',', semicolon: ';', tab: '\t' } as const

interface Handover {
  Params: { key: string }
  Querystring: { file?: string, encoding?: 'utf-8' | 'gb18030', delimiter?: keyof typeof DELIMITERS, shape?: string, dryRun?: boolean, wait?: boolean }
}
/** One path may not have two names for the same place: a source when a file comes, an import when it is asked for. */
interface Report {
  Params: { key: string }
  Querystring: One['Querystring']
}
interface One {
  Params: { id: string }
  Querystring: { wait?: boolean, after?: string, limit?: number }
}

export interface ImportRoutes {
  readonly db: Db
  readonly imports: Imports
  readonly admission: Admission
  readonly closing: AbortSignal
}

/** `/v1/imports`: files become events. */
export function importRoutes({ db, imports, admission, closing }: ImportRoutes): (app: FastifyInstance) => Promise<void> {
  const roles = { access: { roles: ['publisher', 'operator'] as const } }
  // Each may bring 2 GiB to the disk before it counts as an import.
  const slots = createSlots(UPLOADS.all, UPLOADS.perCaller)
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request: FastifyRequest, payload: IncomingMessage, done: (error: null, body: IncomingMessage) => void) => done(null, payload))
    app.post<Handover>('/v1/imports/:key', {
      config: { access: { roles: ['publisher'] }, documented: HANDED_OVER },
      schema: HAND_OVER,
      onRequest: admitFile,
    }, async (request, reply) => {
      const { file = 'file', encoding, delimiter, shape, dryRun = false, wait = false } = request.query
      const id = await imports.receive(request.caller!, { source: request.params.key, file, encoding, delimiter: delimiter && DELIMITERS[delimiter], shape, dryRun }, chunksOf(request))
      const row = await readRested(id, wait)
      return reply.code(wait && isEnd(row) ? 200 : 202).header('location', `/v1/imports/${id}`).send(reportOf(row, imports.live(id)))
    })

    app.post<Handover>('/v1/imports/:key/marked', { config: { access: { roles: ['publisher'] }, documented: MARKED_UP }, schema: MARK, onRequest: admitFile }, async (request, reply) => {
      const { file = 'file', encoding, delimiter, shape } = request.query
      const pieces = await imports.mark(request.caller!, { source: request.params.key, file, encoding, delimiter: delimiter && DELIMITERS[delimiter], shape }, chunksOf(request), closed(reply))
      return sendWorkbook(reply, pieces)
    })

    app.get<{ Querystring: { source?: string, after?: string, limit?: number } }>('/v1/imports', { config: { ...roles, documented: LISTED }, schema: LIST }, async (request) => {
      const { source, after, limit = DEFAULT_PAGE } = request.query
      const rows = await readImports(db, visible(request.caller!, source), after ?? null, limit)
      return { imports: rows.map((row) => reportOf(row, {})), next: rows.length === limit ? rows.at(-1)!.id : null }
    })

    app.get<Report>('/v1/imports/:key', { config: { ...roles, documented: READ }, schema: READ_ONE }, async (request) => {
      const { wait = false, after, limit = DEFAULT_PAGE } = request.query
      const seen = await findImport(db, request.caller!, request.params.key)
      const row = wait ? await readRested(seen.id, true) : seen
      const [at, sheet] = after === undefined ? [] : [after.slice(0, after.indexOf(':')), after.slice(after.indexOf(':') + 1)]
      const told = await readTold(db, row.id, at === undefined ? undefined : { sheet: sheet!, row: Number(at) }, limit)
      const last = told.at(-1)
      return { ...reportOf(row, request.caller!.id === row.caller ? imports.live(row.id) : {}), problems: told.map(rowReport), next: told.length === limit ? `${last!.row}:${last!.sheet}` : null }
    })

    const acting = { access: { roles: ['publisher'] as const }, documented: ACTED }
    app.post<One>('/v1/imports/:id/confirm', { config: acting, schema: CONFIRM }, (request, reply) => act('confirm', request, reply))
    app.post<One>('/v1/imports/:id/cancel', { config: acting, schema: CANCEL }, (request, reply) => act('cancel', request, reply))
    app.post<One>('/v1/imports/:id/revert', { config: acting, schema: REVERT }, (request, reply) => act('revert', request, reply))
  }

  async function admitFile(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (request.headers['content-encoding'] !== undefined) throw new Problem(415, 'CONTENT_ENCODING', '不接受压缩内容 · compressed bodies are not accepted', 'Send it without content-encoding.')
    mayImport(request.caller!, (request.params as Handover['Params']).key)
    if (Number(request.headers['content-length'] ?? 0) > BOUNDS.textBytes) throw tooLarge()
    admission.admit(false)
    const release = slots.take(request.caller!.id)
    if (release === undefined) throw new Problem(429, 'TOO_MANY_IMPORTS', '未完成的导入过多，请稍后重试 · too many imports have not ended: try again later', 'Too many files are on their way here: send fewer at a time.', { retryAfterSeconds: 10 })
    reply.raw.once('close', release)
  }

  function chunksOf({ body }: FastifyRequest): AsyncIterable<Uint8Array> {
    return toAsync(body === undefined ? [] : bounded(readChunks(body as IncomingMessage, PATIENCE, closing)))
  }

  async function act(action: 'confirm' | 'cancel' | 'revert', request: FastifyRequest<One>, reply: FastifyReply): Promise<FastifyReply> {
    const { id } = await findImport(db, request.caller!, request.params.id)
    await imports[action](id)
    const { wait = false } = request.query
    const row = await readRested(id, wait)
    return reply.code(wait && isEnd(row) ? 200 : 202).send(reportOf(row, imports.live(id)))
  }

  async function readRested(id: string, wait: boolean): Promise<ImportRow> {
    return imports.settled(id, wait ? AbortSignal.any([closing, AbortSignal.timeout(WAIT_MS)]) : AbortSignal.abort())
  }
}

/** An import that a caller may see. @throws Problem 404 */
export async function findImport(db: Db, caller: Caller, id: string): Promise<ImportRow> {
  const row = await readImport(db, id)
  if (row === undefined || !(caller.roles.includes('operator') || allows(caller.sources, row.source))) throw new Problem(404, 'IMPORT_UNKNOWN', '没有此导入 · there is no such import', 'Look for it in GET /v1/imports.')
  return row
}

function isEnd({ state }: ImportRow): boolean {
  return state === 'done' || state === 'failed' || state === 'reverted'
}

/** @throws Problem 403 where a caller does not publish for a source */
export function mayImport(caller: Caller, source: string): void {
  if (!allows(caller.sources, source)) throw new Problem(403, 'SOURCE_NOT_ALLOWED', '该调用方不得为此来源导入 · this caller may not import for this source', `Its sources: ${caller.sources.join(', ') || 'none'}. The operator of this region adds one.`)
}

/** Sources whose imports a caller may see, null = all. */
export function visible(caller: Caller, source?: string): readonly string[] | null {
  const all = caller.roles.includes('operator') || caller.sources.includes('*')
  if (source !== undefined) return all || caller.sources.includes(source) ? [source] : []
  return all ? null : caller.sources
}

/** The chunks of a file. @throws Problem 413 beyond what a file may be */
export async function* bounded(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > BOUNDS.textBytes) throw tooLarge()
    yield chunk
  }
}

function tooLarge(): Problem {
  return new Problem(413, 'FILE_TOO_LARGE', '文件过大，请拆分 · the file is too large: split it', `At most ${BOUNDS.textBytes} bytes. Nothing of it was taken in.`)
}

/** Given when an answer is over, however it ended. */
export function closed(reply: FastifyReply): AbortSignal {
  const over = new AbortController()
  if (reply.raw.closed) over.abort()
  else reply.raw.once('close', () => over.abort())
  return over.signal
}

export function sendWorkbook(reply: FastifyReply, pieces: AsyncGenerator<Uint8Array>): FastifyReply {
  return reply.headers({ 'content-type': WORKBOOK, 'content-disposition': 'attachment; filename="marked.xlsx"', 'cache-control': 'no-store' }).send(Readable.from(pieces, { objectMode: false }))
}

async function* toAsync(chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

const SOURCE = { type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,39}$', description: '来源系统（recordId 中“/”之前的部分） · source system: what stands before the slash of its record ids' }
const WAIT = { type: 'boolean', description: `等待至结束或需要确认，至多 ${WAIT_MS / 1000} 秒 · answer when it has ended or waits for a person, after ${WAIT_MS / 1000} s at most` }
const ID = { type: 'object', required: ['id'], properties: { id: { type: 'string', pattern: UUID, description: '导入编号 · id of the import' } } }
const LIMIT = { type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE, description: '每页至多 · at most so many a page' }

const ABOUT_FILE = {
  file: { type: 'string', maxLength: 300, description: '文件名 · name of the file' },
  shape: { type: 'string', enum: SHAPES.map(({ id }) => id), description: '文件的形式 · what kind of file it is' },
  encoding: { type: 'string', enum: ['utf-8', 'gb18030'], description: '编码，默认自动判断 · encoding; told by the file where it is left out' },
  delimiter: { type: 'string', enum: Object.keys(DELIMITERS), description: 'CSV 分隔符，默认逗号 · separator of a CSV; a comma where it is left out' },
}
const HAND_OVER = {
  operationId: 'importFile',
  summary: '导入文件 · import a file',
  description: '内容为文件本身：CSV（UTF-8、GB18030）、XLSX、NDJSON、JSON 或通告正文，至多 2 GiB。未指定 shape 时自动识别并试运行，须经确认才发布。文件在导入结束后删除。'
    + ' · The body is the file itself: CSV (UTF-8, GB18030), XLSX, NDJSON, JSON or the text of a notice, at most 2 GiB. Without `shape` it is recognised and rehearsed, and published only after it was confirmed. The file is deleted when the import has ended.',
  tags: ['publish'],
  params: { type: 'object', required: ['key'], properties: { key: SOURCE } },
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ...ABOUT_FILE,
      dryRun: { type: 'boolean', description: '只给出结果，不发布 · say the verdicts and publish nothing' },
      wait: WAIT,
    },
  },
}
const MARK = {
  operationId: 'markFile',
  summary: '标出文件中有问题的行 · mark the rows of a file',
  description: '试运行并返回工作簿：每行的结果、规则和处理办法在旁，有问题的单元格已标色；不发布、不保留。只含所读取的列，不含投诉人等列，疑似身份证号码略去。'
    + ' · Rehearses it and answers with a workbook: beside each row its verdict, rules and what to do, the offending cells coloured. Nothing is published and nothing kept. It has the columns that are read and no others, and no identity number.',
  tags: ['publish'],
  params: HAND_OVER.params,
  querystring: { ...HAND_OVER.querystring, properties: ABOUT_FILE },
}
const LIST = {
  operationId: 'listImports', summary: '导入列表 · imports', description: '新的在前 · the newest first', tags: ['publish'],
  querystring: { type: 'object', additionalProperties: false, properties: { source: SOURCE, after: { type: 'string', pattern: UUID, description: '上一页的 next · `next` of the page before' }, limit: LIMIT } },
}
const READ_ONE = {
  operationId: 'readImport', summary: '导入的进度与报告 · progress and report of an import', description: '被拒绝、等待、冲突或存疑的行逐行列出，至多 10000 行，不含数据值。 · Rows that were refused, wait, conflict or are doubtful are told one by one, at most 10 000 of them, without values.', tags: ['publish'],
  params: { ...ID, required: ['key'], properties: { key: ID.properties.id } },
  querystring: { type: 'object', additionalProperties: false, properties: { wait: WAIT, after: { type: 'string', pattern: '^\\d{1,15}:.{0,60}$', description: '上一页的 next · `next` of the page before' }, limit: LIMIT } },
}
const ACTION = { tags: ['publish'], params: ID, querystring: { type: 'object', additionalProperties: false, properties: { wait: WAIT } } }
const CONFIRM = { operationId: 'confirmImport', summary: '确认识别结果并发布 · confirm the guessed shape, publish', ...ACTION }
const CANCEL = { operationId: 'cancelImport', summary: '放弃待确认的导入 · give up an import that waits for confirmation', ...ACTION }
const REVERT = { operationId: 'revertImport', summary: '撤销导入 · take an import back', description: '撤销该导入新建且此后未变的记录；其他记录不变。 · Voids the records that it created and that nothing has changed since; others stay.', ...ACTION }

const ANSWER = { content: { 'application/json': { schema: { $ref: 'Import#' }, example: IMPORT_EXAMPLE } } }
const UNKNOWN = problemAnswer('没有此导入 · no such import', 'IMPORT_UNKNOWN')
const FILE_BODY = { required: true, content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } }
const NOT_TAKEN = {
  400: problemAnswer('请求有误 · the request is wrong', 'BODY_BROKEN_OFF'),
  403: problemAnswer('不是该来源的发布方 · not a publisher of this source', 'SOURCE_NOT_ALLOWED'),
  408: problemAnswer('内容未及时到达 · the body did not come in time', 'BODY_TOO_SLOW'),
  413: problemAnswer('文件过大 · the file is too large', 'FILE_TOO_LARGE'),
  415: problemAnswer('内容类型不支持 · this content type is not accepted', 'CONTENT_ENCODING'),
  429: problemAnswer('未完成的导入过多 · too many imports have not ended', 'TOO_MANY_IMPORTS'),
  503: problemAnswer('暂不能接收 · not taken in now', 'CLOSING', 'OVERLOADED', 'DATABASE_RESTORED', 'OUTBOX_FULL', 'IMPORT_SECRET_DIFFERS'),
}
const HANDED_OVER: Documented = {
  body: FILE_BODY,
  response: { 200: { description: '已结束（wait） · it has ended', ...ANSWER }, 202: { description: '已接收 · taken in; `location` has its address', ...ANSWER }, ...NOT_TAKEN },
}
const MARKED_UP: Documented = {
  body: FILE_BODY,
  response: {
    200: { description: '工作簿 · the workbook', content: { [WORKBOOK]: { schema: { type: 'string', format: 'binary' } } } },
    ...NOT_TAKEN,
    422: problemAnswer('无法读取文件 · the file cannot be read', 'FILE_UNREADABLE'),
  },
}
const LISTED: Documented = { response: { 200: { description: '一页 · one page', content: { 'application/json': { schema: { $ref: 'Imports#' }, example: { imports: [IMPORT_EXAMPLE], next: null } } } } } }
const READ: Documented = { response: { 200: { description: '进度或报告 · progress or report', content: { 'application/json': { schema: { $ref: 'ImportReport#' }, example: { ...IMPORT_EXAMPLE, problems: [], next: null } } } }, 404: UNKNOWN } }
const ACTED: Documented = {
  response: {
    200: { description: '已结束（wait） · it has ended', ...ANSWER }, 202: { description: '已接受 · under way', ...ANSWER }, 404: UNKNOWN,
    409: problemAnswer('当前状态不允许 · not in a state for this', 'IMPORT_STATE'),
  },
}
