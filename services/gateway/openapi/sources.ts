import { CODES } from '@hub/schemas/codes'
import { DATA_STREAMS, REGIONS } from '@hub/schemas/streams'
import { SOURCE_STATES } from '../sources/standing.ts'

const object = (properties: Record<string, object>): object => ({ type: 'object', additionalProperties: false, required: Object.keys(properties), properties })
const text = (description: string): object => ({ type: 'string', description })
const instant = (description: string): object => ({ type: 'string', format: 'date-time', description })
const orNull = (schema: object): object => ({ ...schema, type: [(schema as { type: string }).type, 'null'] })
const seconds = (description: string): object => ({ type: 'number', minimum: 0, description })
const code = (table: string, description: string): object => ({ type: 'string', enum: Object.keys(CODES[table]!.codes), description })

const SOURCE = object({
  region: { type: 'string', enum: REGIONS, description: '来源所在地区 · region of the source' },
  source: text('来源系统：记录编号中“/”之前的部分 · what stands before the / of its record ids'),
  streams: { type: 'array', items: { type: 'string', enum: DATA_STREAMS } },
  state: {
    type: 'string', enum: SOURCE_STATES,
    description: 'fresh 最近一次交付已完整到达且未到期；arriving 已交付，尚未全部到达；overdue 逾期未交付；never 尚未交付过；undeclared 有记录而无申报'
      + ' · fresh: here whole, nothing due; arriving: handed over and not all here yet; overdue: the office owes one; never: none yet; undeclared: records without a declaration',
  },
  ageSeconds: orNull(seconds('距最近一次完整到达的交付 · since the last hand-over that is here whole')),
  overdueSince: orNull(instant('自何时起逾期 · since when the office owes a hand-over')),
  declaration: orNull(object({
    owner: text('责任单位 · office that answers for it'),
    contact: text('值班电话 · its duty line'),
    caller: text('调用方 · caller that publishes for it'),
    mode: code('source-mode', 'full 全量；changes 增量'),
    versionRule: code('version-rule', '版本规则 · where its versions come from'),
    declaredSince: instant('申报时间 · since when it is declared'),
    dueAt: instant('下一次交付的期限 · when the next hand-over is due'),
    cadenceSeconds: { type: 'integer', minimum: 1, description: '报送周期 · longest time between two hand-overs' },
  })),
  lastHandOver: orNull(object({
    id: text('交付编号 · id'),
    at: instant('完成时间 · when it was complete'),
    rows: { type: ['integer', 'null'], minimum: 0, description: '行数 · rows or events that it had' },
    way: code('hand-over-way', 'import 文件；api 接口'),
  })),
  baselineCompleteAt: orNull(instant('首次全量完成时间 · when its first complete load was handed over')),
  arrivingSince: orNull(instant('更新的一次交付自何时起在途 · since when a newer hand-over is on its way here')),
})

export const SOURCES_SCHEMA = { $id: 'Sources', ...object({ region: { type: 'string', enum: REGIONS }, asOf: instant('时间 · when this was so'), sources: { type: 'array', items: SOURCE } }) }

export const HANDED_OVER_SCHEMA = {
  $id: 'HandedOver',
  ...object({
    source: text('来源系统 · source system'),
    handOverId: text('交付编号 · id of the hand-over'),
    at: instant('完成时间；重复时为首次 · when it was complete; of a duplicate, the first time'),
    baselineCompleteAt: orNull(instant('首次全量完成时间 · when its first complete load was handed over')),
    duplicate: { type: 'boolean', description: '此前已收到 · it was told before' },
  }),
}

const AT = '2026-03-15T01:30:00.000Z'
export const HANDED_OVER_EXAMPLE = { source: 'zj-credit', handOverId: 'nightly-2026-03-15', at: AT, baselineCompleteAt: '2026-01-04T18:11:09.000Z', duplicate: false }
export const SOURCES_EXAMPLE = {
  region: REGIONS[0], asOf: AT,
  sources: [{
    region: REGIONS[0], source: 'credit', streams: ['credit-blacklist'], state: 'fresh', ageSeconds: 3600, overdueSince: null,
    declaration: { owner: '市场监督管理局信用监督管理处', contact: '12315', caller: 'credit', mode: 'changes', versionRule: 'update-time', declaredSince: AT, dueAt: AT, cadenceSeconds: 86_400 },
    lastHandOver: { id: HANDED_OVER_EXAMPLE.handOverId, at: AT, rows: 812, way: 'api' }, baselineCompleteAt: AT, arrivingSince: null,
  }, {
    region: REGIONS[0], source: 'unknown', streams: ['complaint'], state: 'undeclared', ageSeconds: null, overdueSince: null, declaration: null, lastHandOver: null, baselineCompleteAt: null, arrivingSince: null,
  }],
}
