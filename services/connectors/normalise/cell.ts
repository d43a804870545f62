/** What sources write where they have nothing (domain reference 5.2); a masked code is no value either. */
const NOTHING = new Set(['', '\\N', '暂无', '无', '/', '-', '—', '－', '／', '——', 'NULL', 'null', '（地址从略）', '9999-09-09', '2099-12-31', '1900-01-01', '1900-01-01 00:00:00'])

/** What an office program would take for the beginning of a formula, full-width forms included. */
const FORMULA = /^[\s]*[=+\-@＝＋－＠]|^[\t\r]/

/** White space of any kind, BOM and zero-width characters. */
const BLANK = /^[\s\u200b\ufeff]+|[\s\u200b\ufeff]+$/g

/** A cell with something in it, without what surrounds it; line ends inside become single spaces. */
export function given(raw: string): string | undefined {
  const text = isPlain(raw.charCodeAt(0)) && isPlain(raw.charCodeAt(raw.length - 1)) ? raw : raw.replace(BLANK, '')
  if (NOTHING.has(text)) return undefined
  return text.includes('\n') || text.includes('\r') ? text.replace(/\s*[\r\n]+\s*/g, ' ') : text
}

/** A character that is surely no white space: most cells begin and end with one, and are asked for often. */
function isPlain(code: number): boolean {
  return (code > 0x20 && code < 0x7f) || (code >= 0x3001 && code < 0xfeff)
}

export function isFormula(raw: string): boolean {
  return FORMULA.test(raw)
}

const WIDE = /[\uff01-\uff5e\u3000]/

/** Full-width letters, digits and signs to the usual ones; Chinese punctuation that people expect to see stays. */
export function halfWidth(text: string): string {
  return !WIDE.test(text) ? text : text.replace(/[０-９Ａ-Ｚａ-ｚ．／－：]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0)).replace(/\u3000/g, ' ')
}

/** How a header is compared: without spaces, width, case, BOM and kinds of brackets and slashes. */
export function headerKey(name: string): string {
  return name.normalize('NFKC').replace(/[\s\u200b\ufeff]+/g, '').toLowerCase().replace(/[\[【〔]/g, '(').replace(/[\]】〕]/g, ')').replace(/‖/g, '║')
}
