import type { DataStream, Region } from './streams.ts'

/** One thing wrong with an input: where, which rule, what would have been right. Never the value. */
export interface Invalid {
  /** Path in the input (`parties[2].uscc`); empty = the input itself. */
  readonly field: string
  readonly rule: string
  readonly expected: string
}

/** What a rule or a flag says, and what to do about it; in zh-CN and English each. */
export type RuleText = readonly [zh: string, en: string, todoZh: string, todoEn: string]

/** Why an event is refused; the texts are said of a field. */
export const READ_RULES = {
  type: ['类型不符', 'is of the wrong type', '按契约给出此类型的值', 'send a value of the type that the contract names'],
  required: ['缺少必填字段', 'is required', '补上此字段', 'add the field'],
  'unknown-field': ['契约中没有此字段', 'is not a field of the contract', '删去此字段，或改用契约中的名称', 'leave it out or use a name of the contract'],
  empty: ['为空字符串，没有值时请省略或写 null', 'is empty: leave it out or say null', '省略该字段或写 null', 'leave the field out or say null'],
  'too-long': ['超过长度上限', 'is too long', '缩短到上限以内；不要截断编号', 'shorten it to the limit; never cut an identifier'],
  'too-many': ['条目过多', 'has too many items', '只保留上限以内的条目，其余另发一条记录', 'keep to the limit and send the rest as another record'],
  'lone-surrogate': ['含有不成对的代理字符', 'holds a lone surrogate', '检查来源的字符编码转换', 'mend the conversion of characters at the source'],
  'control-character': ['含有控制字符', 'holds a control character', '去除控制字符（制表符和换行可保留）', 'remove control characters; tabs and line ends may stay'],
  pattern: ['格式不符', 'is not of the right form', '按“应为”所示的形式给出', 'write it in the form that was expected'],
  uuid: ['不是 UUID', 'is not a UUID', '省略 eventId 即可，网关会给出', 'leave eventId out: the gateway gives one'],
  'record-id': ['不是“来源系统/记录编号”的形式', 'is not of the form source/number', '写作“来源系统/记录编号”，来源系统用小写字母和数字', 'write source/number, the source in lower-case letters and digits'],
  'uscc-form': ['不是 18 位统一社会信用代码', 'is not a credit code of 18 characters', '给出 18 位代码；没有时省略', 'send all 18 characters, or leave it out'],
  gb2260: ['不是行政区划代码', 'is not a division code', '给出 6、9 或 12 位行政区划代码', 'send a division code of 6, 9 or 12 digits'],
  'unknown-code': ['代码表中没有此代码', 'is not in its code table', '改用代码表中的代码', 'use a code of the table'],
  'code-form': ['不是代码的形式', 'is not of the form of a code', '代码只含字母、数字和 . _ -，至多 40 位', 'a code has letters, digits and . _ - alone, at most 40'],
  integer: ['不是整数', 'is not a whole number', '给出整数', 'send a whole number'],
  range: ['超出范围', 'is out of range', '给出“应为”范围内的值', 'send a value within what was expected'],
  date: ['不是有效日期', 'is not a date', '写作 YYYY-MM-DD，且该日存在', 'write YYYY-MM-DD, a day that exists'],
  instant: ['不是带时区的有效时间', 'is not a time with an offset', '写作带时区的 RFC 3339 时间', 'write RFC 3339 with an offset'],
  future: ['晚于当前时间', 'lies in the future', '检查来源系统的时钟', 'check the clock of the source system'],
  identity: ['含有疑似身份证号码', 'holds what may be an identity number', '改用不含身份证号码的编号或名称；该值未被保留', 'use a number or name without it; the value was not kept'],
  'wrong-region': ['不是本网关所在地区', "is not this gateway's region", '发往该记录所属地区的网关', 'send it to the gateway of the region it belongs to'],
  'region-mismatch': ['与行政区划代码不一致', 'does not agree with the division', '更正地区或行政区划代码，或省略地区', 'mend region or division, or leave the region out'],
  'day-mismatch': ['与登记时间不是同一天', 'is not the day of the time of registration', '按北京时间给出登记当日', 'give the day of registration in Asia/Shanghai'],
  'penalty-listing': ['名单与行政处罚不可混用', 'mixes a listing and a penalty', '名单用 listing，行政处罚用 penalty，各为一条记录', 'send the listing and the penalty as two records'],
  'overturned-published': ['复检改变结论的不合格信息不得公示，应撤销(void)', 'was overturned: it must not be published but be void', '以 kind void 发布，撤销原记录', 'publish it with kind void'],
} as const satisfies Record<string, RuleText>

export type ReadRule = keyof typeof READ_RULES

/** What is doubtful about an accepted event. */
export const READ_FLAGS = {
  'uscc-check-failed': ['统一社会信用代码校验未通过', 'a credit code fails its check', '向登记机关核对代码后发布更正（correction）；在此之前按原样使用', 'check the code with the register and publish a correction; until then it is used as it is'],
  'identity-dropped': ['疑似身份证号码，已去除', 'what may be an identity number was left out', '在来源系统中去除该号码', 'remove the number at the source'],
  'unknown-code': ['代码表中没有的代码', 'a code is not in its table', '改用代码表中的代码，或通知本地区运维更新代码表', 'use a code of the table, or tell the operator that the table lacks one'],
  'subject-unidentified': ['当事人没有信用代码、注册号或主体身份代码', 'the subject has no identifier', '补充信用代码后发布更正，否则无法按企业查询', 'add a credit code and publish a correction: without one nobody finds it by firm'],
  'removal-before-listing': ['移出日期早于列入日期', 'the removal is dated before the listing', '核对两个日期；在更正前该名单暂不对外展示', 'check both dates; the listing is not shown until they are mended'],
  'other-authority': ['移出机关不是列入机关', 'another authority removed than listed', '确认移出机关；属实则无需处理', 'make sure of the authority; if it is right there is nothing to do'],
  'no-failing-item': ['未列明不合格项目', 'no failing item is named', '补充不合格项目后发布更正', 'add the failing items and publish a correction'],
} as const satisfies Record<string, RuleText>

export type ReadFlag = keyof typeof READ_FLAGS

/** More problems than these of one event are not told. */
const MAX_PROBLEMS = 50

/** What is found while one event is read. */
export class Reading {
  readonly problems: Invalid[] = []
  readonly flags: ReadFlag[] = []
  /** Of the input, where given. */
  version: number | undefined = undefined
  recordedAt: number | undefined = undefined
  readonly stream: DataStream
  readonly region: Region
  /** ms UTC */
  readonly now: number
  /** Today in Asia/Shanghai, `YYYY-MM-DD`. */
  readonly today: string

  constructor(stream: DataStream, region: Region, now: number, today: string) {
    this.stream = stream
    this.region = region
    this.now = now
    this.today = today
  }

  refuse(field: string, rule: ReadRule, expected: string): undefined {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ field, rule, expected })
  }

  flag(flag: ReadFlag): void {
    if (!this.flags.includes(flag)) this.flags.push(flag)
  }
}
