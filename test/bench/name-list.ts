import { TextReader, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js'

const HEADER = ['序号', '企业名称', '统一社会信用代码', '列入日期', '列入事由', '作出决定机关']

/** A published list as office software writes it, without shared strings. */
export async function nameList(rows: number): Promise<Uint8Array> {
  const cell = (text: string): string => `<c t="inlineStr"><is><t>${text}</t></is></c>`
  const line = (cells: readonly string[]): string => `<row>${cells.map(cell).join('')}</row>`
  const lines = [line(HEADER)]
  for (let row = 0; row < rows; row++) {
    const day = new Date(Date.UTC(2021, 9, 1) + (row % 1500) * 86_400_000).toISOString().slice(0, 10)
    lines.push(line([String(row + 1), `常州莳岑物业服务第${row}有限公司`, codeOf(row), day, '通过登记的住所或者经营场所无法联系的', '常州市天宁区市场监督管理局']))
  }
  const writer = new ZipWriter(new Uint8ArrayWriter())
  await writer.add('xl/workbook.xml', new TextReader('<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="名单" sheetId="1" r:id="r1"/></sheets></workbook>'))
  await writer.add('xl/_rels/workbook.xml.rels', new TextReader('<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'))
  await writer.add('xl/worksheets/sheet1.xml', new Uint8ArrayReader(Buffer.from(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${lines.join('')}</sheetData></worksheet>`)))
  return writer.close()
}

const DIGITS = '0123456789ABCDEFGHJKLMNPQRTUWXY'

/** A credit code that passes its check (GB 32100-2015). */
function codeOf(row: number): string {
  const body = `91320402${String(10_000_000 + row)}`
  const organisation = body.slice(8, 16)
  const weights = [3, 7, 9, 10, 5, 8, 4, 2]
  const check = 11 - [...organisation].reduce((sum, digit, at) => sum + Number(digit) * weights[at]!, 0) % 11
  const without = `${body}${check === 10 ? 'X' : check === 11 ? '0' : String(check)}`
  let weight = 1
  let sum = 0
  for (const digit of without) {
    sum += DIGITS.indexOf(digit) * weight
    weight = weight * 3 % 31
  }
  return `${without}${DIGITS[(31 - sum % 31) % 31]}`
}
