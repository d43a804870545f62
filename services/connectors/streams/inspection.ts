import { createHash } from 'node:crypto'
import { withoutPerson } from '../normalise/person.ts'
import { batchDay } from '../normalise/batch.ts'
import { isPacked, isUnitDoubtful, listedItems, packedItems } from '../normalise/items.ts'
import { outcomeOf, type InspectionOutcome } from '../normalise/outcome.ts'
import { producerOf } from '../normalise/producer.ts'
import { present } from '../present.ts'
import { authorityIn } from '../reference/authorities.ts'
import { liesOutside, placeOfFirm } from '../reference/divisions.ts'
import type { Row } from '../row.ts'
import type { Names, Outcome } from '../shape.ts'

/** The fields of an inspection failure whatever its notice calls them. */
export const INSPECTION_COLUMNS = {
  number: ['序号', '编号'],
  sampleNo: ['抽样编号', '抽样单编号', '抽样单号', '样品编号'],
  producer: [
    '标称生产企业名称', '标称生产企业', '标称生产单位名称', '标称生产单位', '标称生产者名称', '标称生产者', '标称生产厂家', '标称生产商', '标示生产企业名称', '标示生产企业', '生产企业名称', '生产企业',
    '生产单位名称（标称）', '生产单位名称', '生产单位', '生产者名称', '生产厂家', '生产商',
  ],
  producerAddress: ['标称生产企业地址', '标称生产单位地址', '生产企业地址', '生产单位地址', '生产商地址', '生产者地址'],
  consignor: ['委托方', '委托单位'],
  seller: ['被抽样单位名称', '被抽样单位', '被抽检人', '被抽检单位', '经营者名称', '销售商', '销售单位', '受检单位', '受检单位名称'],
  sellerAddress: ['被抽样单位地址', '被抽检单位地址', '经营者地址', '销售商地址', '受检单位地址'],
  platform: ['网抽平台名称', '被抽检人所在平台', '网络平台名称', '平台名称'],
  product: ['食品名称', '样品名称', '商品名称', '产品名称', '食品（样品）名称'],
  spec: ['规格型号', '规格', '型号规格', '标称规格型号'],
  trademark: ['商标', '标称商标'],
  batch: ['生产日期/批号', '生产（购进）日期/批号', '生产/加工/购进日期', '生产日期', '批号', '生产日期或批号'],
  items: ['不合格项目║检验结果║标准值', '不合格项目║检验值║标准值', '不合格项目', '主要不合格项目', '不合格项目名称', '不合格检验项目', '不符合项目', '不合格项', '不合格指标'],
  results: ['检验结果', '检验值', '实测值', '检测结果'],
  limits: ['标准值', '标准要求', '标准规定', '限量值', '标签标注要求'],
  category: ['分类', '食品大类', '食品分类'],
  lab: ['检验机构', '承检机构', '检验机构名称'],
  notice: ['公告号', '通告号', '公告编号'],
  noticeDate: ['公告日期', '通告日期', '发布日期'],
  task: ['任务来源', '任务来源/项目名称', '项目名称'],
  remark: ['备注', '备 注', '说明'],
  cut: ['（句子截断）'],
} as const satisfies Record<string, Names>

export const INSPECTION_DROPPED: Names = ['网店名称', '网店商铺名称', '被抽样单位所在省份', '省份', '保质期']

const RUINED_NUMBER = /^\d(?:\.\d+)?E\+?\d+$/i
const ATTRIBUTION: Partial<Record<InspectionOutcome, string>> = { denied: 'denied' }

/** A row of a notice: one sample that failed, as its first conclusion or as re-inspection or objection left it. */
export function readInspection(row: Row, inspectionKind: 'food' | 'product'): Outcome | undefined {
  const name = row.needWords('product')
  const packed = row.raw('items')
  for (const field of ['items', 'results', 'limits']) row.label(field)
  const failingItems = isPacked(packed) ? packedItems(packed) : listedItems(packed, row.raw('results'), row.raw('limits'))
  const batch = row.label('batch')
  const { day: batchDate, impossible } = batchDay(batch ?? '')
  const outcome = outcomeOf(row.text('remark'))
  const noticeNo = row.words('notice')
  const noticeDate = row.day('noticeDate')
  const { sampleNo, id } = identify(row, [noticeNo, row.text('number'), name, row.text('producer'), row.text('seller'), batch, row.text('spec')])
  const parties = partiesOf(row, outcome)
  if (impossible) row.flag('impossible-date')
  if (failingItems.some(isUnitDoubtful)) row.flag('unit-doubtful')
  if (row.text('cut') !== undefined) row.flag('cut-off')
  const labName = row.words('lab')
  const record = present({
    authority: noticeNo === undefined ? undefined : authorityIn(noticeNo),
    occurredOn: noticeDate ?? row.today,
    inspectionKind,
    sampleNo,
    taskSource: row.words('task'),
    noticeNo,
    noticeDate,
    parties,
    product: present({ name: name!, spec: row.label('spec'), trademark: row.label('trademark'), batch, batchDate, categoryText: row.label('category') }),
    failingItems: failingItems.map(present),
    failingItemsRaw: isPacked(packed) ? packed.trim() : undefined,
    lab: labName === undefined ? undefined : { name: labName },
    outcome,
    publication: 'published',
    publishedOn: noticeDate,
  })
  if (row.problems.length > 0) return undefined
  return { act: { of: 'inspection', recordId: `${row.context.source}/${id}`, rank: outcome === 'none' ? 0 : 1, outcome, record } }
}

/** The number of the sampling form; without one, or with one that is no longer whole, a hash of what tells this sample from others. */
function identify(row: Row, facts: readonly (string | undefined)[]): { sampleNo: string | undefined, id: string } {
  const sampleNo = row.label('sampleNo')?.replace(/\s/g, '')
  const ruined = sampleNo !== undefined && RUINED_NUMBER.test(sampleNo)
  if (ruined) row.flag('ruined-sample-number')
  if (sampleNo !== undefined && !ruined) return { sampleNo, id: sampleNo }
  return { sampleNo, id: `n-${createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22)}` }
}

function partiesOf(row: Row, outcome: InspectionOutcome): object[] {
  const producerCell = row.words('producer')
  const { producer, consignor = row.words('consignor') } = producerCell === undefined ? {} : producerOf(producerCell)
  const producerAddress = row.words('producerAddress')
  const parties: object[] = []
  const seller = row.words('seller')
  const sellerAddress = row.words('sellerAddress')
  const { name, person } = seller === undefined ? { person: false } : withoutPerson(seller)
  if (person) row.flag('person-left-out')
  if (seller !== undefined || sellerAddress !== undefined) {
    parties.push(present({ role: 'sampled-unit', name, address: person ? undefined : sellerAddress, ...placed(name, sellerAddress, row), entityType: person ? 'individual' : undefined }))
  }
  if (producer !== undefined) parties.push(present({ role: 'nominal-producer', name: producer, address: producerAddress, ...placed(producer, producerAddress, row), attribution: ATTRIBUTION[outcome] }))
  if (consignor !== undefined) parties.push(present({ role: 'consignor', name: consignor, ...placed(consignor, undefined, row) }))
  const platform = row.words('platform')
  if (platform !== undefined) parties.push({ role: 'platform', name: platform })
  return parties
}

function placed(name: string | undefined, address: string | undefined, row: Row): { division?: string | undefined, region?: string | undefined } {
  const division = placeOfFirm(name, address, row.context.region)
  return division === undefined && (liesOutside(name ?? '') || liesOutside(address ?? '')) ? { region: 'other' } : { division }
}
