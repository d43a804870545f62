import { decisionKey, listingAct, listTypeOf, removalOf, subjectOf } from '../../streams/credit.ts'
import { penalty, penaltyEvent } from '../../streams/penalty.ts'
import type { Row } from '../../row.ts'
import type { Outcome, Shape } from '../../shape.ts'

interface Page { readonly list?: unknown, readonly subject?: unknown, readonly response?: { readonly data?: unknown } }

/** What the publicity system appends to the ground of a listing whose removal was revoked. */
const RESTORED = /[（(]撤销移出决定，恢复列入[）)]$/

/** Responses of the national publicity system, each wrapped with the subject it was asked for. A record tells a listing and, once it is over, its removal. */
export const creditPages: Shape = {
  id: 'credit-pages',
  title: ['国家企业信用信息公示系统查询页（JSON）', 'publicity system, JSON pages'],
  stream: 'credit-blacklist',
  format: 'pages',
  completeList: true,
  columns: {
    list: ['list'],
    name: ['subject.entName'],
    code: ['subject.uniscid'],
    regNo: ['subject.regno'],
    pripid: ['subject.pripid'],
    ground: ['record.speCause_CN', 'record.serILLRea_CN'],
    listedOn: ['record.abntime'],
    listedBy: ['record.decOrg_CN'],
    removalGround: ['record.remExcpRes_CN'],
    removedOn: ['record.remDate'],
    removedBy: ['record.reDecOrg_CN'],
    penaltyNo: ['record.penDecNo'],
    violation: ['record.illegActType'],
    measures: ['record.penContent'],
    penaltyBy: ['record.penAuth_CN'],
    decidedOn: ['record.penDecIssDate'],
    publishedOn: ['record.publicDate'],
  },
  required: [['list', 'name', 'code']],
  dropped: [],
  version: ['无：同一条记录的列入、移出、恢复依次为准', 'none: listing, removal, restoration in this order'],
  recordsOf(page: Page) {
    const { list, subject, response } = page
    const records = Array.isArray(response?.data) ? response.data as unknown[] : []
    return records.map((record) => ({ ...(list === 'penalty' && { apart: 'penalty' }), value: { list, subject, record } }))
  },
  read,
}

function read(row: Row): Outcome | undefined {
  const list = row.need('list')
  if (list === 'penalty') return readPenalty(row)
  const listType = listTypeOf(list) ?? row.refuse('unknown-code', 'list', 'abnormal, serious, penalty')
  const subject = subjectOf(row, { regNo: true, pripid: true })
  const listedAt = row.needInstant('listedOn')
  const ground = row.words('ground')
  const listedBy = row.authority('listedBy')
  const removal = removalOf(row, listType ?? '', ['removedOn', 'removalGround', 'removedBy'])
  if (row.problems.length > 0) return undefined
  const listing = { listType: listType!, subject: subject!.fields, listedOn: listedAt!.slice(0, 10), listedBy, groundText: ground?.replace(RESTORED, '') }
  const kind = RESTORED.test(ground ?? '') ? 'restored' : removal === undefined ? 'listed' : 'ended'
  return listingAct(row, `${listType}-${subject!.key}-${listedAt!.slice(0, 19).replace(/\D/g, '')}`, { kind, wholeState: true, listing, removal })
}

function readPenalty(row: Row): Outcome | undefined {
  const number = row.needWords('penaltyNo')
  const subject = subjectOf(row, { regNo: true, pripid: true })
  const decidedOn = row.needDay('decidedOn')
  const authority = row.authority('penaltyBy')
  const publishedOn = row.day('publishedOn')
  const content = penalty(number ?? '', decidedOn ?? '', row.words('violation'), row.words('measures'))
  if (row.problems.length > 0) return undefined
  return { event: penaltyEvent(`${row.context.source}/${decisionKey(number!)}`, { subject: subject!.fields, authority, penalty: content, publishedOn, repaired: false }) }
}
