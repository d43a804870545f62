import { configure, TextReader, ZipWriter } from '@zip.js/zip.js'
import { isFormula } from '../normalise/cell.ts'

configure({ useWebWorkers: false })

/** How a cell is shown. */
export type Look = 'plain' | 'head' | 'refused' | 'doubtful' | 'offending'

export interface Cell {
  readonly text: string
  readonly look?: Look
}

const LOOKS: readonly Look[] = ['plain', 'head', 'refused', 'doubtful', 'offending']
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006'
const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
/** What an office program takes in a cell is 32 767; nobody reads that much. */
const CELL_LENGTH = 2_000

/**
 * Writes a workbook of one sheet (ECMA-376), row by row as they come: nothing but a piece of it is in memory, and nothing on the disk. All cells are text; one that begins like a formula gets an apostrophe
 * before it, so that it is none even where somebody saves the sheet as CSV.
 * @param widths of the columns, in characters
 * @param to is closed in the end
 */
export async function writeWorkbook(sheet: string, widths: readonly number[], rows: AsyncIterable<readonly Cell[]>, to: WritableStream<Uint8Array>): Promise<void> {
  const zip = new ZipWriter(to, { level: 6 })
  const add = (name: string, xml: string): Promise<unknown> => zip.add(name, new TextReader(HEAD + xml))
  await add('[Content_Types].xml', `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${
    [['workbook', 'sheet.main'], ['styles', 'styles'], ['worksheets/sheet1', 'worksheet']].map(([part, type]) => `<Override PartName="/xl/${part}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${type}+xml"/>`).join('')}</Types>`)
  await add('_rels/.rels', `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
  await add('xl/workbook.xml', `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="${escaped(sheet)}" sheetId="1" r:id="r1"/></sheets></workbook>`)
  await add('xl/_rels/workbook.xml.rels', `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="${OFFICE}/styles" Target="styles.xml"/></Relationships>`)
  await add('xl/styles.xml', STYLES)
  await zip.add('xl/worksheets/sheet1.xml', ReadableStream.from(sheetXml(widths, rows)))
  await zip.close()
}

const fill = (colour: string): string => `<fill><patternFill patternType="solid"><fgColor rgb="FF${colour}"/><bgColor indexed="64"/></patternFill></fill>`
const format = (fillId: number, fontId = 0): string => `<xf numFmtId="49" fontId="${fontId}" fillId="${fillId}" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1" applyFont="1" applyFill="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>`
/** One format for each look, in their order. The first two fills are the office program's own. */
const STYLES = `<styleSheet xmlns="${MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="6"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>${
  ['DDE6F0', 'FBE3E0', 'FFF4CC', 'F2A097'].map(fill).join('')}</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="5">${
  [format(0), format(2, 1), format(3), format(4), format(5, 1)].join('')}</cellXfs></styleSheet>`

async function* sheetXml(widths: readonly number[], rows: AsyncIterable<readonly Cell[]>): AsyncGenerator<Uint8Array> {
  const columns = widths.map((width, at) => `<col min="${at + 1}" max="${at + 1}" width="${width}" customWidth="1"/>`).join('')
  let piece = `${HEAD}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${columns}</cols><sheetData>`
  for await (const cells of rows) {
    piece += `<row>${cells.map(cellXml).join('')}</row>`
    if (piece.length < PIECE) continue
    yield Buffer.from(piece)
    piece = ''
  }
  yield Buffer.from(`${piece}</sheetData></worksheet>`)
}

const PIECE = 64 * 1024

function cellXml({ text, look = 'plain' }: Cell): string {
  const style = LOOKS.indexOf(look)
  const shown = text.length > CELL_LENGTH ? `${text.slice(0, CELL_LENGTH)}…` : text
  if (shown === '') return `<c s="${style}"/>`
  return `<c s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(isFormula(shown) ? `'${shown}` : shown)}</t></is></c>`
}

/** What XML 1.0 cannot hold at all is left out. */
function escaped(text: string): string {
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
