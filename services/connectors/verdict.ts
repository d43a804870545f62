import { READ_FLAGS, type RuleText } from '@hub/schemas/read-event'
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

/** Why a row is refused, or a file cannot be read: said of a cell, a row or the file, and what to do. */
export const ROW_RULES = {
  required: ['缺少必填内容', 'is required', '在来源中补填后重新导出', 'fill it in at the source and export again'],
  date: ['不是有效日期', 'is not a date', '改为存在的日期，如 2026-03-15', 'write a day that exists, as 2026-03-15'],
  number: ['不是有效数字', 'is not a number', '只写数字，可带千分位和单位元、万元', 'write digits; thousands may be marked, and 元 or 万元 may follow'],
  'unknown-code': ['代码表中没有此代码', 'is not in the code table', '改用对照表中的代码，或请本地区运维在 reference/codes 中补充', 'use a code of the table, or have the operator add it in reference/codes'],
  identity: ['含有疑似身份证号码', 'holds what may be an identity number', '在来源中去除该号码；该值未被保留', 'remove the number at the source; the value was not kept'],
  'masked-code': ['信用代码已脱敏，无法作为主体标识', 'is masked: it identifies nobody', '导出完整的 18 位代码', 'export the whole code of 18 characters'],
  'no-identifier': ['没有统一社会信用代码、注册号或主体身份代码', 'names nobody: no credit code, registration number or internal number', '补充信用代码后重新导出', 'add the credit code and export again'],
  formula: ['内容以公式字符开头，电子表格会执行它', 'begins like a formula, which an office program would run', '删去开头的 = + - @', 'remove the = + - @ it begins with'],
  'out-of-region': ['不属于本地区', 'lies outside the region of this source', '从文件中删去，由当地的机关报送；四地以外的不接收', 'leave it out: the office of its own region hands it over; outside the four regions nobody does'],
  'shifted-cells': ['单元格数量与表头不符', 'has another number of cells than the header', '检查是否有未加引号的逗号，或多余、缺少的列', 'look for a comma without quotes around its cell, or a cell too many or too few'],
  'control-character': ['含有控制字符', 'holds a control character', '在来源中去除控制字符', 'remove it at the source'],
  'cell-too-long': ['单元格过长', 'is too long for a cell', '检查是否误粘贴了全文', 'look for a whole text pasted into a cell'],
  'malformed-json': ['不是格式正确的 JSON', 'is not well-formed JSON', '用 JSON 库生成，每行一个对象', 'write it with a JSON library, one object a line'],
  'line-too-long': ['行过长', 'is too long for a line', '检查引号是否配对、每行是否只有一条记录', 'look for a quote that does not end, or several records in a line'],
  'unknown-act': ['未知的业务类型', 'is no act this list knows', '改用列入、移出、修复等已知的类型', 'use an act that is known: listed, removed, repaired'],
  'empty-file': ['文件为空', 'the file is empty', '重新导出', 'export it again'],
  'invalid-encoding': ['文件编码与声明或检测的不一致', 'the bytes are not in the declared or detected encoding', '另存为 UTF-8，或声明正确的编码', 'save it as UTF-8, or declare the right one'],
  'unknown-encoding': ['不支持的文件编码或格式', 'the encoding or format is not supported', '另存为 .xlsx，或 UTF-8、GB18030 的 .csv', 'save it as .xlsx, or as .csv in UTF-8 or GB18030'],
  'other-delimiter': ['分隔符与声明的不同', 'the cells are separated by another character than declared', '另存为声明的分隔符，或声明该分隔符', 'save it anew, or declare the separator'],
  'unknown-header': ['无法识别表头', 'the header is not known', '按提示改列名，或为映射增加别名', 'rename the columns, or add aliases to the mapping'],
  'broken-quotes': ['引号不配对', 'a quoted cell does not end', '检查该行的引号后重新导出', 'look at the quotes of that row and export again'],
  'broken-workbook': ['工作簿已损坏或不完整', 'the workbook is damaged or cut off', '重新下载，或另存为 .xlsx', 'fetch it again, or save it as .xlsx'],
  'protected-workbook': ['工作簿设有密码', 'the workbook has a password', '去除密码后再导入', 'save it without one'],
  'too-large': ['超出大小上限', 'is larger than allowed', '拆分文件', 'split it'],
  'too-many-columns': ['列数过多', 'has too many columns', '删去多余的列', 'remove the columns that nobody needs'],
  'zip-bomb': ['压缩比异常，拒绝解压', 'unpacks to suspiciously much: not opened', '用办公软件打开后另存为新文件', 'open it in an office program and save it as a new file'],
} as const satisfies Record<string, RuleText>

export type RowRule = keyof typeof ROW_RULES

/** Why a row that carries no event is passed over. */
export const SKIP_RULES = {
  'repeated-header': ['重复的表头', 'the header again', '无需处理', 'nothing'],
  total: ['合计行', 'a total', '无需处理', 'nothing'],
  remark: ['备注行', 'a remark', '无需处理', 'nothing'],
  'passing-sample': ['合格样品', 'a sample that passed', '无需处理：只共享不合格信息', 'nothing: only failures are shared'],
} as const satisfies Record<string, RuleText>

export type SkipRule = keyof typeof SKIP_RULES

/** What is doubtful or worth knowing about a row that was taken: the gateway's flags and the connectors' own. */
export const ROW_FLAGS = {
  ...READ_FLAGS,
  'unmapped-code': ['本地代码没有对应的国家代码，已保留本地代码', 'a local code has no national code; the local one is kept', '请本地区运维在 reference/codes 中补充对照', 'have the operator add it in reference/codes'],
  'uscc-left-out': ['信用代码无法识别，已去除', 'a credit code cannot be read and was left out', '核对代码后重新导出', 'check the code and export again'],
  'uscc-repaired': ['信用代码中的字母 O/I 按数字 0/1 更正', 'a credit code had letters for digits', '在来源中更正', 'mend it at the source'],
  'impossible-date': ['日期不存在，已保留原文', 'a date does not exist; its text is kept', '在来源中更正日期', 'mend the date at the source'],
  'other-register': ['信用代码不是市场监管部门登记的主体（首位不是 9）', 'a credit code is of another register than market regulation', '核对代码；属实则无需处理', 'check it; if it is right there is nothing to do'],
  'registration-number': ['信用代码栏为15位注册号', 'the code column holds a registration number of 15 digits', '改填 18 位统一社会信用代码', 'give the credit code of 18 characters'],
  'unknown-authority': ['机关不在机关名录中，已保留原文', 'the authority is not in the register; its text is kept', '写机关全称，或请本地区运维增加别名', 'write its full name, or have the operator add an alias'],
  'natural-person': ['当事人为自然人，姓名及号码已去除', 'the party is a natural person; name and number were left out', '无需处理', 'nothing'],
  'person-left-out': ['名称中的自然人姓名已去除', 'the name of a natural person was left out', '无需处理', 'nothing'],
  'ruined-sample-number': ['抽样单编号被电子表格改写为科学计数法', 'an office program turned the sample number into a rounded figure', '把该列设为文本后重新导出', 'make the column text and export again'],
  'unit-doubtful': ['计量单位可能有误', 'the unit may be wrong', '核对检验报告中的单位', 'check the unit in the report'],
  'cut-off': ['句子在传输中被截断', 'the sentence was cut off', '重新取得完整的通告', 'fetch the whole notice'],
  'nothing-to-share': ['无可共享的内容', 'nothing in it is to be shared', '无需处理', 'nothing'],
} as const satisfies Record<string, RuleText>

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
