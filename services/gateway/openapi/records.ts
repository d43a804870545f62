import { sample } from '@hub/schemas/samples'
import { DATA_STREAMS, REGIONS, STREAM_TITLES } from '@hub/schemas/streams'
import { SOURCE_STATES } from '../sources/standing.ts'

const text = (description: string): object => ({ type: 'string', description })
const decimal = (description: string): object => ({ type: 'string', pattern: '^-?\\d+$', description })
const object = (properties: Record<string, object>, optional: readonly string[] = []): object => ({
  type: 'object', additionalProperties: false, required: Object.keys(properties).filter((name) => !optional.includes(name)), properties,
})
const region = { type: 'string', enum: REGIONS }

const fresh = {
  region,
  staleSeconds: { type: ['number', 'null'], minimum: 0, description: '此副本可能缺少该地区最近多少秒的数据；尚无心跳时为空 · seconds of this region that this replica may lack; null before its first heartbeat' },
  lag: decimal('落后条数 · events behind'),
  sources: {
    type: 'array',
    items: object({
      source: text('来源系统 · source system'),
      state: { type: 'string', enum: SOURCE_STATES.filter((state) => state !== 'undeclared'), description: '同 GET /v1/sources · as there' },
      lastHandOverAt: { type: ['string', 'null'], format: 'date-time', description: '最近一次完整到达的交付 · last hand-over that is here whole' },
      overdueSince: { type: ['string', 'null'], format: 'date-time', description: '自何时起逾期未交付 · since when its office owes one' },
    }),
    description: '该地区此数据流的来源系统是否仍在交付 · whether the declared sources of this region and stream still deliver',
  },
  paused: { type: 'array', items: object({ partition: text('分区 · partition'), reason: text('原因 · why') }), description: '暂停的分区 · partitions that stand still' },
}
const FRESHNESS = { $id: 'Freshness', ...object(fresh) }

const META = {
  $id: 'Meta',
  ...object({
    region,
    replica: { type: 'string', format: 'uuid', description: '副本编号，恢复或重建后更换 · id of the replica; a restored or rebuilt one has another' },
    cursor: text('变更流的起点：自此之后的变更尚未包含在内 · cursor of the change feed: it goes on from here'),
    asOf: { type: ['string', 'null'], format: 'date-time', description: '内容所处的时间；按位置查询时为空 · the time that the content is of; null where a position was asked for' },
    position: text('内容所处的位置，可作为 asOf 使用 · the position that the content is of; asOf takes it'),
    freshness: { type: 'array', items: { $ref: 'Freshness#' } },
    note: object({ zh: text('说明'), en: text('what is not included') }),
  }, ['note']),
}

const RECORD = {
  $id: 'RecordVersion',
  ...object({
    region,
    recordId: text('记录编号 · record id'),
    version: decimal('版本 · version'),
    show: { type: 'string', enum: ['record', 'key'], description: 'record：可见内容；key：仅可见编号和版本 · record: the fields that you may see; key: identity alone' },
    kind: text('事件类别 · kind'),
    ended: { type: 'boolean', description: '已终结，仅余存根 · ended: a stub is left' },
    partition: { type: 'integer' },
    offset: decimal('在日志中的位置 · place in the log'),
    eventId: text('事件编号 · event id'),
    appliedAt: { type: 'string', format: 'date-time', description: '到达本副本的时间；历史版本没有 · when it came into this replica; earlier versions have none' },
    reach: { type: 'string', enum: ['action', 'attention'], description: '抽检不合格：action 需处置（发布地区或涉及的当事人所在地区），attention 供知悉 · an inspection failure: to act on (origin and regions of its parties) or to take note of' },
    body: { type: 'object', description: '与发布时同形，仅含您可见的字段 · in the form it is published in, with the fields that you may see' },
  }, ['kind', 'ended', 'partition', 'offset', 'eventId', 'appliedAt', 'reach', 'body']),
}

const RECORDS = {
  $id: 'Records',
  ...object({
    meta: { $ref: 'Meta#' },
    records: { type: 'array', items: { $ref: 'RecordVersion#' } },
    next: { type: ['string', 'null'], description: '列表的下一页；没有则为空 · of a list: `after` of the next page; null on the last' },
  }, ['next']),
}

const both = object({ zh: text('中文'), en: text('English') })
const STREAMS = {
  $id: 'Streams',
  ...object({
    region,
    replica: { type: 'string', format: 'uuid', description: '副本编号 · id of the replica' },
    asOf: { type: 'string', format: 'date-time', description: '时间 · when this was so' },
    streams: {
      type: 'array',
      items: object({
        stream: { type: 'string', enum: DATA_STREAMS },
        title: both,
        contracts: {
          type: 'array',
          items: object({
            name: text('契约全名 · full name of the contract'),
            role: { type: 'string', enum: ['record', 'stub'], description: '记录或终结后的存根 · the record, or the stub of an ended one' },
            schemaId: { type: 'integer', description: '在架构注册中心的编号 · id in the schema registry' },
            fingerprint: { type: 'string', pattern: '^[0-9a-f]{64}$', description: '契约文本的 SHA-256 · SHA-256 of the schema as registered' },
          }),
        },
        regions: {
          type: 'array',
          items: object({
            ...fresh,
            records: decimal('当前记录数，含存根 · current records, stubs among them'),
            ended: decimal('其中已终结 · of them ended'),
            position: text('位置，可作为 asOf 使用 · position; asOf takes it'),
          }),
        },
      }),
    },
  }),
}

/** Components of the answers about records and streams. */
export const RECORD_SCHEMAS = [FRESHNESS, META, RECORD, RECORDS, STREAMS]

const EVENT_ID = '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10'
const AT = '2026-03-15T01:30:00.000Z'

export const META_EXAMPLE = {
  region: REGIONS[0], replica: EVENT_ID, cursor: `${EVENT_ID}-1042`, asOf: AT, position: `${REGIONS[0]}.${DATA_STREAMS[0]}/4@019b76da:1043`,
  freshness: [{ region: REGIONS[0], staleSeconds: 1.2, lag: '0', paused: [], sources: [{ source: '12315', state: 'fresh', lastHandOverAt: AT, overdueSince: null }] }],
}
export const RECORD_EXAMPLE = {
  meta: META_EXAMPLE,
  records: [{
    region: REGIONS[0], recordId: 'sh-12315/1', version: '1', show: 'record', kind: 'original', ended: false, partition: 4, offset: '1042', eventId: EVENT_ID, appliedAt: AT,
    body: sample('cn.yrd.complaint.Complaint'),
  }],
}
export const STREAMS_EXAMPLE = {
  region: REGIONS[0], replica: EVENT_ID, asOf: AT,
  streams: [{
    stream: DATA_STREAMS[0], title: STREAM_TITLES[DATA_STREAMS[0]],
    contracts: [{ name: 'cn.yrd.complaint.Complaint', role: 'record', schemaId: 2, fingerprint: '0123456789abcdef'.repeat(4) }],
    regions: [{ ...META_EXAMPLE.freshness[0], records: '97', ended: '3', position: META_EXAMPLE.position }],
  }],
}
