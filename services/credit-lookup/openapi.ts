import { contractByName } from '@hub/schemas/contracts'
import { sampleRecord } from '@hub/schemas/samples'
import { PARTITIONS, REGIONS } from '@hub/schemas/streams'
import { answer, momentOf, told } from './answer.ts'
import { DOUBTS, type RegionFacts } from './completeness.ts'
import { cursorText } from './changes/cursor.ts'

const text = (description: string): object => ({ type: 'string', description })
const instant = (description: string): object => ({ type: 'string', format: 'date-time', description })
const nullable = (schema: object): object => ({ ...schema, type: ['string', 'null'] })
const list = (items: object, description?: string): object => ({ type: 'array', items, ...(description !== undefined && { description }) })
const object = (properties: Record<string, object>, optional: readonly string[] = []): object => ({
  type: 'object', additionalProperties: false, required: Object.keys(properties).filter((name) => !optional.includes(name)), properties,
})
const region = { type: 'string', enum: REGIONS }
const ref = (name: string): object => ({ $ref: `${name}#` })

const SHOWN = {
  $id: 'CreditShown',
  ...object({
    region,
    list: object({ zh: text('名单的法定名称'), en: text('the list in English') }),
    reachedHubAt: nullable(instant('到达枢纽的时间 · when it reached the hub')),
    evidence: object({ topic: text('主题 · topic'), partition: { type: 'integer' }, offset: { type: 'integer' }, eventId: { type: 'string', format: 'uuid' } }, ['eventId']),
    record: { type: 'object', description: '记录中您可见的字段：名称、事由、机关、文号、日期、期满日等，见契约 CreditRecord · the fields of the record that you may see; see the contract CreditRecord' },
  }),
}
const DOUBT = {
  $id: 'CreditDoubt',
  ...object({ code: { type: 'string', enum: DOUBTS, description: '稳定代码 · stable code' }, source: text('欠交付的来源 · the source that owes a hand-over'), text: text('说明 · for people') }, ['source']),
}
const incomplete = list(object({ region, doubts: list(ref('CreditDoubt')) }), '数据不完整的地区及原因 · regions that may list the firm without our knowing, and why')
const position = object({ topic: text('主题 · topic'), partition: { type: 'integer' }, generation: text('主题世代 · generation'), next: { type: 'integer', description: '下一偏移 · next offset' } })
const AS_OF = {
  $id: 'CreditAsOf',
  ...object({
    region,
    complete: { type: 'boolean' },
    positions: list(position),
    transportAgeSeconds: { type: ['number', 'null'], description: '距最近消息的秒数 · seconds since its newest word' },
    sources: list(object({ source: text('来源 · source'), lastHandOver: nullable(instant('最近一次完整交付 · last complete hand-over')) })),
  }),
}
const asked = {
  uscc: { type: ['string', 'null'], description: '统一社会信用代码；以注册号查询且不唯一时为空 · the code; null where a registration number stands beside none or several' },
  regNo: text('所问注册号 · the registration number that was asked for'),
  codes: list({ type: 'string' }, '现行记录中与该注册号同在的代码 · codes that stand beside it in current records'),
  verdict: { type: 'string', enum: ['listed', 'not-listed', 'unknown'] },
  flags: list({ type: 'string', enum: ['check-failed'] }, 'check-failed：校验位不符 · a check character does not hold'),
  listings: list(ref('CreditShown'), '现行有效的列入 · listings in force'),
  penalties: list(ref('CreditShown'), '行政处罚，不影响结论 · penalties, which never decide'),
  withheld: list(ref('CreditShown'), '本地区机关可见：已屏蔽、届满或未公示 · of its own region, for its bureaus: shielded, past its term or not public'),
  incomplete,
}
const CURSOR = text('自存副本者由此续读变更 · whoever keeps the answer follows the changes from here on')
const ANSWER = {
  $id: 'CreditAnswer',
  ...object({ ...asked, at: instant('作答时间 · when'), cursor: CURSOR, asOf: list(ref('CreditAsOf')), jws: text('技术凭证（JWS），非电子印章 · technical proof, not an electronic seal') }, ['regNo', 'codes', 'jws']),
}
const EARLIER = {
  $id: 'CreditAnswerAsOf',
  ...object({
    uscc: { type: 'string' }, verdict: { type: 'string', enum: ['listed', 'unknown'] }, flags: asked.flags, listings: asked.listings, penalties: asked.penalties,
    asked: instant('所问时间 · the time that was asked for'), at: instant('副本所记录的、不晚于它的时间 · the time at or before it that the replica wrote down'), positions: list(position),
    note: object({ zh: text('说明'), en: text('what is not included') }), jws: text('技术凭证（JWS），非电子印章 · technical proof, not an electronic seal'),
  }, ['jws']),
}
const CANDIDATES = {
  $id: 'CreditCandidates',
  ...object({
    candidates: list(object({ name: text('名称 · name'), uscc: { type: ['string', 'null'] }, regNo: { type: ['string', 'null'] }, division: { type: ['string', 'null'], description: '登记地区划 · division of registration' } })),
    more: { type: 'boolean', description: '还有，请输入更多字 · there are more: give more of the name' },
  }),
}
/** Lines of a batch, which no schema of OpenAPI can refer to. */
const LINES = [
  { $id: 'CreditBatchHead', ...object({ head: object({ at: instant('作答时间 · when'), cursor: CURSOR, asOf: list(ref('CreditAsOf')), incomplete }) }) },
  { $id: 'CreditBatchLine', ...object(asked, ['regNo', 'codes']) },
  { $id: 'CreditBatchProblem', ...object({ problem: object({ code: { const: 'CODE_WRONG' }, reason: { type: 'string', enum: ['identity-shaped', 'wrong-length', 'wrong-character'] }, detail: text('哪里有误 · what is wrong') }) }) },
  { $id: 'CreditBatchSummary', ...object({ summary: object(Object.fromEntries(['listed', 'not-listed', 'unknown', 'wrong'].map((name) => [name, { type: 'integer' }]))) }) },
]

