import { SHAPES } from '@hub/connectors/shapes/index'
import { ROW_FLAGS, ROW_RULES, SKIP_RULES, type RowFlag } from '@hub/connectors/verdict'
import { RULES } from '../verdicts/verdict.ts'
import type { Live } from './imports.ts'
import type { ImportRow, ToldRow } from './store.ts'

/** Why an import as a whole came to nothing, or not to all of it. */
export const IMPORT_PROBLEMS: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  'unknown-shape': ['无法识别文件：请按原因改列名，或指定 shape', 'the file is not recognised: rename columns as its reason says, or name its shape'],
  'rehearsed-in-part': ['文件很长，只试运行了前一部分', 'the file is long: only its first part was rehearsed'],
  'many-absent': ['文件未再列出的记录较多，须确认其已终结；新的行已导入', 'many records are not named any more: confirm that they have ended; the rows of the file are in'],
  'not-confirmed': ['一天内未确认，文件已删除：请重新导入', 'nobody confirmed it within a day and the file is deleted: hand it over again'],
  'given-up': ['已放弃，文件已删除', 'it was given up and the file is deleted'],
  'file-lost': ['文件已不在：请重新导入', 'the file is gone: hand it over again'],
  'out-of-memory': ['文件超出内存上限：请拆分后重新导入', 'it needs more memory than allowed: split the file and hand it over again; rows before are in'],
  internal: ['内部错误：已导入的行有效，请重新导入；见日志', 'internal error: rows before are in; hand the file over again, and see the log'],
}

const ALL_RULES: Readonly<Record<string, readonly [zh: string, en: string, ...more: string[]]>> = { ...RULES, ...SKIP_RULES, ...ROW_RULES }

/** What is wrong, by its code, in Chinese and English. */
export function ruleText(rule: string): readonly [zh: string, en: string] {
  const [zh, en] = ALL_RULES[rule] ?? IMPORT_PROBLEMS[rule] ?? [rule, rule]
  return [zh, en]
}

export function flagText(flag: string): readonly [zh: string, en: string] {
  const [zh, en] = ROW_FLAGS[flag as RowFlag] ?? [flag, flag]
  return [zh, en]
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
    problems: (problems?.split('\n') ?? []).map((line) => {
      const [rule = '', column = '', expected = ''] = line.split('\t')
      return { rule, column, expected, zh: ruleText(rule)[0], en: ruleText(rule)[1] }
    }),
  }
}
