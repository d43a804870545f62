import { REGIONS } from '@hub/schemas/streams'
import { configure, TextReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js'
import { plain, time, type Shown } from './shown.ts'
import { placeName, tablesOf, type Content, type Table } from './tables.ts'

configure({ useWebWorkers: false })

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml'
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
/** Rows of a sheet; a list of traders that is longer says how many are left out. */
export const MOST_ROWS = 20_000
/** Characters of a cell. */
const CELL_LENGTH = 2_000
/** Day of every part of the archive, so that the same edition gives the same bytes. */
const DATED = new Date('2000-01-01T00:00:00Z')

/**
 * An edition as a workbook (ECMA-376): what it is on the first sheet, then one sheet a table. Counts are numbers; all else is text, and a text that begins like a formula gets an apostrophe before it, so
 * that it is none even where somebody saves the sheet as CSV.
 */
export async function documentWorkbook(content: Content, draft: boolean): Promise<Uint8Array> {
  const sheets = [cover(content, draft), ...tablesOf(content).map(sheetOf)]
  const zip = new ZipWriter(new Uint8ArrayWriter(), { level: 6, lastModDate: DATED, extendedTimestamp: false })
  const add = (name: string, xml: string): Promise<unknown> => zip.add(name, new TextReader(HEAD + xml))
  const parts: [string, string][] = [['workbook', 'sheet.main'], ['styles', 'styles'], ...sheets.map((_sheet, at): [string, string] => [`worksheets/sheet${at + 1}`, 'worksheet'])]
  await add('[Content_Types].xml', `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${
    parts.map(([part, type]) => `<Override PartName="/xl/${part}.xml" ContentType="${TYPE}.${type}+xml"/>`).join('')}</Types>`)
  await add('_rels/.rels', `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
  await add('xl/workbook.xml', `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets>${sheets.map(({ name }, at) => `<sheet name="${escaped(name)}" sheetId="${at + 1}" r:id="r${at + 1}"/>`).join('')}</sheets></workbook>`)
  await add('xl/_rels/workbook.xml.rels', `<Relationships xmlns="${PACKAGE}/relationships">${sheets.map((_sheet, at) => `<Relationship Id="r${at + 1}" Type="${OFFICE}/worksheet" Target="worksheets/sheet${at + 1}.xml"/>`).join('')}<Relationship Id="styles" Type="${OFFICE}/styles" Target="styles.xml"/></Relationships>`)
  await add('xl/styles.xml', STYLES)
  for (const [at, sheet] of sheets.entries()) await add(`xl/worksheets/sheet${at + 1}.xml`, sheetXml(sheet))
  return zip.close()
}

type Look = 'plain' | 'head' | 'title' | 'number' | 'quiet'

interface Cell extends Shown {
  readonly look: Look
}

interface Sheet {
  readonly name: string
  readonly widths: readonly number[]
  readonly rows: readonly (readonly Cell[])[]
}

const LOOKS: readonly Look[] = ['plain', 'head', 'title', 'number', 'quiet']
const format = (number: number, font: number, fill: number, align: string): string => `<xf numFmtId="${number}" fontId="${font}" fillId="${fill}" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" applyAlignment="1"><alignment vertical="top" ${align}/></xf>`
/** One format for each look, in their order; 49 is text, 3 is #,##0. The first two fills are the office program's own. */
const STYLES = `<styleSheet xmlns="${MAIN}"><fonts count="4"><font><sz val="11"/><name val="等线"/></font><font><b/><sz val="11"/><name val="等线"/></font><font><b/><sz val="14"/><color rgb="FFA31621"/><name val="等线"/></font><font><sz val="11"/><color rgb="FF4A5058"/><name val="等线"/></font></fonts><fills count="3"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill><fill><patternFill patternType="solid"><fgColor rgb="FFF3E9E9"/><bgColor indexed="64"/></patternFill></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="5">${
  [format(49, 0, 0, 'wrapText="1"'), format(49, 1, 2, 'wrapText="1"'), format(49, 2, 0, ''), format(3, 0, 0, 'horizontal="right"'), format(49, 3, 0, '')].join('')}</cellXfs></styleSheet>`

function cover({ statement, digests, tips, annex }: Content, draft: boolean): Sheet {
  const { title, kind, edition, demo, plan, regions, caveats, definitions } = statement
  const row = (name: string, value: string): Cell[] => [{ text: name, look: 'head' }, { text: value, look: 'plain' }]
  const word = { full: '正式', partial: '部分地区', erratum: '更正', retracted: '撤回' }[kind]
  return {
    name: '公示', widths: [20, 100], rows: [
      [{ text: title[0], look: 'title' }],
      row('版次', `第${edition}版 · ${draft ? '草案，未发布' : word}`),
      ...(demo ? [row('演示数据', '本文件由样例数据生成，不是真实公示。')] : []),
      row('统计窗口', `${plan.window.from} 至 ${plan.window.to}`), row('截数时间', `${time(plan.cut)}（北京时间）`), row('发布日期', plan.publishOn), row('日历版本', plan.calendar.join('、')),
      ...(plan.override === null ? [] : [row('调整', plan.override[0])]),
      ...REGIONS.map((region) => row(placeName(region), { complete: '完整', incomplete: '不完整', missing: '缺失，不以零计' }[regions[region].standing])),
      ...tips.map(({ zh }, at) => row(`消费提示${at + 1}`, zh)),
      row('数字摘要', digests.aggregates), row('附件摘要', digests.annex), row('提示摘要', digests.tips),
      ...[...caveats, ...annex.caveats].map(([zh]) => row('说明', zh)),
      ...definitions.map(({ id, version, name, text }) => row(`${name[0]} ${id}@${version}`, text[0])),
    ],
  }
}

function sheetOf({ caption, unit, columns, rows, notes }: Table): Sheet {
  const left = rows.length - MOST_ROWS
  const quiet = (text: string): Cell[] => [{ text, look: 'quiet' }]
  return {
    name: caption.replaceAll(/[\\/?*[\]:（）]/g, ' ').trim().slice(0, 31), widths: columns.map(({ number, name }) => (number ? 16 : /SHA-256|签名/.test(name) ? 68 : 24)),
    rows: [
      columns.map(({ name }) => ({ text: name, look: 'head' as const })),
      ...rows.slice(0, MOST_ROWS).map((row) => row.map((cell): Cell => ({ ...cell, look: cell.value !== undefined ? 'number' : cell.absent ? 'quiet' : 'plain' }))),
      ...(left > 0 ? [quiet(`另有${left}行未列出，见 JSON 文件。`)] : []),
      [], ...(unit === '不适用' ? [] : [quiet(`单位：${unit}`)]), ...notes.map(quiet),
    ],
  }
}

function sheetXml({ widths, rows }: Sheet): string {
  const columns = widths.map((width, at) => `<col min="${at + 1}" max="${at + 1}" width="${width}" customWidth="1"/>`).join('')
  return `<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${columns}</cols><sheetData>${rows.map((cells) => `<row>${cells.map(cellXml).join('')}</row>`).join('')}</sheetData></worksheet>`
}

function cellXml({ text, value, look }: Cell): string {
  const style = LOOKS.indexOf(look)
  if (value !== undefined) return `<c s="${style}"><v>${value}</v></c>`
  const shown = text.length > CELL_LENGTH ? `${text.slice(0, CELL_LENGTH)}…` : text
  return `<c s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(/^[=+\-@\t\r]/.test(shown) ? `'${shown}` : shown)}</t></is></c>`
}

function escaped(text: string): string {
  return plain(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