/** The parts that the routes' documents name. */
export const COMPONENTS = [SHOWN, DOUBT, AS_OF, ANSWER, EARLIER, CANDIDATES, ...LINES]

const NOW = Date.parse('2026-03-16T10:00:00+08:00')
const GENERATION = '3f2a9c1b-77d0-4c55-8d6e-0d2f0a1c9b44'
const facts = REGIONS.map((one): RegionFacts => ({
  region: one, transportAgeMs: 1_240, unreadable: 0, proof: 'equal',
  sources: [{ sourceSystem: `${one}-credit`, cadenceSeconds: 86_400, baselineComplete: true, lastHandOverAt: NOW - 3_600_000 }],
  positions: Array.from({ length: PARTITIONS['credit-blacklist'] }, (_, partition) => ({ topic: `${one}.credit-blacklist`, partition, generation: GENERATION, next: 41_802 + partition })),
}))
const record = sampleRecord('cn.yrd.credit_blacklist.CreditRecord')
const code = (record['subject'] as { uscc: string }).uscc
const viewer = { kind: 'operator' } as const
const found = { contract: contractByName('cn.yrd.credit_blacklist.CreditRecord')!, record, topic: `${String(record['region'])}.credit-blacklist`, partition: 1, offset: 40_117 }
const moment = (of: readonly RegionFacts[]) => momentOf(of, cursorText('5f0c2a91', of.flatMap(({ positions }) => positions.map(({ next }) => next))), NOW)

const [now, silent] = [moment(facts), moment(facts.with(1, { ...facts[1]!, transportAgeMs: 95_000 }))]
const nobody = { ok: true, code: '91310000132260250X', checkHolds: true } as const

/** Made by the code that answers, of the sample of the contract. */
export const EXAMPLES = {
  listed: told(answer({ ok: true, code, checkHolds: true }, [found], [], now, viewer), now),
  notListed: told(answer(nobody, [], [], now, viewer), now),
  unknown: told(answer(nobody, [], [], silent, viewer), silent),
  candidates: { candidates: [{ name: '义乌市某某贸易有限公司', uscc: code, regNo: null, division: '330782' }], more: false },
}
const { listings, penalties, uscc } = EXAMPLES.listed
export const EARLIER_EXAMPLE = {
  uscc, verdict: 'listed', flags: [], listings, penalties, asked: '2026-03-15T02:00:00.000Z', at: '2026-03-15T01:59:30.120Z',
  positions: facts[2]!.positions, note: { zh: '不含此后停止共享的记录。', en: 'Records that are no longer shared are not included.' },
}
export const BATCH_EXAMPLE = [
  { head: { at: EXAMPLES.listed.at, cursor: EXAMPLES.listed.cursor, asOf: [], incomplete: [] } },
  Object.fromEntries(Object.entries(EXAMPLES.notListed).filter(([name]) => !['at', 'cursor', 'asOf'].includes(name))),
  { problem: { code: 'CODE_WRONG', reason: 'wrong-length', detail: '统一社会信用代码为 18 位（注册号 15 位数字），收到 17 位 · a code has 18 characters (a registration number 15 digits), this has 17' } },
  { summary: { listed: 0, 'not-listed': 1, unknown: 0, wrong: 1 } },
].map((line) => `${JSON.stringify(line)}\n`).join('')
