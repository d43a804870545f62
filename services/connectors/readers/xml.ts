import sax from 'sax'
import { FileProblem } from './file-problem.ts'

/** A strict parser that knows no entities but XML's own. */
export function xmlParser(): sax.SAXParser {
  const parser = sax.parser(true, { position: false })
  parser.onerror = () => { throw new FileProblem('broken-workbook', '.xlsx') }
  parser.ondoctype = () => { throw new FileProblem('broken-workbook', 'no DOCTYPE') }
  return parser
}

/** `A` = 0, `AB` = 27. */
export function columnIndex(letters: string): number {
  let index = 0
  for (const letter of letters) index = index * 26 + letter.charCodeAt(0) - 64
  return index - 1
}

export function local(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}
