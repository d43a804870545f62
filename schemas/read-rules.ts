import type { Text } from './codes.ts'
import type { DataStream, Region } from './streams.ts'

/** One thing wrong with an input: where, which rule, what would have been right. Never the value. */
export interface Invalid {
  /** Path in the input (`parties[2].uscc`); empty = the input itself. */
  readonly field: string
  readonly rule: string
  readonly expected: string
}

/** Why an event is refused; the texts are said of a field. */
export const READ_RULES = {
  type: ['类型不符', 'is of the wrong type'],
  required: ['缺少必填字段', 'is required'],
  'unknown-field': ['契约中没有此字段', 'is not a field of the contract'],
  empty: ['为空字符串,没有值时请省略或写 null', 'is empty: leave it out or say null'],
  'too-long': ['超过长度上限', 'is too long'],
  'too-many': ['条目过多', 'has too many items'],
  'lone-surrogate': ['含有不成对的代理字符', 'holds a lone surrogate'],
  'control-character': ['含有控制字符', 'holds a control character'],
  pattern: ['格式不符', 'is not of the right form'],
  uuid: ['不是 UUID', 'is not a UUID'],
  'record-id': ['不是“来源系统/记录编号”的形式', 'is not of the form source/number'],
  'uscc-form': ['不是 18 位统一社会信用代码', 'is not a credit code of 18 characters'],
  gb2260: ['不是行政区划代码', 'is not a division code'],
  'unknown-code': ['代码表中没有此代码', 'is not in its code table'],
  'code-form': ['不是代码的形式', 'is not of the form of a code'],
  integer: ['不是整数', 'is not a whole number'],
  range: ['超出范围', 'is out of range'],
  date: ['不是有效日期', 'is not a date'],
  instant: ['不是带时区的有效时间', 'is not a time with an offset'],
  future: ['晚于当前时间', 'lies in the future'],
  identity: ['含有疑似身份证号码', 'holds what may be an identity number'],
  'wrong-region': ['不是本网关所在地区', "is not this gateway's region"],
  'region-mismatch': ['与行政区划代码不一致', 'does not agree with the division'],
  'day-mismatch': ['与登记时间不是同一天', 'is not the day of the time of registration'],
  'penalty-listing': ['名单与行政处罚不可混用', 'mixes a listing and a penalty'],
  'overturned-published': ['复检改变结论的不合格信息不得公示,应撤销(void)', 'was overturned: it must not be published but be void'],
} as const satisfies Record<string, Text>

export type ReadRule = keyof typeof READ_RULES

/** What is doubtful about an accepted event. */
export const READ_FLAGS = {
  'uscc-check-failed': ['统一社会信用代码校验未通过', 'a credit code fails its check'],
  'identity-dropped': ['疑似身份证号码,已去除', 'what may be an identity number was left out'],
  'unknown-code': ['代码表中没有的代码', 'a code is not in its table'],
  'subject-unidentified': ['当事人没有信用代码、注册号或主体身份代码', 'the subject has no identifier'],
  'removal-before-listing': ['移出日期早于列入日期', 'the removal is dated before the listing'],
  'other-authority': ['移出机关不是列入机关', 'another authority removed than listed'],
  'no-failing-item': ['未列明不合格项目', 'no failing item is named'],
} as const satisfies Record<string, Text>

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
