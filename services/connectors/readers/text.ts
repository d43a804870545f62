import { isUtf8 } from 'node:buffer'
import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'

export type Encoding = 'utf-8' | 'gb18030'

/** Bytes that no text begins with: what the file really is, and what to do. */
const NO_TEXT: readonly (readonly [magic: readonly number[], what: string])[] = [
  [[0xff, 0xfe], 'UTF-16 → UTF-8, GB18030'],
  [[0xfe, 0xff], 'UTF-16 → UTF-8, GB18030'],
  [[0xd0, 0xcf, 0x11, 0xe0], '.xls → .xlsx, .csv'],
  [[0x25, 0x50, 0x44, 0x46], 'PDF → .xlsx, .csv'],
]

/**
 * Decodes a stream strictly: a byte that does not belong stops it with the line it stands in, after the lines before it; nothing is ever replaced. Without a declaration UTF-8 (with or
 * without a mark) is taken where the head of the file is valid UTF-8, GB18030 elsewhere.
 */
export async function* decode(source: AsyncIterable<Uint8Array>, declared?: Encoding): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let encoding: Encoding | undefined
  let line = 1
  for await (const bytes of withHead(source)) {
    if (decoder === undefined) {
      for (const [magic, what] of NO_TEXT) if (magic.every((byte, at) => bytes[at] === byte)) throw new FileProblem('unknown-encoding', what)
      encoding = declared ?? encodingOf(bytes)
      decoder = new TextDecoder(encoding, { fatal: true })
    }
    let text: string
    try {
      text = decoder.decode(bytes, { stream: true })
    } catch {
      const good = linesBefore(bytes, encoding!)
      if (line > 1 || good !== '') yield good
      throw invalid(line + count(good, '\n'))
    }
    line += count(text, '\n')
    if (text !== '') yield text
  }
  if (decoder === undefined) throw new FileProblem('empty-file', '> 0 bytes')
  try {
    decoder.decode()
  } catch {
    throw invalid(line)
  }

  function invalid(row: number): FileProblem {
    return new FileProblem('invalid-encoding', `${encoding!.toUpperCase()}${declared === undefined ? '' : ' (declared)'}`, { row })
  }
}

export function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return 'utf-8'
  // The head may end inside a character of up to four bytes.
  for (let cut = 0; cut < 4; cut++) if (isUtf8(head.subarray(0, head.length - cut))) return 'utf-8'
  return 'gb18030'
}

/** The source with its first bytes in one piece, enough of them to tell an encoding by. */
export async function* withHead(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source) {
    if (bytes < 0) yield chunk
    else {
      head.push(chunk)
      bytes += chunk.length
      if (bytes >= BOUNDS.headBytes) {
        yield Buffer.concat(head)
        bytes = -1
      }
    }
  }
  if (bytes > 0) yield Buffer.concat(head)
}

/** The lines before the first byte that does not belong. A chunk may begin inside a character: then its first line is lost with it. */
function linesBefore(bytes: Uint8Array, encoding: Encoding): string {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let text = ''
  let start = 0
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    try {
      text += decoder.decode(bytes.subarray(start, end + 1))
    } catch {
      return text
    }
    start = end + 1
  }
  return text
}

export function count(text: string, character: string): number {
  let found = 0
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found++
  return found
}
