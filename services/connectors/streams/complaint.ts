import { CODE_VERSION } from '../reference/codes.ts'
import { authorityOf, type Authority } from '../reference/authorities.ts'
import { present } from '../present.ts'
import type { Row } from '../row.ts'
import type { EventInput } from '../event-input.ts'
import type { Outcome, TallyCell } from '../shape.ts'

/** The fields of a complaint whatever its source calls them; a shape's columns carry these names. The complainant has none. */
export const COMPLAINT_FIELDS = [
  'recordNo', 'version', 'type', 'registered', 'updated', 'state', 'channel', 'reportedName', 'reportedCode', 'verifiedName', 'verifiedCode', 'division', 'object', 'issue',
  'online', 'platform', 'orderNo', 'disputed', 'accepted', 'refusal', 'transferredTo', 'outcome', 'ended', 'recovered', 'authority',
] as const

export type ComplaintColumns = Readonly<Record<(typeof COMPLAINT_FIELDS)[number], readonly string[]>>

export const COMPLAINT_REQUIRED = [['recordNo', 'type', 'registered', 'state', 'issue']] as const

/** Who complains, what is said, who handles it: known and never read. */
export const COMPLAINT_DROPPED = [
  '投诉人姓名', '性别', '年龄', '证件号码', '联系电话', '电子邮箱', '联系地址', '消费者', '身份证号', '手机号', '住址', '问题描述', '内容', '承办人', '经办人', '被投诉方地址', '经营地址', '商品或服务名称',
]

const OUTCOMES: Readonly<Record<string, string>> = {
  调解成功: 'settled', 自行和解: 'self_settled', 消费者撤诉: 'withdrawn', 终止调解: 'terminated', 诉转案: 'converted_to_case',
}
const YES = new Set(['是', '1', 'true', 'Y'])
const NO = new Set(['否', '0', 'false', 'N'])
const DIVISION = /^[1-9]\d{5}(?:\d{3}){0,2}$/

/**
 * A row with the state of a complaint at one version. 投诉 is an event; 举报 and 咨询 leave a cell to be counted in and hashes. What counts (number, type, state,
 * day of registration) must be there and known; other codes may be unmapped.
 * @param refused the source tells the day of a decision, and this one was a refusal
 */
export function readComplaint(row: Row, { deleted = false, refused = false } = {}): Outcome | undefined {
  const recordNo = row.need('recordNo')
  const type = row.decisive('type', 'type')
  const state = row.decisive('state', 'state')
  const registered = row.needInstant('registered')
  const updated = row.instant('updated')
  const version = versionOf(row, updated)
  const issue = row.code('issue', 'issue')
  const object = row.code('object', 'object')
  const channel = row.code('channel', 'channel')
  const division = divisionOf(row)
  const authority = row.authority('authority')
  const platform = row.words('platform')
  const online = yesNo(row.text('online'))
  const transferredTo = row.text('transferredTo')
  const event: EventInput = present({
    recordId: `${row.context.source}/${recordNo}`,
    version,
    kind: deleted ? 'void' : registered?.slice(0, 16) === updated?.slice(0, 16) ? 'original' : 'follow-up',
    authority,
    occurredOn: (updated ?? registered)?.slice(0, 10),
    recordedAt: updated,
    state,
    registeredOn: registered?.slice(0, 10),
    registeredAt: registered,
    acceptedOn: refused ? undefined : row.someDay('accepted'),
    refusalGround: /[1-6]/.exec(row.text('refusal') ?? '')?.[0],
    handlingDivision: handlingDivision(authority, division),
    verified: row.firm('verifiedName', 'verifiedCode', division),
    respondent: row.firm('reportedName', 'reportedCode', division),
    platform: platform === undefined ? undefined : { name: platform },
    object: object === undefined ? undefined : { ...object, kind: kindOf(object.code) },
    issue,
    channel,
    disputedFen: row.fen('disputed'),
    recoveredFen: row.fen('recovered'),
    mediationOutcome: OUTCOMES[row.text('outcome') ?? ''],
    mediationEndedOn: row.someDay('ended'),
    online,
    closedOn: state === 'closed' ? updated?.slice(0, 10) : undefined,
    transferredTo: transferredTo === undefined ? undefined : DIVISION.test(transferredTo) ? transferredTo : authorityOf(transferredTo).code,
    codeVersion: CODE_VERSION,
  })
  if (row.problems.length > 0) return undefined
  if (type === 'complaint') {
    const order = row.text('orderNo')
    const own = deleted ? voided(event) : event
    return order === undefined ? { event: own } : { event: own, link: row.token('order', order) }
  }
  const cell: TallyCell = { day: registered!.slice(0, 10), tallyType: type as TallyCell['tallyType'], division: handlingDivision(authority, division) ?? null, issue: issue?.code ?? null, channel: channel?.code ?? null }
  return { tally: { report: row.token('report', recordNo!), content: row.token('content', JSON.stringify(event)), version: version ?? Date.parse(updated ?? registered!), deleted, cell } }
}

/** What `void` needs: the record that never was keeps nothing. */
function voided({ recordId, kind, version, authority, occurredOn, recordedAt }: EventInput): EventInput {
  return present({ recordId, kind, version, authority, occurredOn, recordedAt })
}

/** The number of the version, where the source counts them; where it does not, its time orders them (design 3). */
function versionOf(row: Row, updated: string | undefined): number | undefined {
  const text = row.text('version')
  if (text === undefined) return updated === undefined ? row.refuse('required', 'updated') : undefined
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : row.refuse('number', 'version', '1, 2, 3, …')
}

function divisionOf(row: Row): string | undefined {
  const text = row.text('division')
  return text !== undefined && DIVISION.test(text) ? text : undefined
}

function handlingDivision(authority: Authority | undefined, division: string | undefined): string | undefined {
  return authority?.code ?? division
}

function yesNo(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : YES.has(text) ? true : NO.has(text) ? false : undefined
}

function kindOf(national: string | null): string | null {
  return national === null ? null : national.startsWith('G') ? 'goods' : national.startsWith('S') ? 'services' : 'other'
}
