import { READ_FLAGS } from '@hub/schemas/read-event'
import type { Text } from '@hub/schemas/codes'
import type { DataStream } from '@hub/schemas/streams'

/** Where a verdict belongs: `row` as the reader numbers it (data row of a table below its header, sheet row of a workbook, line, sentence); 0 = the whole file or its header. */
export interface Place {
  readonly sheet?: string
  readonly row: number
}

/** One thing wrong with a row: the column as the file names it, the rule, what would have been right. Never the value. */
export interface RowProblem {
  readonly column?: string
  readonly rule: RowRule
  readonly expected: string
}

/** Why a row is refused, or a file cannot be read. */
export const ROW_RULES = {
  required: ['缺少必填内容', 'is required'],
  date: ['不是有效日期', 'is not a date'],
  number: ['不是有效数字', 'is not a number'],
  'unknown-code': ['代码对照表中没有此代码', 'is not in the code table'],
  identity: ['含有疑似身份证号码', 'holds what may be an identity number'],
  'masked-code': ['信用代码已脱敏，无法作为主体标识', 'is masked: it identifies nobody'],
  'no-identifier': ['没有统一社会信用代码、注册号或主体身份代码', 'names nobody: no credit code, registration number or internal number'],
  formula: ['内容以公式字符开头，电子表格会执行它', 'begins like a formula, which an office program would run'],
  'out-of-region': ['不属于本地区', 'lies outside the region of this source'],
  'shifted-cells': ['单元格数量与表头不符', 'has another number of cells than the header'],
  'control-character': ['含有控制字符', 'holds a control character'],
  'cell-too-long': ['单元格过长', 'is too long for a cell'],
  'malformed-json': ['不是格式正确的 JSON', 'is not well-formed JSON'],
  'line-too-long': ['行过长', 'is too long for a line'],
  'unknown-act': ['未知的业务类型', 'is no act this list knows'],
  'empty-file': ['文件为空：请重新导出', 'the file is empty: export it again'],
  'invalid-encoding': ['文件编码与声明或检测的不一致：请另存为 UTF-8 或声明正确的编码', 'the bytes are not in the declared or detected encoding: save as UTF-8, or declare the right one'],
  'unknown-encoding': ['不支持的文件编码：请另存为 UTF-8 或 GB18030', 'the encoding is not supported: save as UTF-8 or GB18030'],
  'other-delimiter': ['分隔符与声明的不同：请另存为声明的分隔符，或在来源中声明该分隔符', 'the cells are separated by another character than declared: save it anew, or declare the separator'],
  'unknown-header': ['无法识别表头：请按提示改列名，或为映射增加别名', 'the header is not known: rename the columns, or add aliases to the mapping'],
  'broken-quotes': ['引号不配对', 'a quoted cell does not end'],
  'broken-workbook': ['工作簿已损坏或不完整：请重新下载或另存为 .xlsx', 'the workbook is damaged or cut off: fetch it again, or save it as .xlsx'],
  'protected-workbook': ['工作簿设有密码：请去除密码后再导入', 'the workbook has a password: save it without one'],
  'too-large': ['超出大小上限：请拆分文件', 'is larger than allowed: split it'],
  'too-many-columns': ['列数过多', 'has too many columns'],
  'zip-bomb': ['压缩比异常，拒绝解压', 'unpacks to suspiciously much: not opened'],
} as const satisfies Record<string, Text>

export type RowRule = keyof typeof ROW_RULES

/** Why a row that carries no event is passed over. */
export const SKIP_RULES = {
  'repeated-header': ['重复的表头', 'the header again'],
  total: ['合计行', 'a total'],
  remark: ['备注行', 'a remark'],
  'passing-sample': ['合格样品', 'a sample that passed'],
} as const satisfies Record<string, Text>

export type SkipRule = keyof typeof SKIP_RULES

/** What is doubtful or worth knowing about a row that was taken: the gateway's flags and the connectors' own. */
export const ROW_FLAGS = {
  ...READ_FLAGS,
  'unmapped-code': ['本地代码没有对应的国家代码，已保留本地代码', 'a local code has no national code; the local one is kept'],
  'uscc-left-out': ['信用代码无法识别，已去除', 'a credit code cannot be read and was left out'],
  'uscc-repaired': ['信用代码中的字母 O/I 按数字 0/1 更正', 'a credit code had letters for digits'],
  'impossible-date': ['日期不存在，已保留原文', 'a date does not exist; its text is kept'],
  'other-register': ['信用代码不是市场监管部门登记的主体（首位不是 9），请核对', 'a credit code is of another register than market regulation: check it'],
  'registration-number': ['信用代码栏为15位注册号', 'the code column holds a registration number of 15 digits'],
  'unknown-authority': ['机关不在机关名录中，已保留原文', 'the authority is not in the register; its text is kept'],
  'natural-person': ['当事人为自然人，姓名及号码已去除', 'the party is a natural person; name and number were left out'],
  'person-left-out': ['名称中的自然人姓名已去除', 'the name of a natural person was left out'],
  'ruined-sample-number': ['抽样单编号被电子表格改写为科学计数法', 'an office program turned the sample number into a rounded figure'],
  'unit-doubtful': ['计量单位可能有误', 'the unit may be wrong'],
  'cut-off': ['句子在传输中被截断', 'the sentence was cut off'],
  'nothing-to-share': ['无可共享的内容', 'nothing in it is to be shared'],
} as const satisfies Record<string, readonly [zh: string, en: string, ...remedy: string[]]>

export type RowFlag = keyof typeof ROW_FLAGS

/** Verdicts of imports (design 11). */
export const IMPORT_VERDICTS = ['accepted', 'new-version', 'duplicate', 'stale', 'conflict', 'tallied', 'waiting', 'refused', 'skipped'] as const
export type ImportVerdict = (typeof IMPORT_VERDICTS)[number]

/** Classes in which data/README.md counts the rows of a file. */
export type RowClass = 'good' | 'doubtful' | 'duplicate' | 'stale' | 'correction' | 'conflict' | 'bad'

/** Flags that only inform: the row is as good as any. Everything else makes it doubtful. */
const REMARKS: ReadonlySet<RowFlag> = new Set<RowFlag>(['other-authority', 'unknown-authority', 'unknown-code', 'person-left-out', 'nothing-to-share'])

/** A list is written from the register, so a code of it that fails its check is an issued one; in a complaint it is what somebody typed. */
const REMARKS_OF_LISTS: ReadonlySet<RowFlag> = new Set<RowFlag>(['uscc-check-failed'])

export function isDoubtful(flag: RowFlag, stream: DataStream): boolean {
  return !REMARKS.has(flag) && !(stream === 'credit-blacklist' && REMARKS_OF_LISTS.has(flag))
}

/**
 * The class of a row by its verdict. A passing sample is in none. A new version of an inspection is a correction: its rows have no versions of their own.
 */
export function classOf(verdict: ImportVerdict, flags: readonly RowFlag[], stream: DataStream, skip?: SkipRule): RowClass | undefined {
  switch (verdict) {
    case 'duplicate':
    case 'stale':
    case 'conflict': return verdict
    case 'refused': return 'bad'
    case 'skipped': return skip === 'passing-sample' ? undefined : 'bad'
    case 'waiting': return 'doubtful'
    case 'new-version':
      if (stream === 'inspection-failure') return 'correction'
  }
  return flags.some((flag) => isDoubtful(flag, stream)) ? 'doubtful' : 'good'
}
