import { type Cell, writeWorkbook } from '@hub/connectors/writers/workbook'
import type { Shown } from '../answer.ts'
import { clock, type Line, type Result } from './result.ts'
import { listingFacts, penaltyFacts, regionWords, VERDICTS, type Words } from './words.ts'

const COLUMNS = ['代码 Code', '结论 Verdict', '类别 Kind', '内容 Content', '说明 Remarks'] as const
const WIDTHS = [24, 22, 22, 70, 60]

/** The workbook of a result: what the page says, a row for each listing and penalty, then how far the data reaches. */
export async function workbookOf(result: Result): Promise<Buffer> {
  const parts: Uint8Array[] = []
  await writeWorkbook('信用名单查询', WIDTHS, rows(result), new WritableStream({ write: (part) => void parts.push(part) }))
  return Buffer.concat(parts)
}

export async function* rows({ number, region, moment, lines, withoutCode }: Result): AsyncGenerator<readonly Cell[]> {
  yield COLUMNS.map((text) => ({ text, look: 'head' }))
  for (const line of lines) for (const cells of rowsOf(line)) yield cells.map((text) => ({ text }))
  const last = [
    ['查询编号 Number', number],
    ['查询时间 Asked at', `${clock(moment.at)} 北京时间，${regionWords(region)[0]}作答`],
    ...moment.asOf.map(({ region: one, complete, transportAgeSeconds, sources }) => [`截至 As of ${regionWords(one)[0]}`, [complete ? '完整' : '不完整', transportAgeSeconds === null ? '尚无位置' : `位置 ${clock(new Date(Date.parse(moment.at) - transportAgeSeconds * 1000).toISOString())}`, ...sources.map(({ source, lastHandOver }) => `${source}：${lastHandOver === null ? '尚无完整交付' : clock(lastHandOver)}`)].join('；')]),
    ['须知 Note', `只含四地公示的列入；无可用代码的记录 ${withoutCode} 条查不到；未查到不等于合格；以信用中国、国家企业信用信息公示系统为准。`],
  ]
  for (const [name, text] of last) yield [{ text: name!, look: 'head' }, { text: '' }, { text: '' }, { text: text! }]
}

function rowsOf(line: Line): string[][] {
  if (line.wrong !== undefined) return [[`第 ${line.at} 项`, '输入有误 Not a code', '', '', line.wrong]]
  const { asked, said: { verdict, flags, listings, penalties, incomplete } } = line
  const head = [asked, VERDICTS[verdict].join(' ')]
  const remarks = [...(flags.length > 0 ? ['校验位不符'] : []), ...incomplete.flatMap(({ region, doubts }) => doubts.map(({ text }) => `${regionWords(region)[0]}：${text}`))].join('\n')
  const content = (one: Shown, facts: typeof listingFacts): string => facts(one, clock).map(([[name], value]: [Words, Words]) => `${name}：${value[0]}`).join('\n')
  const found = [...listings.map((one) => [...head, one.list.zh, content(one, listingFacts), remarks]), ...penalties.map((one) => [...head, '行政处罚（不影响结论）', content(one, penaltyFacts), remarks])]
  return found.length === 0 ? [[...head, '', '', remarks]] : found
}
