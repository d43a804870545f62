import { READ_RULES, type RuleText } from '@hub/schemas/read-event'
import { CLOUDEVENT_RULES } from '../publish/cloudevent.ts'

/** What the gateway says of one event (design 11), what that means, and what to do. The other verdicts of the list belong to imports. */
export const VERDICT_TEXTS = {
  accepted: ['已接受', 'accepted: the first version of the record is durable', '无需处理', 'nothing'],
  'new-version': ['新版本已接受', 'new-version: a newer version of the record is durable', '无需处理', 'nothing'],
  duplicate: ['重复：此前已发布，回执为首次发布的回执', 'duplicate: it was published before; the receipt is that of the first time', '无需处理', 'nothing'],
  stale: ['过期：已有更新的版本，或记录已终结，未发布', 'stale: a newer version is published, or the record has ended; not published', '看所列规则；通常无需处理', 'see its rule; mostly nothing'],
  conflict: ['冲突：同一版本已以其他内容发布，未发布', 'conflict: the same version stands published with other content; not published', '核对来源，内容有变时以更高版本号重发', 'check the source; send changed content with a higher version'],
  refused: ['拒绝：不符合契约或无权发布，未发布', 'refused: it breaks the contract or a right is missing; not published', '按所列字段和规则修改后重发', 'mend the fields that are named and send it again'],
} as const satisfies Record<string, RuleText>
export type VerdictKind = keyof typeof VERDICT_TEXTS
export const VERDICTS = Object.keys(VERDICT_TEXTS) as VerdictKind[]

/** One reason of a refusal: the field, the rule it breaks, what was expected. Never the value. */
export interface Problem {
  field: string
  rule: string
  expected: string
  zh: string
  en: string
}

export interface Verdict {
  /** Line of an NDJSON body, from 1. */
  line?: number
  /** Place in a JSON array, from 0. */
  index?: number
  recordId?: string
  verdict: VerdictKind
  /** Of a duplicate: the event that was published first. */
  eventId?: string
  version?: number
  /** What is doubtful about an accepted event. */
  flags: string[]
  problems?: Problem[]
  /** Where the receipt is served. */
  receipt?: string
}

export type Summary = Record<VerdictKind, number> & { total: number }

export function emptySummary(): Summary {
  return { accepted: 0, 'new-version': 0, duplicate: 0, stale: 0, conflict: 0, refused: 0, total: 0 }
}

export function count(summary: Summary, verdict: VerdictKind): void {
  summary[verdict]++
  summary.total++
}

export function receiptPath(eventId: string): string {
  return `/v1/receipts/${eventId}`
}

/** Every reason of a refusal, those of reading an event included: code to what it says of a field and what to do. */
export const RULES: Readonly<Record<string, RuleText>> = {
  ...READ_RULES,
  ...CLOUDEVENT_RULES,
  'invalid-utf8': ['不是有效的 UTF-8 编码', 'is not valid UTF-8', '以 UTF-8 重新导出', 'export it again as UTF-8'],
  'malformed-json': ['不是格式正确的 JSON', 'is not well-formed JSON', '用 JSON 库生成，不要拼接字符串', 'write it with a JSON library, not by joining strings'],
  'too-deep': ['嵌套层数过多', 'is nested too deeply', '按契约的结构给出', 'keep to the shape of the contract'],
  'duplicate-key': ['同一对象中字段重复出现', 'stands twice in one object', '每个字段只写一次', 'write each field once'],
  'event-too-large': ['超过单个事件的大小上限', 'is larger than an event may be', '检查是否误放了附件或多条记录', 'look for an attachment or several records in one event'],
  'source-not-allowed': ['该调用方不得发布此来源系统的记录', 'names a source system this caller may not publish for', '改用自己的来源系统，或请本地区运维在调用方中登记', 'use a source of your own, or have the operator add it to the caller'],
  'authority-not-allowed': ['该调用方不得以此机关名义发布', 'names an authority this caller may not publish for', '改用自己的机关，或请本地区运维在调用方中登记', 'use an authority of your own, or have the operator add it to the caller'],
  'older-version': ['已发布更新的版本，此版本不再发布', 'is older than the version already published', '无需处理；如内容有变，以更高版本号重发', 'nothing; if the content has changed send it with a higher version'],
  ended: ['记录已终结，仅可恢复（restored）或以更高的来源版本号重新发布', 'of a record that has ended: only `restored` or a higher version of its source brings it back', '确属恢复时以 kind restored 发布', 'publish it with kind restored if it really is back'],
  erased: ['记录已清除，来源再报也不恢复', 'of a record that was erased: what its source sends brings it back no more', '无需处理；确应恢复时以 kind restored 发布', 'nothing; publish it with kind restored if it must come back'],
  'version-conflict': ['同一版本已发布，但内容不同', 'was published before with other content', '内容有变时以更高版本号发布；先发布的内容有效', 'publish changed content with a higher version; what was published first stands'],
}

/** A problem from the catalogue; `expected` says what would have been right, in words that need no translation. */
export function problem(rule: string, field: string, expected: string): Problem {
  return { field, rule, expected, ...ruleText(rule, field) }
}

/** What a rule says of a field; an empty one is the event itself. */
export function ruleText(rule: string, field: string): { zh: string; en: string } {
  const [zh, en] = RULES[rule] ?? [rule, `breaks ${rule}`]
  return { zh: field === '' ? zh : `${field}：${zh}`, en: `${field === '' ? 'the event' : field} ${en}` }
}
