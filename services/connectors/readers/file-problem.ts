import { ROW_RULES, type RowRule } from '../verdict.ts'

/** A file that cannot be read on: which rule, where, and what would have been right. Never a value of it. */
export class FileProblem extends Error {
  readonly rule: RowRule
  readonly expected: string
  readonly sheet: string | undefined
  /** Line or row, from 1; 0 = the whole file or its header. */
  readonly row: number

  constructor(rule: RowRule, expected: string, { sheet, row = 0 }: { sheet?: string | undefined, row?: number } = {}) {
    super(`${ROW_RULES[rule].slice(0, 2).join(' · ')} (${expected})`)
    this.rule = rule
    this.expected = expected
    this.sheet = sheet
    this.row = row
  }
}
