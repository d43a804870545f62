import { REGIONS } from '@hub/schemas/streams'
import { reasonText } from '../parked/reasons.ts'

const object = (properties: Record<string, object>, optional: readonly string[] = []): object => ({ type: 'object', additionalProperties: false, required: Object.keys(properties).filter((name) => !optional.includes(name)), properties })
const text = (description: string): object => ({ type: 'string', description })
const instant = (description: string): object => ({ type: 'string', format: 'date-time', description })
const decimal = (description: string): object => ({ type: 'string', pattern: '^\\d+$', description })
const integer = (description: string): object => ({ type: 'integer', minimum: 0, description })
const orNull = (schema: object): object => ({ ...schema, type: [(schema as { type: string }).type, 'null'] })
const region = { type: 'string', enum: REGIONS }

const PLACE = { topic: text('主题 · topic'), partition: integer('分区 · partition'), offset: decimal('偏移 · offset') }
const REASON = { reason: text('原因 · why'), zh: text('原因，中文 · why, in Chinese'), en: text('原因，英文 · why, in English') }
const TODO = object({ zh: text('如何处理 · what to do, in Chinese'), en: text('what to do, in English') })
const SUPERSEDED_BY = orNull(object({ version: decimal('版本 · version'), offset: decimal('偏移 · offset') }))
const CONTACT = orNull(object({ source: text('来源系统 · source system'), owner: text('责任单位 · office that answers for it'), dutyLine: text('值班电话 · whom to call') }))

const ENTRY = {
  ...PLACE,
  key: text('键 · key'),
  subject: orNull(text('信用代码 · credit code')),
  ...REASON,
  at: instant('搁置时间 · since when'),
  buriedBy: orNull(decimal('同键下一事件的偏移；为空则没有 · offset of the next event of the key, whatever it is; null = none')),
}
const NEXT = orNull(text('下一页的 after；末页为空 · `after` of the next page; null on the last'))

export const PARKED_SCHEMAS = [
  { $id: 'Parked', ...object({ parked: { type: 'array', items: object(ENTRY) }, next: NEXT }) },
  {
    $id: 'ParkedEvent',
    ...object({
      ...ENTRY,
      region: { ...region, description: '发布地区 · region that published it' },
      stream: text('数据流 · stream'),
      generation: text('主题世代 · generation of the topic'),
      hash: { type: 'string', pattern: '^[0-9a-f]{32}$', description: '偏移和内容的散列，四地相同 · hash over offset and value, the same in all regions' },
      state: { type: 'string', enum: ['open', 'buried', 'superseded', 'redriven'] },
      todo: TODO,
      supersededBy: SUPERSEDED_BY,
      contact: CONTACT,
      redriven: orNull(object({ at: instant('时间 · when'), class: text('处理后的类别 · what it is counted as now'), who: text('何人 · who'), why: text('为何 · why') })),
    }),
  },
  {
    $id: 'ParkedOfOrigin',
    ...object({
      parked: {
        type: 'array',
        items: object({
          ...PLACE, stream: text('数据流 · stream'), key: text('记录 · record'), ...REASON, todo: TODO, at: instant('最早搁置时间 · when it was parked first'),
          regions: { type: 'array', items: object({ region, reason: text('原因 · why'), at: instant('搁置时间 · since when') }) }, supersededBy: SUPERSEDED_BY, contact: CONTACT,
        }),
      },
      next: NEXT,
    }),
  },
  {
    $id: 'Redrive',
    ...object({
      id: { type: 'string', format: 'uuid' },
      topic: orNull(text('主题；空为全部 · topic; null = all')), partition: orNull(integer('分区 · partition')), offset: orNull(decimal('偏移 · offset')), reason: orNull(text('搁置原因 · reason')),
      who: text('何人 · who'), why: text('为何 · why'), requestedAt: instant('请求时间 · asked'), finishedAt: orNull(instant('完成时间 · done')),
      applying: { type: 'boolean', description: '此刻有进程在应用；没有则无人处理 · a process applies now; without one nobody takes it up' },
      state: { type: 'string', enum: ['waiting', 'done'] },
      outcome: orNull(object({
        redriven: { type: 'object', additionalProperties: { type: 'integer' }, description: '不再搁置的，按类别 · parked no more, by class' },
        parked: integer('仍无法读取 · still bad'), gone: integer('日志已压缩 · not on the log any more'),
        events: { type: 'array', items: object({ ...PLACE, result: { type: 'string', enum: ['redriven', 'parked', 'gone'] }, class: text('类别 · class'), reason: text('原因 · why') }, ['class', 'reason']) },
      })),
    }),
  },
]

const AT = '2026-03-15T01:30:00.000Z'
const { zh, en, todo } = reasonText('undecodable')
const EXAMPLE_PLACE = { topic: 'sh.complaint', partition: 0, offset: '12' }
const EXAMPLE_ENTRY = { ...EXAMPLE_PLACE, key: 'sh-12315/1', subject: null, reason: 'undecodable', zh, en, at: AT, buriedBy: null }
const EXAMPLE_CONTACT = { source: 'sh-12315', owner: '上海市市场监督管理局', dutyLine: '021-12315000' }
export const PARKED_EXAMPLE = { parked: [EXAMPLE_ENTRY], next: null }
export const PARKED_DETAIL_EXAMPLE = {
  ...EXAMPLE_ENTRY, region: REGIONS[0], stream: 'complaint', generation: '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10', hash: '0123456789abcdef0123456789abcdef', state: 'open', todo, supersededBy: null, contact: EXAMPLE_CONTACT, redriven: null,
}
export const ORIGIN_PARKED_EXAMPLE = {
  parked: [{ ...EXAMPLE_PLACE, stream: 'complaint', key: 'sh-12315/1', reason: 'undecodable', zh, en, todo, at: AT, regions: REGIONS.map((one) => ({ region: one, reason: 'undecodable', at: AT })), supersededBy: null, contact: EXAMPLE_CONTACT }], next: null,
}
export const REDRIVE_EXAMPLE = {
  id: '019b76da-a87b-7c54-9e0f-2f1f6d2c5a10', ...EXAMPLE_PLACE, reason: null, who: 'operator', why: '升级到 1.4 · release 1.4', requestedAt: AT, finishedAt: AT, applying: true, state: 'done',
  outcome: { redriven: { applied: 1 }, parked: 0, gone: 0, events: [{ ...EXAMPLE_PLACE, result: 'redriven', class: 'applied' }] },
}
