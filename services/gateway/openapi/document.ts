import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { sample } from '@hub/schemas/samples'
import { DATA_STREAMS, isDataStream, REGIONS, type Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { CONVERGENCE_SCHEMA } from './convergence.ts'
import { eventSchema } from './event.ts'
import { FEED_SCHEMAS } from './feed.ts'
import { IMPORT_SCHEMAS } from './imports.ts'
import { PARKED_SCHEMAS } from './parked.ts'
import { ENDED_SCHEMAS } from './ended.ts'
import { RECORD_SCHEMAS } from './records.ts'
import { HANDED_OVER_SCHEMA, SOURCES_SCHEMA } from './sources.ts'
import { CLOUDEVENT_SCHEMA, PAST_VERDICTS_SCHEMA } from './verdicts.ts'
import { emptySummary, problem, RULES, VERDICTS } from '../verdicts/verdict.ts'

const EVENTS = ALL_CONTRACTS.filter(({ stream }) => isDataStream(stream))

export const EVENT_REFS = EVENTS.map(({ schema }) => ({ $ref: `${schema.name}#` }))
export const EVENT_EXAMPLES = Object.fromEntries(EVENTS.map(({ fullName, schema }) => [schema.name, { summary: schema.doc, value: sample(fullName) }]))

/** What the document says of a region's gateway as a whole. */
export function about(region: Region): { title: string; description: string; tags: Record<string, string> } {
  return {
    title: `长三角市场监管数据交换枢纽 网关 · gateway of ${region}`,
    description: [
      '各地区系统在此发布事件、查询回执、读取四地共享的记录。入门见 docs/guides/connect.md。',
      'Where a region publishes events, asks for receipts and reads what the four regions share. Begin with docs/guides/connect.md.',
      '错误为 RFC 9457，`code` 稳定；429 和 503 附 Retry-After，可安全重发。 · Errors are RFC 9457 problems with a stable `code`; after 429 and 503 the same may be sent again after Retry-After seconds.',
    ].join('\n\n'),
    tags: {
      publish: '发布事件及其回执、结果 · events, their receipts and verdicts',
      read: '读取记录、变更和快照 · records, changes and snapshots',
      operate: '副本的状态 · state of the replica',
    },
  }
}

/** Makes the parts that the routes' documents name known to an app. */
export function addComponents(app: FastifyInstance): void {
  for (const schema of [...EVENTS.map(eventSchema), PROBLEM_FOUND, VERDICT, SUMMARY, VERDICTS_OF_ARRAY, ...RECORD_SCHEMAS, RECEIPT, POSITION, ...PARKED_SCHEMAS, ...FEED_SCHEMAS, CLOUDEVENT_SCHEMA, PAST_VERDICTS_SCHEMA, SOURCES_SCHEMA, HANDED_OVER_SCHEMA, CONVERGENCE_SCHEMA, ...IMPORT_SCHEMAS, ...ENDED_SCHEMAS]) app.addSchema(schema)
}

const text = (description: string): object => ({ type: 'string', description })
const decimal = (description: string): object => ({ type: 'string', pattern: '^-?\\d+$', description })
const instant = (description: string): object => ({ type: 'string', format: 'date-time', description })
const uuid = (description: string): object => ({ type: 'string', format: 'uuid', description })
const nullable = (schema: object): object => ({ ...schema, type: ['string', 'null'] })
const object = (properties: Record<string, object>, optional: readonly string[] = []): object => ({
  type: 'object', additionalProperties: false, required: Object.keys(properties).filter((name) => !optional.includes(name)), properties,
})

const PROBLEM_FOUND = {
  $id: 'EventProblem',
  ...object({
    field: text('字段路径，空表示整个事件 · path of the field; empty = the event itself'),
    rule: { type: 'string', enum: Object.keys(RULES), description: '违反的规则 · the rule it breaks' },
    expected: text('应为 · what would have been right'),
    zh: text('说明'),
    en: text('explanation'),
  }),
}

const VERDICT = {
  $id: 'Verdict',
  ...object({
    line: { type: 'integer', description: 'NDJSON 行号，从 1 起 · line of NDJSON, from 1' },
    index: { type: 'integer', description: '数组下标，从 0 起 · place in the array, from 0' },
    recordId: text('记录编号 · record id'),
    verdict: { type: 'string', enum: VERDICTS },
    eventId: uuid('事件编号；重复时为首次发布的事件 · event id; of a duplicate, the event published first'),
    version: { type: 'integer', description: '版本 · version' },
    flags: { type: 'array', items: { type: 'string' }, description: '存疑之处 · what is doubtful' },
    problems: { type: 'array', items: { $ref: 'EventProblem#' } },
    receipt: text('回执地址 · where the receipt is'),
  }, ['line', 'index', 'recordId', 'eventId', 'version', 'problems', 'receipt']),
}

const SUMMARY = { $id: 'Summary', ...object(Object.fromEntries([...VERDICTS, 'total'].map((name) => [name, { type: 'integer' }]))) }
const VERDICTS_OF_ARRAY = { $id: 'Verdicts', ...object({ summary: { $ref: 'Summary#' }, verdicts: { type: 'array', items: { $ref: 'Verdict#' } } }) }

const RECEIPT = {
  $id: 'Receipt',
  ...object({
    eventId: uuid('事件编号 · event id'),
    recordId: text('记录编号 · record id'),
    stream: { type: 'string', enum: DATA_STREAMS },
    version: decimal('版本 · version'),
    topic: text('主题 · topic'),
    partition: { type: 'integer' },
    offset: nullable(decimal('日志偏移；尚未写入日志时为空 · offset; null until it is on the log')),
    sequence: decimal('分区内序号 · sequence in its partition'),
    acceptedAt: instant('持久化时间 · when it became durable'),
    regions: {
      type: 'array',
      items: object({
        region: { type: 'string', enum: REGIONS },
        state: { type: 'string', enum: ['waiting', 'arrived', 'superseded', 'parked'] },
        since: instant('处于此状态自 · in this state since'),
        reason: text('搁置原因 · why it was parked'),
      }, ['reason']),
    },
  }),
}

const COUNTERS = ['applied', 'duplicate', 'stale', 'folded', 'parked', 'control', 'absent']
const POSITION = {
  $id: 'Position',
  ...object({
    region: { type: 'string', enum: REGIONS },
    replica: uuid('副本编号，恢复或重建后更换 · id of the replica; a restored or rebuilt one has another'),
    text: text('全部分区的位置，可作为 asOf 使用 · the position of all data partitions; asOf takes it'),
    partitions: {
      type: 'array',
      items: object({
        region: { type: 'string', enum: REGIONS, description: '发布地区 · region that publishes' },
        stream: text('数据流 · stream'),
        topic: text('主题 · topic'),
        partition: { type: 'integer' },
        generation: text('主题世代 · generation of the topic'),
        nextOffset: decimal('下一偏移 · next offset'),
        lag: decimal('落后条数 · events behind'),
        ...Object.fromEntries(COUNTERS.map((name) => [name, decimal('条数 · events')])),
        records: decimal('当前记录数 · current records'),
        digest: text('摘要 · digest of the current records'),
        pausedReason: nullable(text('暂停原因 · why it is paused')),
      }),
    },
  }),
}

const EVENT_ID = '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10'
const ACCEPTED = { recordId: 'zj-12315/2026031500017', verdict: 'accepted', eventId: EVENT_ID, version: 1, flags: [], receipt: `/v1/receipts/${EVENT_ID}` }
const REFUSED = { recordId: 'zj-12315/2026031500018', verdict: 'refused', flags: [], problems: [problem('date', 'registeredOn', 'YYYY-MM-DD')] }
const COUNTED = { ...emptySummary(), accepted: 1, refused: 1, total: 2 }
export const VERDICT_EXAMPLES = {
  accepted: ACCEPTED,
  duplicate: { ...ACCEPTED, verdict: 'duplicate' },
  conflict: { recordId: ACCEPTED.recordId, verdict: 'conflict', version: 1, flags: [], problems: [problem('version-conflict', 'version', '> 1')] },
  refused: REFUSED,
  ofArray: { summary: COUNTED, verdicts: [{ ...ACCEPTED, index: 0 }, { ...REFUSED, index: 1 }] },
  ofLines: `${[{ ...ACCEPTED, line: 1 }, { ...REFUSED, line: 2 }, { summary: COUNTED }].map((line) => JSON.stringify(line)).join('\n')}\n`,
}
const AT = '2026-03-15T01:30:00.000Z'
export const RECEIPT_EXAMPLE = {
  eventId: EVENT_ID, recordId: 'zj-12315/2026031500017', stream: 'complaint', version: '1', topic: 'zj.complaint', partition: 4, offset: '1042', sequence: '977', acceptedAt: AT,
  regions: REGIONS.map((region) => ({ region, state: 'arrived', since: AT })),
}
export const POSITION_EXAMPLE = {
  region: REGIONS[0], replica: EVENT_ID, text: 'sh.complaint/0@019b76da:3',
  partitions: [{
    region: REGIONS[0], stream: 'complaint', topic: 'sh.complaint', partition: 0, generation: EVENT_ID, nextOffset: '3', lag: '0',
    ...Object.fromEntries(COUNTERS.map((name) => [name, name === 'applied' ? '2' : name === 'control' ? '1' : '0'])), records: '2', digest: '0123456789abcdef0123456789abcdef', pausedReason: null,
  }],
}
