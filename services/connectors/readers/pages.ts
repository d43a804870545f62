import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'
import { decode } from './text.ts'

/** The objects of a JSON array, or of lines of JSON, one after another; no more than one is held. */
export async function* readPages(source: AsyncIterable<Uint8Array>): AsyncGenerator<object> {
  let page = ''
  let depth = 0
  let inString = false
  let escaped = false
  let number = 0
  for await (const text of decode(source, 'utf-8')) {
    let start = depth > 0 ? 0 : -1
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (inString) {
        if (escaped) escaped = false
        else if (code === 0x5c) escaped = true
        else if (code === 0x22) inString = false
      } else if (code === 0x22) inString = true
      else if (code === 0x7b && depth++ === 0) start = at
      else if (code === 0x7d && --depth === 0) {
        yield parsed(page + text.slice(start, at + 1), ++number)
        page = ''
        start = -1
      } else if (depth < 0) throw new FileProblem('malformed-json', 'JSON', { row: number + 1 })
    }
    if (start >= 0) page += text.slice(start)
    if (page.length > BOUNDS.lineBytes) throw new FileProblem('line-too-long', `≤ ${BOUNDS.lineBytes}`, { row: number + 1 })
  }
  if (depth > 0 || inString || number === 0) throw new FileProblem('malformed-json', 'JSON', { row: number + 1 })
}

function parsed(text: string, row: number): object {
  try {
    return JSON.parse(text) as object
  } catch {
    throw new FileProblem('malformed-json', 'JSON', { row })
  }
}
