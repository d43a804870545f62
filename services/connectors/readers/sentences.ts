import { dayOf } from '../normalise/date.ts'
import { FileProblem } from './file-problem.ts'
import { decode, type Encoding } from './text.ts'

/** A sample that a numbered sentence names, as cells of the same names as a table's fields; `row` = number of the sentence. */
export interface Sentence {
  readonly row: number
  readonly cells: Readonly<Record<string, string>>
}

const MAX_TEXT = 4 * 1024 ** 2
const NUMBERED = /^\s*(\d{1,4})\s*[、.．]\s*(.+)$/
const DATED = /^\s*(\d{4}年\d{1,2}月\d{1,2}日)\s*$/
const CUT = /…+$/

/** 「某店（在某平台（网店））销售的（标称）某厂生产的某食品，某项目不符合…」 */
const SOLD = /^(?:(?<seller>.+?)(?:在(?<platform>[^（，。]{2,20})（网店）)?(?:销售|使用)的[、,]?)?(?:(?:标称)?(?<producer>[^，。]+?)生产的)?(?<product>[^，。]+?)，(?<items>.+?)(?:不符合.*|[…].*)$/
/** 「标称生产企业为（委托商）某厂生产的某商品，标称规格型号为…，生产日期/批号为…，某项目不合格」 */
const LABELLED = /^标称生产企业为(?<consigned>委托(?:商|方))?(?<producer>.+?)生产的(?<product>.+?)，标称规格型号为(?<spec>[^，]+)，生产日期\/批号为(?<batch>[^，]+)，(?<items>.+?)不合格$/
/** 「某食品（委托方甲、生产商乙、销售商丙），不合格项目：某。」 */
const LISTED = /^(?<product>.+?)（(?<parties>(?:(?:委托方|生产商|销售商).+?)+)），不合格项目[:：](?<items>.*)$/
const BATCHES = /^(?:\d+批次)?(.+?)（生产日期(?:分别)?为[:：]?([^）]+)）$/

/** Samples of a notice's numbered sentences, with its title and its date. The text is short and held in memory. */
export async function* readSentences(source: AsyncIterable<Uint8Array>, encoding?: Encoding): AsyncGenerator<Sentence> {
  let text = ''
  for await (const part of decode(source, encoding)) {
    text += part
    if (text.length > MAX_TEXT) throw new FileProblem('too-large', `≤ ${MAX_TEXT}`)
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '')
  const sentences = lines.map((line) => NUMBERED.exec(line)).filter((match) => match !== null)
  if (sentences.length === 0) throw new FileProblem('unknown-header', '1、…')
  const notice = lines[0]!
  const noticeDate = dayOf(DATED.exec(lines.at(-1)!)?.[1] ?? '') ?? ''
  for (const [, number, sentence] of sentences) {
    for (const cells of samplesOf(sentence!)) yield { row: Number(number), cells: { number: number!, notice, noticeDate, ...cells } }
  }
}

/** The samples of one sentence; none of its words where it is of no known form, so that the row is refused by its number. */
export function samplesOf(sentence: string): Record<string, string>[] {
  const [first = '', ...rest] = sentence.split('。')
  const cut: Record<string, string> = CUT.test(sentence) ? { cut: '1' } : {}
  const labelled = LABELLED.exec(first)?.groups
  if (labelled !== undefined) {
    const { consigned, producer = '', ...cells } = labelled as Record<string, string | undefined>
    return [{ ...given(cells), ...(consigned === undefined ? { producer } : { consignor: producer }), ...cut }]
  }
  const listed = LISTED.exec(first)?.groups
  if (listed !== undefined) return [{ product: listed['product']!, ...partiesOf(listed['parties']!), items: CUT.test(listed['items']!) ? '' : listed['items']!, ...cut }]
  const sold = SOLD.exec(first)?.groups
  if (sold === undefined) return [{}]
  const lab = /(?:初检|检验)机构为([^；。]+)/.exec(rest.join('。'))?.[1] ?? ''
  const cells = { ...given(sold), lab, remark: rest.filter((part) => part.includes('复检') || part.includes('异议')).join('。'), ...cut }
  const batches = BATCHES.exec(sold['product']!)
  return batches === null ? [cells] : batches[2]!.split('、').map((batch) => ({ ...cells, product: batches[1]!, batch }))
}

function partiesOf(text: string): Record<string, string> {
  const FIELDS: Readonly<Record<string, string>> = { 委托方: 'consignor', 生产商: 'producer', 销售商: 'seller' }
  return Object.fromEntries(text.split(/、(?=委托方|生产商|销售商)/).map((part) => [FIELDS[part.slice(0, 3)]!, part.slice(3)]))
}

function given(groups: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
