import { sample } from '@hub/schemas/samples'
import { DATA_STREAMS, REGIONS } from '@hub/schemas/streams'

const text = (description: string): object => ({ type: 'string', description })
const decimal = (description: string): object => ({ type: 'string', pattern: '^-?\\d+$', description })
const object = (properties: Record<string, object>, optional: readonly string[] = []): object => ({
  type: 'object', additionalProperties: false, required: Object.keys(properties).filter((name) => !optional.includes(name)), properties,
})

const region = { type: 'string', enum: REGIONS, description: '发布地区 · origin' }
const cursor = { type: 'string', pattern: '^[0-9a-f-]{36}-\\d+$', description: '游标：<副本编号>-<序号> · cursor: <replica>-<number>' }
const replica = { type: 'string', format: 'uuid', description: '副本编号；恢复或重建后更换，旧游标随之失效 · id of the replica; a restored or rebuilt one has another, and older cursors are void' }
const identity = { region, recordId: text('记录编号 · record id'), version: decimal('版本 · version') }
const content = {
  kind: text('事件类别 · kind'),
  partition: { type: 'integer' },
  offset: decimal('在日志中的位置 · place in the log'),
  eventId: text('事件编号 · event id'),
  reach: { type: 'string', enum: ['action', 'attention'], description: '抽检不合格对本地区：action 需处置，attention 供知悉 · an inspection failure: to act on, or to take note of' },
  body: { type: 'object', description: '与发布时同形，仅含您可见的字段 · in the form it is published in, with the fields that you may see' },
}

/** Components of the change feed and the snapshots. */
export const FEED_SCHEMAS = [
  { $id: 'Put', ...object({ cursor, op: { type: 'string', const: 'put' }, ...identity, ...content }, ['reach']) },
  { $id: 'Remove', ...object({ cursor, op: { type: 'string', const: 'remove' }, ...identity }) },
  { $id: 'Change', oneOf: [{ $ref: 'Put#' }, { $ref: 'Remove#' }] },
  {
    $id: 'Changes',
    ...object({
      replica,
      next: { ...cursor, description: '下一次的 after · `after` of the next request' },
      upToDate: { type: 'boolean', description: '已到本副本的末尾 · this is the end of this replica for now' },
      changes: { type: 'array', items: { $ref: 'Change#' } },
    }),
  },
  { $id: 'SnapshotRecord', ...object({ ...identity, ...content }, ['reach']) },
  {
    $id: 'SnapshotHead',
    ...object({
      replica, cursor: { ...cursor, description: '由此续读变更流 · the change feed goes on from here' }, at: { type: 'string', format: 'date-time', description: '取自此刻 · the moment it is of' },
      stream: { type: 'string', enum: DATA_STREAMS }, region: { ...region, description: '副本所在地区 · region of the replica' },
      filters: object({ region, involves: region, role: text('角色 · role') }, ['region', 'involves', 'role']),
    }),
  },
  { $id: 'SnapshotSummary', ...object({ records: { type: 'integer', description: '记录行数 · record lines' }, sha256: { type: 'string', pattern: '^[0-9a-f]{64}$', description: '全部记录行的 SHA-256 · of the record lines' }, cursor }) },
]

const ID = '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10'
const REPLICA = '5b0f4f0e-0d0c-4b1f-9a76-0c6f1f4d2a11'
const RECORD = { region: REGIONS[0], recordId: 'sh-12315/1', version: '2', kind: 'follow-up', partition: 4, offset: '1042', eventId: ID, body: sample('cn.yrd.complaint.Complaint') }
const PUT = { cursor: `${REPLICA}-977`, op: 'put', ...RECORD }
const REMOVE = { cursor: `${REPLICA}-978`, op: 'remove', region: REGIONS[1], recordId: 'js-12315/7', version: '5' }

export const CHANGES_EXAMPLE = { replica: REPLICA, next: REMOVE.cursor, upToDate: true, changes: [PUT, REMOVE] }
export const EVENTS_EXAMPLE = `id: ${REMOVE.cursor}\nevent: remove\ndata: ${JSON.stringify(REMOVE)}\n\n`
export const SNAPSHOT_EXAMPLE = [
  { head: { replica: REPLICA, cursor: REMOVE.cursor, at: '2026-03-15T01:30:00.000Z', stream: DATA_STREAMS[0], region: REGIONS[0], filters: {} } },
  RECORD,
  { summary: { records: 1, sha256: 'd5a1'.repeat(16), cursor: REMOVE.cursor } },
].map((line) => `${JSON.stringify(line)}\n`).join('')
