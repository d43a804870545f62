import { SHAPES } from '@hub/connectors/shapes/index'
import { ROW_FLAGS, ROW_RULES, SKIP_RULES, type RowFlag } from '@hub/connectors/verdict'
import { READ_FLAGS, type RuleText } from '@hub/schemas/read-event'
import { RULES } from '../verdicts/verdict.ts'
import type { Live } from './live.ts'
import type { ImportRow, ToldRow } from './store.ts'

/** Why an import as a whole came to nothing, or not to all of it. */
export const IMPORT_PROBLEMS = {
  'unknown-shape': ['无法识别文件', 'the file is not recognised', '按识别依据改列名，或指定 shape', 'rename columns as its reason says, or name its shape'],
  'rehearsed-in-part': ['文件很长，只试运行了前一部分', 'the file is long: only its first part was rehearsed', '无需处理：确认后全部导入', 'nothing: all of it is read once it is confirmed'],
  'many-absent': ['文件未再列出的记录较多；新的行已导入', 'many records are not named any more; the rows of the file are in', '确认这些记录已终结，或放弃', 'confirm that they have ended, or give it up'],
  'not-confirmed': ['一天内未确认，文件已删除', 'nobody confirmed it within a day and the file is deleted', '重新导入', 'hand it over again'],
  'given-up': ['已放弃，文件已删除', 'it was given up and the file is deleted', '无需处理', 'nothing'],
  'file-lost': ['文件已不在', 'the file is gone', '重新导入', 'hand it over again'],
  'out-of-memory': ['文件超出内存上限；已导入的行有效', 'it needs more memory than allowed; rows before are in', '拆分后重新导入', 'split the file and hand it over again'],
  internal: ['内部错误；已导入的行有效', 'internal error; rows before are in', '重新导入；再次出现请告知运维（见日志）', 'hand it over again; if it comes again tell the operator, whose log has it'],
} as const satisfies Record<string, RuleText>

/** Verdicts as people read them. */
export const VERDICT_NAMES: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  accepted: ['已接受', 'accepted'], 'new-version': ['新版本', 'new version'], duplicate: ['重复', 'duplicate'], stale: ['过期', 'stale'], conflict: ['冲突', 'conflict'],
  tallied: ['计入统计', 'tallied'], waiting: ['等待相关记录', 'waiting'], refused: ['拒绝', 'refused'], skipped: ['跳过', 'skipped'],
}

/** What only rows and files of imports are told, for the lists of codes. */
export const IMPORT_CODES = {
  rules: ROW_RULES, skips: SKIP_RULES, problems: IMPORT_PROBLEMS,
  flags: Object.fromEntries(Object.entries<RuleText>(ROW_FLAGS).filter(([code]) => !(code in READ_FLAGS))),
} as const

const ALL_RULES: Readonly<Record<string, RuleText>> = { ...RULES, ...SKIP_RULES, ...ROW_RULES, ...IMPORT_PROBLEMS }

/** What is wrong and what to do about it, by its code, in Chinese and English. */
export function ruleText(rule: string): readonly [zh: string, en: string] {
  return withRemedy(rule, ALL_RULES[rule])
}

export function flagText(flag: string): readonly [zh: string, en: string] {
  return withRemedy(flag, ROW_FLAGS[flag as RowFlag])
}

function withRemedy(code: string, text: RuleText | undefined): readonly [zh: string, en: string] {
  if (text === undefined) return [code, code]
  const [zh, en, todoZh, todoEn] = text
  return todoEn === 'nothing' ? [zh, en] : [`${zh}：${todoZh}`, `${en}: ${todoEn}`]
}

/** An import as it is told. `live` is what only this process knows; it is for the one who imports. */
export function reportOf(row: ImportRow, live: Live): object {
  const shape = SHAPES.find(({ id }) => id === row.shape)
  const { verdicts, flags, classes, rows, events } = row.state === 'running' ? live.figures ?? row.figures : row.figures
  const reason = row.recognised?.reason ?? live.told?.reason
  return {
    id: row.id, source: row.source, caller: row.caller, file: row.file, bytes: Number(row.bytes), sha256: row.sha256.toString('hex'),
    state: row.state, dryRun: row.dryRun,
    shape: shape === undefined ? null : { id: shape.id, zh: shape.title[0], en: shape.title[1], stream: shape.stream, confirmed: row.confirmed },
    recognised: reason === undefined ? null : { zh: reason[0], en: reason[1], columns: row.recognised?.columns ?? [], unmapped: live.told?.unmapped ?? [] },
    rows, events, verdicts, flags, classes,
    repeats: row.repeats, absent: row.absent,
    problem: row.problem === null ? null : { code: row.problem, zh: ruleText(row.problem)[0], en: ruleText(row.problem)[1] },
    received: row.received.toISOString(), started: row.started?.toISOString() ?? null, ended: row.ended?.toISOString() ?? null,
  }
}

/** What is told of one row. */
export interface RowReport {
  readonly sheet: string | null
  /** 0 = the whole file or its header. */
  readonly row: number
  readonly rows: number
  readonly verdict: string
  readonly flags: readonly { readonly code: string, readonly zh: string, readonly en: string }[]
  readonly problems: readonly { readonly rule: string, readonly column: string, readonly expected: string, readonly zh: string, readonly en: string }[]
}

export function rowReport({ sheet, row, rows, outcome, flags, problems }: ToldRow): RowReport {
  return {
    sheet: sheet === '' ? null : sheet, row, rows, verdict: outcome,
    flags: (flags?.split(' ') ?? []).map((code) => ({ code, zh: flagText(code)[0], en: flagText(code)[1] })),
    problems: problemsOf(problems),
  }
}

/** Of a row, as it is kept: one `rule, column, expected` a line. */
export function problemsOf(problems: string | null): RowReport['problems'] {
  return (problems?.split('\n') ?? []).map((line) => {
    const [rule = '', column = '', expected = ''] = line.split('\t')
    return { rule, column, expected, zh: ruleText(rule)[0], en: ruleText(rule)[1] }
  })
}
