import { DATA_STREAMS, REGIONS } from '@hub/schemas/streams'
import { SAMENESS } from '../convergence/convergence.ts'

const object = (properties: Record<string, object>): object => ({ type: 'object', additionalProperties: false, required: Object.keys(properties), properties })
const decimalOrNull = (description: string): object => ({ type: ['string', 'null'], pattern: '^\\d+$', description })
const instant = (description: string): object => ({ type: ['string', 'null'], format: 'date-time', description })
const words = (description: string): object => ({ type: ['string', 'null'], description })
const integer = (description: string): object => ({ type: 'integer', minimum: 0, description })
const region = { type: 'string', enum: REGIONS }
const digest = (description: string): object => ({ type: ['string', 'null'], pattern: '^[0-9a-f]{32}$', description })

const STANDING = {
  verdict: { type: 'string', enum: SAMENESS, description: 'equal 一致；behind 落后，已比对部分一致；unknown 尚无法比较；parked sets differ 搁置的事件不同；different 不一致' },
  asOf: instant('最近的共同校验点 · the newest common checkpoint'),
  since: instant('此结论自何时起；一致和落后时，自何时起未见差异 · since when it is so; of equal and behind, since when nothing differed'),
  reason: words('原因 · why'),
}

const FINDING = object({
  recordId: { type: 'string' }, what: { type: 'string', enum: ['missing', 'surplus', 'changed', 'unverifiable', 'miscounted'] },
  fields: { type: 'array', items: object({ field: { type: 'string' }, here: words('副本中的值；不可显示的为其散列 · as it stood here; a hash where it may not be shown'), log: words('日志中的值 · as the log has it') }) },
})

export const CONVERGENCE_SCHEMA = {
  $id: 'Convergence',
  ...object({
    region,
    ...STANDING,
    topics: { type: 'array', items: object({ origin: region, stream: { type: 'string', enum: DATA_STREAMS }, ...STANDING }) },
    regions: { type: 'array', items: object({ region, at: instant('最近的校验点 · its newest checkpoint'), silent: { type: 'boolean', description: '五分钟以上没有消息 · nothing heard for five minutes' } }) },
    scrub: object({
      oldest: instant('最早一次核对；第一遍未完成时为空 · when the partition was looked at that waits longest; null during the first pass'),
      rows: integer('核对的行数 · rows'), looked: integer('已核对的分区 · partitions looked at'), partitions: integer('分区数 · partitions'), different: integer('未能修复的分区 · partitions that could not be put right'),
    }),
    partitions: {
      type: 'array',
      items: object({
        origin: region, stream: { type: 'string', enum: DATA_STREAMS }, topic: { type: 'string' }, partition: { type: 'integer' }, ...STANDING,
        nextOffset: decimalOrNull('比较所在的位移 · the offset that is compared'),
        replicas: { type: 'array', items: object({ region, nextOffset: decimalOrNull('最近的校验点 · newest checkpoint'), at: instant('时间 · time'), digest: digest('记录摘要 · digest of the records'), parkedDigest: digest('搁置摘要 · digest of the parked') }) },
        scrub: { ...object({ at: { type: 'string', format: 'date-time' }, rows: integer('行数 · rows'), result: { type: 'string', enum: ['equal', 'repaired', 'different'] }, reason: words('原因 · why'), since: instant('自何时起 · since'), findings: { type: 'array', items: FINDING } }), type: ['object', 'null'] },
      }),
    },
  }),
}

const AT = '2026-03-15T01:30:00.000Z'
const DIGEST = '0123456789abcdef0123456789abcdef'
const EQUAL = { verdict: 'equal', asOf: AT, since: AT, reason: null }

export const CONVERGENCE_EXAMPLE = {
  region: REGIONS[0], ...EQUAL,
  topics: [{ origin: REGIONS[0], stream: 'complaint', ...EQUAL }],
  regions: REGIONS.map((one) => ({ region: one, at: AT, silent: false })),
  scrub: { oldest: AT, rows: 2, looked: 1, partitions: 1, different: 0 },
  partitions: [{
    origin: REGIONS[0], stream: 'complaint', topic: `${REGIONS[0]}.complaint`, partition: 0, ...EQUAL, nextOffset: '31',
    replicas: REGIONS.map((one) => ({ region: one, nextOffset: '31', at: AT, digest: DIGEST, parkedDigest: '0'.repeat(32) })),
    scrub: { at: AT, rows: 2, result: 'equal', reason: null, since: null, findings: [] },
  }],
}
