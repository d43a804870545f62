import { failpoint } from '@hub/runtime/failpoint'
import type { Caller, Documented } from '@hub/runtime/http'
import { Problem, problemAnswer } from '@hub/runtime/http'
import type { DataStream } from '@hub/schemas/streams'
import { DATA_STREAMS } from '@hub/schemas/streams'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import type { Admission } from '../intake/admission.ts'
import { drain, readChunks, readWhole, untilEnough, type Patience } from '../intake/body.ts'
import { breathe } from '../intake/breathe.ts'
import { CommitUnavailableError } from '../publish/group-commit.ts'
import { binary, CLOUDEVENT, CLOUDEVENTS, structured } from '../publish/cloudevent.ts'
import { settle, takeLines, type Item, type Publish, type Told } from '../intake/intake.ts'
import { isArray, splitArray } from '../intake/json-array.ts'
import { EVENT_EXAMPLES, EVENT_REFS, VERDICT_EXAMPLES } from '../openapi/document.ts'
import { preparer, traceparentOf, type Prepare, type Preparing } from '../publish/prepare.ts'
import { CLOUDEVENT_EXAMPLE } from '../openapi/verdicts.ts'
import { createSlots } from '@hub/runtime/slots'
import { createSpool } from '../intake/spool.ts'
import { count, emptySummary, type Verdict, type VerdictKind } from '../verdicts/verdict.ts'
import type { Asked } from '../verdicts/verdict-row.ts'

export const MAX_ARRAY_EVENTS = 1_000
const MAX_JSON_BYTES = 4 * 1024 * 1024
/** Bodies up to this size take no slot. */
const SMALL_BYTES = 64 * 1024
const JSON_DEADLINE_MS = 30_000
const PATIENCE: Patience = { idleMs: 30_000, minBytes: 16 * 1024, perMs: 60_000 }
/** What one streamed body may take: verdicts of about four million events, and this long. */
const MAX_VERDICT_BYTES = 1024 ** 3
const MAX_STREAM_MS = 2 * 3_600_000
const NDJSON = 'application/x-ndjson'
const JSON_TYPE = 'application/json; charset=utf-8'

/** One event's verdict as a status: a refusal is the sender's to mend, a duplicate or stale event is settled. */
const STATUS: Readonly<Record<VerdictKind, number>> = { accepted: 201, 'new-version': 201, duplicate: 200, stale: 200, conflict: 409, refused: 422 }

export interface EventRoutes {
  readonly preparing: Preparing
  readonly publish: Publish
  /** A `Publish` for one body that writes nothing. */
  readonly rehearse: () => Publish
  readonly spoolDir: string
  readonly admission: Admission
  /** Ends streamed bodies in order. */
  readonly closing: AbortSignal
  /** Is told all verdicts but those of rehearsals. */
  readonly onVerdicts: (asked: Asked, verdicts: Verdict[]) => Promise<void> | undefined
}

interface Input {
  Params: { stream: DataStream }
  Querystring: { dryRun?: boolean }
}

/** `POST /v1/streams/{stream}/events`: one event, an array, NDJSON of any length, or CloudEvents. */
export function eventRoutes(options: EventRoutes): (app: FastifyInstance) => Promise<void> {
  const slots = createSlots(24, 8)
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(['application/json', CLOUDEVENT, CLOUDEVENTS], (_request: FastifyRequest, payload: IncomingMessage) => readWhole(payload, MAX_JSON_BYTES, JSON_DEADLINE_MS))
    app.addContentTypeParser(NDJSON, (_request: FastifyRequest, payload: IncomingMessage, done: (error: null, body: IncomingMessage) => void) => done(null, payload))
    app.post<Input>('/v1/streams/:stream/events', {
      config: { access: { roles: ['publisher'] }, documented: DOCUMENTED },
      schema: SCHEMA,
      onRequest: async (request, reply) => {
        if (request.headers['content-encoding'] !== undefined) throw new Problem(415, 'CONTENT_ENCODING', '不接受压缩内容 · compressed bodies are not accepted', 'Send it without content-encoding.')
        options.admission.admit((request.query as Record<string, unknown>)['dryRun'] === 'true')
        if (Number(request.headers['content-length'] ?? Infinity) <= SMALL_BYTES) return
        const release = slots.take(request.caller!.id)
        if (release === undefined) throw new Problem(429, 'TOO_MANY_BODIES', '同时上传的内容过多，请稍后重试 · too many bodies at once: try again', 'Send fewer files at a time.')
        reply.raw.once('close', release)
      },
    }, (request, reply) => {
      failpoint('publish.read')
      const { stream } = request.params
      const form = mediaType(request)
      const cloudEvent = form === CLOUDEVENT || form === CLOUDEVENTS ? structured : binary(request.headers)
      if (cloudEvent !== undefined && form === NDJSON) throw new Problem(415, 'CLOUDEVENT_FORM', 'CloudEvents 不能用 NDJSON 发送 · CloudEvents do not come as NDJSON', `Send many of them as ${CLOUDEVENTS}, or plain events without ce- headers.`)
      const prepare = preparer(options.preparing, stream, request.caller as Caller, traceparentOf(request.headers['traceparent']), cloudEvent)
      const dryRun = request.query.dryRun === true
      const publish = dryRun ? options.rehearse() : options.publish
      const asked: Asked = { stream, caller: request.caller as Caller, request: request.id }
      const told: Told = dryRun ? () => undefined : (verdicts) => options.onVerdicts(asked, verdicts)
      const { body } = request
      if (body === undefined) throw new Problem(400, 'BODY_MISSING', '缺少内容 · there is no body', `Send application/json or ${NDJSON}.`)
      if (!Buffer.isBuffer(body)) return takeStream(body as IncomingMessage, reply, prepare, publish, options, told)
      // One CloudEvent is one event, whatever its data are; an array of them has a type of its own.
      const many = form === CLOUDEVENTS || (cloudEvent === undefined && isArray(body))
      return many ? takeArray(body, reply, prepare, publish, told) : takeOne(body, reply, prepare, publish, dryRun, told)
    })
  }
}

