import { decisionKey, listingAct, listTypeOf, subjectOf } from '../../streams/credit.ts'
import { removalGround } from '../../normalise/removal.ts'
import type { Row } from '../../row.ts'
import type { Outcome, Shape } from '../../shape.ts'

/** A publication log: one line per act. A removal and a restoration name the decision that listed. */
export const creditLog: Shape = {
  id: 'credit-log',
  title: ['信用名单公告日志（CSV、XLSX）', 'credit lists, publication log'],
  stream: 'credit-blacklist',
  format: 'table',
  columns: {
    publishedOn: ['公告日期'],
    act: ['业务类型'],
    list: ['名单类别'],
    name: ['企业名称', '当事人名称'],
    code: ['统一社会信用代码/注册号', '统一社会信用代码'],
    ground: ['事由'],
    decisionNo: ['决定文号'],
    authority: ['作出决定机关'],
    decidedOn: ['决定日期'],
    listingNo: ['对应列入文号'],
  },
  required: [['act', 'list', 'name', 'code', 'decisionNo', 'authority', 'decidedOn', 'listingNo']],
  dropped: ['序号', '法定代表人或负责人姓名'],
  version: ['无：列入、移出、恢复列入依次为准', 'none: listing, removal, restoration in this order'],
  read,
}

const ACTS: Readonly<Record<string, 'listed' | 'ended' | 'restored'>> = { 列入: 'listed', 移出: 'ended', 恢复列入: 'restored' }

function read(row: Row): Outcome | undefined {
  const kind = ACTS[row.need('act') ?? ''] ?? row.refuse('unknown-act', 'act', Object.keys(ACTS).join(', '))
  const listType = listTypeOf(row.need('list')) ?? row.refuse('unknown-code', 'list', '经营异常名录, 严重违法失信名单')
  const subject = subjectOf(row)
  const authority = row.authority('authority')
  const decidedOn = row.needDay('decidedOn')
  const publishedOn = row.day('publishedOn')
  const decisionNo = row.needWords('decisionNo')
  const listingNo = kind === 'listed' ? decisionNo : row.needWords('listingNo')
  const groundText = row.words('ground')
  if (row.problems.length > 0) return undefined
  const id = decisionKey(listingNo!)
  switch (kind!) {
    case 'listed':
      return listingAct(row, id, { kind: 'listed', wholeState: false, listing: { listType: listType!, subject: subject!.fields, listedOn: decidedOn!, listedBy: authority, groundText, decisionNo, publishedOn } })
    case 'restored':
      return listingAct(row, id, { kind: 'restored', wholeState: false, restoredOn: decidedOn, restoredBy: authority })
    case 'ended':
      return listingAct(row, id, { kind: 'ended', wholeState: false, removal: { date: decidedOn!, ...removalGround(groundText, listType!), groundText, authority, decisionNo } })
  }
}
