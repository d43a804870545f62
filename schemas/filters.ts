import { CODES, type Text } from './codes.ts'
import { REGIONS, type DataStream } from './streams.ts'
import { TABLES, type PgType } from './tables.ts'

/** What a filter's value must look like. */
export type FilterValue = 'region' | 'code' | 'uscc' | 'division' | 'date' | 'text' | 'boolean'

/**
 * A parameter of a list by which rows are chosen. `equals`, `prefix`, `from` (inclusive), `before` (exclusive) or `involves` compare the value
 * with a column; `role` says which party of an inspection failure the others are about.
 */
export interface Filter {
  readonly name: string
  readonly how: 'equals' | 'prefix' | 'from' | 'before' | 'involves' | 'role'
  /** One of them must agree; with a role only that of the role. */
  readonly columns: readonly { readonly column: string; readonly role?: string }[]
  readonly value: FilterValue
  /** Of a `code`: the table in codes.ts. */
  readonly codes?: string
  /** The replica has an index for it: rows that do not agree are not even looked at. */
  readonly indexed?: boolean
  readonly text: Text
}

const SAMPLED = 'sampled-unit'
const PRODUCER = 'nominal-producer'

/** Other words for the roles of parties, for those who type. */
const ROLE_WORDS: Readonly<Record<string, string>> = { producer: PRODUCER, sampled: SAMPLED }

/** The role of the contract that a word means; undefined for none. */
export function partyRole(word: string): string | undefined {
  const role = ROLE_WORDS[word] ?? word
  return Object.hasOwn(CODES['party-role']!.codes, role) ? role : undefined
}

/** Every word that `partyRole` takes. */
export const PARTY_ROLE_WORDS: readonly string[] = [...Object.keys(CODES['party-role']!.codes), ...Object.keys(ROLE_WORDS)]

function equals(name: string, value: FilterValue, text: Text, more: Partial<Filter> = {}): Filter {
  return { name, how: 'equals', columns: [{ column: columnOf(name) }], value, text, ...more }
}

function code(name: string, codes: string, text: Text, column?: string): Filter {
  return equals(name, 'code', text, { codes, ...(column !== undefined && { columns: [{ column }] }) })
}

function division(name: string, text: Text, columns: Filter['columns']): Filter {
  return { name, how: 'prefix', columns, value: 'division', text }
}

/** `<name>From` (inclusive) and `<name>To` (exclusive). */
function days(name: string, [zh, en]: Text): Filter[] {
  const columns = [{ column: columnOf(name) }]
  return [
    { name: `${name}From`, how: 'from', columns, value: 'date', text: [`${zh}起（含）`, `${en}, from this day on`] },
    { name: `${name}To`, how: 'before', columns, value: 'date', text: [`${zh}止（不含）`, `${en}, before this day`] },
  ]
}

const USCC: Text = ['统一社会信用代码', 'credit code']
const PUBLICATION = code('publication', 'publication', ['公示状态', 'state of publication'])

const COMMON: readonly Filter[] = [
  { name: 'region', how: 'equals', columns: [{ column: 'region' }], value: 'region', indexed: true, text: ['发布地区', 'region that publishes'] },
  code('kind', 'kind', ['事件类别', 'kind']),
  equals('ended', 'boolean', ['是否已终结', 'whether a stub alone is left']),
]