function mediaType(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
}

async function takeOne(body: Buffer, reply: FastifyReply, prepare: Prepare, publish: Publish, dryRun: boolean, told: Told): Promise<FastifyReply> {
  const verdicts = await settle([{ place: {}, prepared: prepare(body) }], publish)
  await told(verdicts)
  failpoint('publish.told')
  const [verdict] = verdicts
  const status = STATUS[verdict!.verdict]
  return reply.code(dryRun && status === 201 ? 200 : status).type(JSON_TYPE).send(JSON.stringify(verdict))
}

async function takeArray(body: Buffer, reply: FastifyReply, prepare: Prepare, publish: Publish, told: Told): Promise<FastifyReply> {
  const elements = isArray(body) ? splitArray(body, MAX_ARRAY_EVENTS) : 0
  if (typeof elements === 'number') throw new Problem(400, 'ARRAY_MALFORMED', '不是格式正确的 JSON 数组 · the array is not well-formed JSON', `It stops being an array at byte ${elements}. Nothing of it was published.`)
  if (elements.length > MAX_ARRAY_EVENTS) throw new Problem(413, 'ARRAY_TOO_LONG', '数组过长 · the array is too long', `At most ${MAX_ARRAY_EVENTS} events. Send more as ${NDJSON}.`)
  const items: Item[] = []
  for (const [index, bytes] of elements.entries()) {
    await breathe()
    items.push({ place: { index }, prepared: prepare(bytes) })
  }
  const verdicts = await settle(items, publish)
  await told(verdicts)
  failpoint('publish.told')
  const summary = emptySummary()
  for (const { verdict } of verdicts) count(summary, verdict)
  return reply.code(200).type(JSON_TYPE).send(JSON.stringify({ summary, verdicts }))
}

async function takeStream(body: IncomingMessage, reply: FastifyReply, prepare: Prepare, publish: Publish, options: EventRoutes, told: Told): Promise<FastifyReply> {
  const spool = createSpool(options.spoolDir)
  const until = performance.now() + MAX_STREAM_MS
  const rehearsal = (reply.request.query as Input['Querystring']).dryRun === true
  let stopped: Problem | undefined
  const enough = (): Problem | undefined => (stopped = performance.now() > until || spool.bytes > MAX_VERDICT_BYTES ? tooLong() : options.admission.enough(rehearsal))
  const dispose = (): void => void spool[Symbol.asyncDispose]()
  try {
    await takeLines(untilEnough(readChunks(body, PATIENCE, options.closing), enough), prepare, publish, spool, told)
  } catch (error) {
    dispose()
    if (!(error instanceof CommitUnavailableError)) throw error
    throw new Problem(503, 'COMMIT_UNAVAILABLE', '数据库未能及时提交，请稍后重发整个内容 · the database did not commit in time: send the whole body again', 'What was published before comes back as duplicate.')
  }
  reply.raw.once('close', dispose)
  if (stopped !== undefined) {
    // The answer goes out while the rest of the body may still come.
    drain(body)
    void reply.headers({ connection: 'close', ...(stopped.status === 503 && { 'retry-after': String(stopped.extra['retryAfterSeconds']) }) })
  }
  return reply.code(stopped?.status ?? 200).type(NDJSON).send(spool.read())
}

function tooLong(): Problem {
  return new Problem(413, 'BODY_TOO_LONG', '内容过长，其余部分请另行发送 · the body is too long: send the rest in another one', `At most ${MAX_STREAM_MS / 3_600_000} hours and about four million events in one body. What was read is published; go on from the line that \`stopped.fromLine\` names.`)
}

