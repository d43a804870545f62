import { READ_RULES } from '@hub/schemas/read-event'

/** What the gateway says of one event (design 11). The other verdicts of the list belong to imports. */
export const VERDICTS = ['accepted', 'new-version', 'duplicate', 'stale', 'conflict', 'refused'] as const
export type VerdictKind = (typeof VERDICTS)[number]

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

/** Every reason of a refusal, those of reading an event included: code to what it says of a field. */
export const RULES: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  ...READ_RULES,
  'invalid-utf8': ['不是有效的 UTF-8 编码', 'is not valid UTF-8'],
  'malformed-json': ['不是格式正确的 JSON', 'is not well-formed JSON'],
  'too-deep': ['嵌套层数过多', 'is nested too deeply'],
  'duplicate-key': ['同一对象中字段重复出现', 'stands twice in one object'],
  'event-too-large': ['超过单个事件的大小上限', 'is larger than an event may be'],
  'source-not-allowed': ['该调用方不得发布此来源系统的记录', 'names a source system this caller may not publish for'],
  'authority-not-allowed': ['该调用方不得以此机关名义发布', 'names an authority this caller may not publish for'],
  'older-version': ['已发布更新的版本，此版本不再发布', 'is older than the version already published'],
  ended: ['记录已终结，仅可恢复（restored）或以更高的来源版本号重新发布', 'of a record that has ended: only `restored` or a higher version of its source brings it back'],
  'version-conflict': ['同一版本已发布，但内容不同', 'was published before with other content'],
}

/** A problem from the catalogue; `expected` says what would have been right, in words that need no translation. */
export function problem(rule: string, field: string, expected: string): Problem {
  const [zh, en] = RULES[rule] ?? [rule, `breaks ${rule}`]
  return { field, rule, expected, zh: field === '' ? zh : `${field}：${zh}`, en: `${field === '' ? 'the event' : field} ${en}` }
}
