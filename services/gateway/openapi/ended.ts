import { KINDS } from '@hub/schemas/record-rule'
import { sample } from '@hub/schemas/samples'
import { DATA_STREAMS, REGIONS } from '@hub/schemas/streams'

const object = (properties: Record<string, object>): object => ({ type: 'object', additionalProperties: false, required: Object.keys(properties), properties })
const text = (description: string): object => ({ type: 'string', description })
const instant = (description: string): object => ({ type: 'string', format: 'date-time', description })
const version = { type: 'string', pattern: '^\\d+$', description: '版本 · version' }
const eventId = { type: 'string', format: 'uuid', description: '事件编号 · event id' }
const region = { type: 'string', enum: REGIONS, description: '来源地 · region that published it' }
const stream = { type: 'string', enum: DATA_STREAMS }

const ERASURE = {
  $id: 'Erasure',
  ...object({
    region, stream, recordId: text('记录编号 · record id'), version, eventId,
    caller: text('由谁清除 · who had it erased'),
    why: text('原因 · why'),
    at: instant('清除时间 · when it was erased'),
    logForgetsBy: instant('日志至迟在此时压缩掉早期版本 · when the log has compacted the earlier versions away, at the latest'),
    duplicate: { type: 'boolean', description: '此前已清除 · it was erased before' },
  }),
}

const ARCHIVE = {
  $id: 'Archive',
  ...object({
    region, stream, recordId: text('记录编号 · record id'),
    versions: {
      type: 'array',
      items: object({
        version, eventId,
        kind: { type: 'string', enum: KINDS, description: '事件类别 · kind' },
        archivedAt: instant('存档时间，即终结时间 · when it was archived: when the record ended'),
        body: { type: 'object', description: '与发布时同形，全部字段 · in the form it was published in, with all fields' },
      }),
    },
  }),
}

export const ENDED_SCHEMAS = [ERASURE, ARCHIVE]

const ID = '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10'
const AT = '2026-03-15T01:30:00.000Z'

export const ERASURE_EXAMPLE = {
  region: REGIONS[0], stream: DATA_STREAMS[0], recordId: 'sh-12315/1', version: '5', eventId: ID, caller: 'sh-officer', why: '依当事人申请，案卷 2026-017', at: AT, logForgetsBy: '2026-03-21T01:30:00.000Z', duplicate: false,
}
export const ARCHIVE_EXAMPLE = {
  region: REGIONS[0], stream: DATA_STREAMS[0], recordId: 'sh-12315/1',
  versions: [{ version: '4', eventId: ID, kind: 'follow-up', archivedAt: AT, body: sample('cn.yrd.complaint.Complaint') }],
}
