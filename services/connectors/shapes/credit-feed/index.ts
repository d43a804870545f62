import type { ListingFacts } from '../../compose/listing.ts'
import { isDelete } from '../../normalise/operation.ts'
import { removalGround } from '../../normalise/removal.ts'
import { present } from '../../present.ts'
import type { Row } from '../../row.ts'
import type { Outcome, Shape } from '../../shape.ts'
import { listingAct, removalOf, subjectOf } from '../../streams/credit.ts'

/** The change feed of a list: abnormal operations, serious violations or the sole-trader mark, told apart by their columns. Every row is the whole state. */
export const creditFeed: Shape = {
  id: 'credit-feed',
  title: ['信用名单变更流（异常、严重、个体标记，CSV）', 'credit lists, change feed'],
  stream: 'credit-blacklist',
  format: 'table',
  columns: {
    abnormalId: ['busexclist'],
    seriousId: ['illid'],
    name: ['entname'],
    pripid: ['pripid'],
    code: ['uniscid'],
    regNo: ['regno'],
    listedOn: ['abntime'],
    markedOn: ['COGDATE'],
    abnormalGround: ['specause_cn'],
    seriousGround: ['serillrea_cn'],
    listedBy: ['decorg_cn'],
    removedOn: ['remdate'],
    recovered: ['ISRECOVERY'],
    recoveredOn: ['NORDATE'],
    removalGround: ['remexcpres_cn'],
    removedBy: ['redecorg_cn', 'recorg_cn'],
    decisionNo: ['dedocnum'],
    division: ['dsc_adm_region'],
    operation: ['dsc_biz_operation'],
    changedAt: ['dsc_biz_timestamp'],
  },
  required: [
    ['abnormalId', 'code', 'listedOn', 'abnormalGround', 'operation', 'changedAt'],
    ['seriousId', 'code', 'listedOn', 'seriousGround', 'operation', 'changedAt'],
    ['abnormalId', 'code', 'markedOn', 'operation', 'changedAt'],
  ],
  dropped: ['dsc_city', 'dsc_biz_record_id'],
  version: ['变更时间（dsc_biz_timestamp）', 'the time of the change'],
  read,
}

function read(row: Row): Outcome | undefined {
  const listType: ListingFacts['listType'] = row.has('seriousId') ? 'serious' : row.has('markedOn') ? 'sole-trader-mark' : 'abnormal'
  const marked = listType === 'sole-trader-mark'
  const id = row.need(listType === 'serious' ? 'seriousId' : 'abnormalId')
  const changedAt = row.needInstant('changedAt')
  const subject = subjectOf(row, { regNo: true, pripid: true, division: true })
  const listedOn = row.needDay(marked ? 'markedOn' : 'listedOn')
  const listedBy = row.authority('listedBy')
  const groundText = marked ? undefined : row.words(listType === 'serious' ? 'seriousGround' : 'abnormalGround')
  const removal = removalOf(row, listType, [marked ? 'recoveredOn' : 'removedOn', 'removalGround', 'removedBy'])
    // A mark that is lifted without a day was lifted when the change was made.
    ?? (marked && row.text('recovered') === '1' && changedAt !== undefined ? present({ date: changedAt.slice(0, 10), ...removalGround(undefined, listType), authority: row.authority('removedBy') }) : undefined)
  const decisionNo = row.words('decisionNo')
  if (row.problems.length > 0) return undefined
  const kind = isDelete(row.text('operation')) ? 'voided' : removal === undefined ? 'listed' : 'ended'
  // Each list numbers its entries for itself.
  return listingAct(row, `${listType}-${id}`, {
    kind, wholeState: true, time: Date.parse(changedAt!), removal, listing: { listType, subject: subject!.fields, listedOn: listedOn!, listedBy, groundText, decisionNo },
  })
}
