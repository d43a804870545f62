import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { sample } from '@hub/schemas/samples'
import { DATA_STREAMS, isDataStream } from '@hub/schemas/streams'
import { RULES, VERDICTS } from '../verdicts/verdict.ts'

const text = (description: string): object => ({ type: 'string', description })
const textOrNull = (description: string, more: object = {}): object => ({ type: ['string', 'null'], ...more, description })

/** One event in an envelope of CloudEvents 1.0; extensions may stand in it and are left aside. */
export const CLOUDEVENT_SCHEMA = {
  $id: 'CloudEvent',
  type: 'object',
  description: 'CloudEvents 1.0，结构化方式 · structured mode',
  required: ['specversion', 'id', 'source', 'type', 'data'],
  properties: {
    specversion: { type: 'string', enum: ['1.0'] },
    id: { type: 'string', minLength: 1, maxLength: 1024, description: '不保留；事件编号由网关给出 · not kept: the gateway gives the event its id' },
    source: { type: 'string', minLength: 1, maxLength: 1024, description: '最后一段为来源系统 · its last segment is the source system' },
    type: { type: 'string', minLength: 1, maxLength: 1024, description: '契约全名 · full name of the contract' },
    time: { type: 'string', format: 'date-time', description: '数据中没有 recordedAt 时以此为准 · stands for recordedAt where the data have none' },
    subject: { type: 'string', minLength: 1, maxLength: 1024, description: '信用代码，须与数据一致 · credit code, as in the data' },
    datacontenttype: text('JSON'),
    dataschema: text('不看 · not looked at'),
    traceparent: text('W3C Trace Context'),
    data: { anyOf: ALL_CONTRACTS.filter(({ stream }) => isDataStream(stream)).map(({ schema }) => ({ $ref: `${schema.name}#` })) },
  },
} as const

export const CLOUDEVENT_EXAMPLE = {
  specversion: '1.0', id: '2026031500017', source: 'https://12315.example/zj-12315', type: 'cn.yrd.complaint.Complaint', datacontenttype: 'application/json', data: sample('cn.yrd.complaint.Complaint'),
}

export const PAST_VERDICTS_SCHEMA = {
  $id: 'PastVerdicts',
  type: 'object',
  additionalProperties: false,
  required: ['verdicts', 'next'],
  properties: {
    verdicts: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'at', 'stream', 'source', 'recordId', 'verdict', 'version', 'eventId', 'receipt', 'flags', 'problems', 'caller', 'request', 'line', 'index'],
        properties: {
          id: { type: 'string', format: 'uuid', description: '结果编号，按时间有序 · id of the verdict, in order of time' },
          at: { type: 'string', format: 'date-time', description: '给出结果的时间 · when it was given' },
          stream: { type: 'string', enum: DATA_STREAMS },
          source: textOrNull('来源系统；无法判断或非本调用方所有时为空 · source system; null where it cannot be told or is not the caller\'s'),
          recordId: textOrNull('记录编号 · record id'),
          verdict: { type: 'string', enum: VERDICTS },
          version: textOrNull('版本 · version', { pattern: '^\\d+$' }),
          eventId: textOrNull('事件编号；重复时为首次发布的事件 · event id; of a duplicate, the event published first', { format: 'uuid' }),
          receipt: textOrNull('回执地址 · where the receipt is'),
          flags: { type: 'array', items: { type: 'string' }, description: '存疑之处 · what is doubtful' },
          problems: {
            type: 'array',
            description: '至多十条 · ten at most',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['rule', 'field', 'zh', 'en'],
              properties: { rule: { type: 'string', enum: Object.keys(RULES) }, field: text('字段路径，空表示整个事件 · path of the field; empty = the event itself'), zh: text('说明'), en: text('explanation') },
            },
          },
          caller: textOrNull('调用方；已接受且无存疑的事件不记 · caller; not kept of accepted events without a flag'),
          request: textOrNull('请求编号 · request id'),
          line: { type: ['integer', 'null'], description: 'NDJSON 行号，从 1 起 · line of NDJSON, from 1' },
          index: { type: ['integer', 'null'], description: '数组下标，从 0 起 · place in an array, from 0' },
        },
      },
    },
    next: { type: ['string', 'null'], description: '下一页的 after；末页为空 · `after` of the next page; null on the last' },
  },
} as const

const ID = '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10'
export const PAST_VERDICTS_EXAMPLE = {
  verdicts: [{
    id: ID, at: '2026-03-15T01:30:00.000Z', stream: 'complaint', source: 'zj-12315', recordId: 'zj-12315/2026031500017', verdict: 'refused', version: null, eventId: null, receipt: null, flags: [],
    problems: [{ rule: 'required', field: 'registeredOn', zh: 'registeredOn：缺少必填字段', en: 'registeredOn is required' }], caller: 'zj-12315', request: ID, line: 17, index: null,
  }],
  next: null,
}
