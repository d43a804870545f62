import { IMPORT_VERDICTS } from '@hub/connectors/verdict'
import { STATES } from '../imports/store.ts'

const text = (description: string): object => ({ type: 'string', description })
const instant = (description: string): object => ({ type: ['string', 'null'], format: 'date-time', description })
const count = (description: string): object => ({ type: 'integer', minimum: 0, description })
const counts = (description: string): object => ({ type: 'object', additionalProperties: { type: 'integer', minimum: 0 }, description })
const object = (properties: Record<string, object>): object => ({ type: 'object', additionalProperties: false, required: Object.keys(properties), properties })
const nullable = (schema: object): object => ({ ...schema, type: ['object', 'null'] })

const IMPORT = {
  id: { type: 'string', format: 'uuid', description: '导入编号 · id' },
  source: text('来源系统 · source system'),
  caller: text('导入的调用方 · caller that handed it over'),
  file: text('文件名 · name of the file'),
  bytes: count('字节数 · bytes'),
  sha256: { type: 'string', pattern: '^[0-9a-f]{64}$', description: '内容摘要 · hash of its bytes' },
  state: { type: 'string', enum: STATES, description: '状态 · state' },
  dryRun: { type: 'boolean', description: '试运行 · rehearsal' },
  shape: nullable(object({ id: text('形式 · shape'), zh: text('说明'), en: text('what it is'), stream: text('数据流 · stream'), confirmed: { type: 'boolean', description: '由人指定或确认 · named or confirmed by a person' } })),
  recognised: nullable(object({
    zh: text('识别依据'), en: text('why it was recognised so'),
    columns: { type: 'array', items: object({ field: text('字段 · field'), column: text('列名 · column') }), description: '列的对应 · which column is read as what' },
    unmapped: { type: 'array', items: { type: 'string' }, description: '未识别的列，不保留 · columns not known; not kept' },
  })),
  rows: count('已处理的行 · rows settled'),
  events: count('已发布的事件，含按日计数 · events published, counts of reports included'),
  verdicts: { ...counts('各结果的行数 · rows by verdict'), propertyNames: { enum: IMPORT_VERDICTS } },
  flags: counts('各标记的行数 · rows by flag'),
  classes: counts('各类别的行数 · rows by class'),
  repeats: { type: ['string', 'null'], format: 'uuid', description: '内容相同且已导入的文件 · the import before of the same content' },
  absent: { type: ['integer', 'null'], minimum: 0, description: '全量名单：未再列出的记录数，已终结或待确认 · of a complete list: records that it does not name any more, ended or to be confirmed' },
  problem: nullable(object({ code: text('代码 · code'), zh: text('说明'), en: text('what is wrong') })),
  received: { type: 'string', format: 'date-time', description: '接收时间 · taken in' },
  started: instant('开始时间 · begun'),
  ended: instant('结束时间 · ended'),
}
const coded = (name: string): Record<string, object> => ({ [name]: text('代码 · code') })

const ROW = object({
  sheet: { type: ['string', 'null'], description: '工作表 · sheet' },
  row: count('行号，0 为整个文件或表头 · row; 0 = the whole file or its header'),
  rows: count('行数 · how many rows'),
  verdict: { type: 'string', enum: IMPORT_VERDICTS },
  flags: { type: 'array', items: object({ ...coded('code'), zh: text('说明'), en: text('explanation') }) },
  problems: { type: 'array', items: object({ ...coded('rule'), column: text('列 · column'), expected: text('应为 · what would have been right'), zh: text('说明'), en: text('explanation') }) },
})

export const IMPORT_SCHEMAS = [
  { $id: 'Import', ...object(IMPORT) },
  { $id: 'Imports', ...object({ imports: { type: 'array', items: { $ref: 'Import#' } }, next: { type: ['string', 'null'], description: '下一页 · the next page' } }) },
  { $id: 'ImportReport', ...object({ ...IMPORT, problems: { type: 'array', items: ROW }, next: { type: ['string', 'null'], description: '下一页 · the next page of problems' } }) },
]

export const IMPORT_EXAMPLE = {
  id: '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10', source: 'js-12315', caller: 'js-12315-export', file: 'complaints.csv', bytes: 412_883, sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  state: 'done', dryRun: false,
  shape: { id: 'complaint-table', zh: '12315 投诉表', en: 'table of complaints', stream: 'complaint', confirmed: true },
  recognised: null, rows: 1120, events: 987, verdicts: { accepted: 960, refused: 6, tallied: 154 }, flags: { 'unmapped-code': 4 }, classes: { good: 1110, doubtful: 4, bad: 6 }, repeats: null, absent: null, problem: null,
  received: '2026-03-15T01:30:00.000Z', started: '2026-03-15T01:30:00.200Z', ended: '2026-03-15T01:30:01.900Z',
}