/** The filters of each stream's list: what a request may ask, the document says and the statement compares. */
export const FILTERS: Readonly<Record<DataStream, readonly Filter[]>> = {
  complaint: [
    ...COMMON,
    equals('uscc', 'uscc', USCC, { indexed: true }),
    division('division', ['处理机关行政区划，前缀', 'division of the handling authority, or a prefix'], [{ column: 'handling_division' }]),
    division('traderDivision', ['经营者行政区划，前缀', 'division of the trader, or a prefix'], [{ column: 'trader_division' }]),
    code('state', 'complaint-state', ['状态', 'state']),
    code('objectKind', 'object-kind', ['商品或服务', 'goods or services']),
    code('objectClass', 'object-class', ['商品或服务类别', 'class of goods or services']),
    code('issue', 'complaint-issue', ['投诉问题', 'issue']),
    code('channel', 'channel', ['渠道', 'channel']),
    code('mediationOutcome', 'mediation-outcome', ['调解结果', 'outcome of mediation']),
    PUBLICATION,
    ...days('registeredOn', ['登记日期', 'day of registration']),
    ...days('acceptedOn', ['受理日期', 'day of acceptance']),
  ],
  'credit-blacklist': [
    ...COMMON,
    equals('uscc', 'uscc', USCC, { indexed: true }),
    equals('regNo', 'text', ['注册号', 'registration number']),
    division('division', ['当事人行政区划，前缀', 'division of the subject, or a prefix'], [{ column: 'division' }]),
    code('recordType', 'record-type', ['名单或处罚', 'listing or penalty']),
    code('listType', 'list-type', ['名单类型', 'list']),
    code('ground', 'credit-ground', ['列入事由', 'ground']),
    equals('decisionNo', 'text', ['决定文号', 'number of the decision']),
    PUBLICATION,
    ...days('listedOn', ['列入日期', 'day of listing']),
    ...days('until', ['期满日期', 'last day of the term']),
    ...days('decidedOn', ['处罚决定日期', 'day of the penalty']),
  ],
  'inspection-failure': [
    ...COMMON,
    equals('uscc', 'uscc', ['被抽样单位或标称生产企业的统一社会信用代码，可用 role 限定', 'credit code of the sampled unit or the nominal producer; role narrows it'], { indexed: true, columns: [{ column: 'uscc', role: SAMPLED }, { column: 'producer_uscc', role: PRODUCER }] }),
    division('division', ['被抽样单位或标称生产企业的行政区划，前缀，可用 role 限定', 'division of the sampled unit or the nominal producer, or a prefix; role narrows it'], [{ column: 'sampled_division', role: SAMPLED }, { column: 'producer_division', role: PRODUCER }]),
    { name: 'involves', how: 'involves', columns: [{ column: 'involved' }], value: 'region', text: ['涉及的地区，可用 role 限定', 'a region that a party is in; role narrows it'] },
    { name: 'role', how: 'role', columns: [], value: 'code', codes: 'party-role', text: ['当事人角色，与 involves、uscc 或 division 同用；producer 即标称生产企业', 'role of the party that involves, uscc and division are about; producer is the nominal producer'] },
    code('inspectionKind', 'inspection-kind', ['抽检类别', 'food or product']),
    code('category', 'product-category', ['产品类别', 'class of the product']),
    code('outcome', 'inspection-outcome', ['异议或复检结果', 'outcome of objection or retest']),
    equals('noticeNo', 'text', ['通告文号', 'number of the notice']),
    PUBLICATION,
    ...days('noticeDate', ['通告日期', 'day of the notice']),
  ],
  recall: [
    ...COMMON,
    equals('uscc', 'uscc', USCC, { indexed: true }),
    division('division', ['生产者行政区划，前缀', 'division of the producer, or a prefix'], [{ column: 'producer_division' }]),
    code('recallType', 'recall-type', ['召回类型', 'kind of recall']),
    code('state', 'recall-state', ['状态', 'state']),
    code('level', 'recall-level', ['级别', 'level']),
    code('category', 'product-category', ['产品类别', 'class of the product']),
    equals('recallNo', 'text', ['召回编号', 'number of the recall']),
    PUBLICATION,
    ...days('planFiledOn', ['备案日期', 'day of filing']),
    ...days('publishedOn', ['发布日期', 'day of publication']),
  ],
  tally: [
    ...COMMON,
    division('division', ['行政区划，前缀', 'division, or a prefix'], [{ column: 'division' }]),
    code('tallyType', 'tally-type', ['举报或咨询', 'reports or consultations']),
    code('issue', 'complaint-issue', ['问题', 'issue']),
    code('channel', 'channel', ['渠道', 'channel']),
    ...days('day', ['日期', 'day']),
  ],
}

/** Columns that every table has and a filter may name. */
const COMMON_COLUMNS: Readonly<Record<string, PgType>> = { region: 'text', kind: 'text', ended: 'bool' }

/** The type of a filter's column. @throws Error for a column that the stream's table has not */
export function filterColumnType(stream: DataStream, column: string): PgType {
  const pgType = COMMON_COLUMNS[column] ?? TABLES[stream].columns.find(({ name }) => name === column)?.pgType
  if (pgType === undefined) throw new Error(`${stream} has no column ${column}`)
  return pgType
}

const FORMS: Readonly<Record<FilterValue, { readonly pattern: string; readonly maxLength: number; readonly what: string }>> = {
  region: { pattern: `^(${REGIONS.join('|')})$`, maxLength: 2, what: REGIONS.join(', ') },
  code: { pattern: '^[\\w.-]{1,40}$', maxLength: 40, what: 'a code' },
  uscc: { pattern: '^[0-9A-Z]{18}$', maxLength: 18, what: '18 digits and capital letters' },
  division: { pattern: '^\\d{2,12}$', maxLength: 12, what: 'a division code of GB/T 2260, or its first digits' },
  date: { pattern: '^\\d{4}-\\d{2}-\\d{2}$', maxLength: 10, what: 'YYYY-MM-DD' },
  text: { pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff]{1,200}$', maxLength: 200, what: 'a text' },
  boolean: { pattern: '^(true|false)$', maxLength: 5, what: 'true or false' },
}

/** What a filter takes: the codes of a closed table and the words of roles; undefined where the form alone says it. */
export function filterChoices({ how, codes, value }: Filter): readonly string[] | undefined {
  if (how === 'role') return PARTY_ROLE_WORDS
  if (value === 'region') return REGIONS
  if (value === 'boolean') return ['true', 'false']
  const table = codes === undefined ? undefined : CODES[codes]
  return table?.closed === true ? Object.keys(table.codes) : undefined
}

/** The form of a filter's value. */
export function filterForm({ value }: Filter): { readonly pattern: string; readonly maxLength: number; readonly what: string } {
  return FORMS[value]
}

/** `registeredOn` → `registered_on`. */
function columnOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
