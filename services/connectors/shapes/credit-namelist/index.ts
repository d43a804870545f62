import { dayOf } from '../../normalise/date.ts'
import { listingAct, listTypeByGround, listTypeOf, removalOf, subjectOf } from '../../streams/credit.ts'
import type { Row } from '../../row.ts'
import type { Outcome, Shape } from '../../shape.ts'

/** A published name list: listings, removals, revoked removals and struck-off names, as sheets of a workbook or as one table. Listings are known by list, code and day. */
export const creditNamelist: Shape = {
  id: 'credit-namelist',
  title: ['信用名单公告表（XLSX、CSV）', 'published name list'],
  stream: 'credit-blacklist',
  format: 'table',
  completeList: true,
  columns: {
    name: ['企业名称', '主体名称', '当事人名称', '名称'],
    code: ['统一社会信用代码/注册号', '统一社会信用代码', '信用代码', '社会信用代码'],
    list: ['名单', '名单类别'],
    listedOn: ['列入日期', '列入时间'],
    ground: ['列入事由', '列入原因', '列入经营异常名录原因'],
    listedBy: ['作出决定机关', '列入决定机关', '作出列入决定机关'],
    decisionNo: ['决定文号', '列入决定文号'],
    removedOn: ['移出日期', '移出时间'],
    removalGround: ['移出原因', '移出事由'],
    removedBy: ['作出移出决定机关', '移出决定机关'],
    struckOffOn: ['除名日期'],
    division: ['行政区划', '所在区划'],
  },
  required: [['name', 'code', 'listedOn', 'ground', 'listedBy'], ['name', 'code', 'list', 'listedOn', 'removedOn', 'removedBy'], ['name', 'struckOffOn']],
  dropped: ['序号', '权利救济的期限和途径', '登记状态', '除名事由', '法定代表人', '法定代表人或负责人姓名'],
  version: ['无：列入、移出、恢复依次为准', 'none: listing, removal, restoration in this order'],
  read,
}

function read(row: Row): Outcome | undefined {
  if (row.has('struckOffOn')) {
    row.flag('nothing-to-share')
    return { noted: true }
  }
  const ground = row.words('ground')
  const listType = listTypeOf(row.text('list')) ?? listTypeOf(row.place.sheet) ?? listTypeByGround(ground) ?? (row.problems.length > 0 ? undefined : row.refuse('unknown-code', row.has('list') ? 'list' : 'ground', '经营异常名录, 严重违法失信名单'))
  const subject = subjectOf(row, { division: true })
  const listedOn = row.needDay('listedOn')
  const listedBy = row.authority('listedBy')
  const decisionNo = row.words('decisionNo')
  const removal = row.has('removedOn') ? removalOf(row, listType ?? '', ['removedOn', 'removalGround', 'removedBy']) : undefined
  if (row.problems.length > 0) return undefined
  const id = `${listType}-${subject!.key}-${listedOn!.replaceAll('-', '')}`
  if (removal === undefined) return listingAct(row, id, { kind: 'listed', wholeState: false, listing: { listType: listType!, subject: subject!.fields, listedOn: listedOn!, listedBy, groundText: ground, decisionNo, publishedOn: publishedOn(row) } })
  if (/撤销移出|恢复列入/.test(`${row.place.sheet ?? ''} ${removal.groundText ?? ''}`)) return listingAct(row, id, { kind: 'restored', wholeState: false, restoredOn: removal.date, restoredBy: removal.authority })
  return listingAct(row, id, { kind: 'ended', wholeState: false, removal })
}

/** The day of publication in the titles above the header: 「公示日期：2026年3月31日」. */
function publishedOn(row: Row): string | undefined {
  const text = row.preamble.map((line) => /(?:公示|公告|发布)日期[:：]\s*(\S+)/.exec(line)?.[1]).find((found) => found !== undefined)
  return text === undefined ? undefined : dayOf(text)
}