const SCHEMA = {
  operationId: 'publishEvents',
  summary: '发布事件 · publish events',
  description: `一个 JSON 事件、至多 ${MAX_ARRAY_EVENTS} 个事件的数组、任意长度的 NDJSON，或 CloudEvents 1.0（结构化、批量，或以 ce- 头的二进制方式）。回答 2xx 前已持久化；重复发送是安全的。`
    + ` · One JSON event, an array of at most ${MAX_ARRAY_EVENTS}, NDJSON of any length, or CloudEvents 1.0 (structured, batched, or binary with ce- headers). What is answered is durable; sending again is safe.`,
  tags: ['publish'],
  params: { type: 'object', required: ['stream'], properties: { stream: { type: 'string', enum: DATA_STREAMS, description: '数据流 · stream' } } },
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: { dryRun: { type: 'boolean', description: '只给出结果，不存储 · give the verdicts and store nothing' } },
  },
}

const verdictOf = (example: object): object => ({ content: { 'application/json': { schema: { $ref: 'Verdict#' }, example } } })
const STOPPED = {
  schema: { type: 'string', description: '内容未读完：已读各行的 Verdict，最后一行 {"summary": Summary, "stopped": {status, code, title, detail, fromLine}}，从 fromLine 行起另行发送 · the body was not read to its end: a Verdict for each line that was, {"summary", "stopped"} on the last; send the lines from `fromLine` on in another body' },
  example: VERDICT_EXAMPLES.ofLines.trimEnd().replace(/\}$/, `,"stopped":${JSON.stringify({ status: 503, code: 'OUTBOX_FULL', title: '待发送事件已达上限 · too many events wait', detail: '如何处理 · what to do', fromLine: 3 })}}`),
}
const DOCUMENTED: Documented = {
  body: {
    required: true,
    content: {
      'application/json': { schema: { anyOf: [...EVENT_REFS, { type: 'array', maxItems: MAX_ARRAY_EVENTS, items: { anyOf: EVENT_REFS } }], 'x-examples': EVENT_EXAMPLES } },
      [NDJSON]: { schema: { type: 'string', description: '每行一个 JSON 事件 · one JSON event on each line' } },
      [CLOUDEVENT]: { schema: { $ref: 'CloudEvent#' }, 'x-examples': { CloudEvent: { value: CLOUDEVENT_EXAMPLE } } },
      [CLOUDEVENTS]: { schema: { type: 'array', maxItems: MAX_ARRAY_EVENTS, items: { $ref: 'CloudEvent#' } } },
    },
  },
  response: {
    200: {
      description: '单个事件的结果（重复、过期或试运行）；数组和 NDJSON 的全部结果 · verdict of one event (duplicate, stale or dry run); all verdicts of an array or of NDJSON, the summary last',
      content: {
        'application/json': { schema: { anyOf: [{ $ref: 'Verdict#' }, { $ref: 'Verdicts#' }] }, examples: { one: { value: VERDICT_EXAMPLES.duplicate }, array: { value: VERDICT_EXAMPLES.ofArray } } },
        [NDJSON]: { schema: { type: 'string', description: '每行一个 Verdict，最后一行 {"summary": Summary} · a Verdict on each line, {"summary": Summary} on the last' }, example: VERDICT_EXAMPLES.ofLines },
      },
    },
    201: { description: '已接受并持久化 · accepted and durable', ...verdictOf(VERDICT_EXAMPLES.accepted) },
    400: problemAnswer('请求有误 · the request is wrong', 'BODY_MISSING', 'ARRAY_MALFORMED', 'BODY_BROKEN_OFF'),
    408: problemAnswer('内容未及时到达 · the body did not come in time', 'BODY_TOO_SLOW'),
    409: { description: '同一版本内容不同 · the same version with other content', ...verdictOf(VERDICT_EXAMPLES.conflict) },
    413: { ...problemAnswer('内容过大 · the body is too large', 'BODY_TOO_LARGE', 'ARRAY_TOO_LONG', 'BODY_TOO_LONG', 'REHEARSAL_TOO_LONG'), content: { [NDJSON]: STOPPED } },
    415: problemAnswer('内容类型不支持 · this content type is not accepted', 'MEDIA_TYPE', 'CONTENT_ENCODING', 'CLOUDEVENT_FORM'),
    422: { description: '拒绝：问题逐条列出 · refused: every problem is named', ...verdictOf(VERDICT_EXAMPLES.refused) },
    429: problemAnswer('同时上传的内容过多 · too many bodies at once', 'TOO_MANY_BODIES'),
    503: { ...problemAnswer('未能提交，按 Retry-After 重发整个内容 · not committed: send the whole again after Retry-After seconds', 'COMMIT_UNAVAILABLE', 'CLOSING', 'OVERLOADED', 'DATABASE_RESTORED', 'OUTBOX_FULL'), content: { [NDJSON]: STOPPED } },
  },
}
