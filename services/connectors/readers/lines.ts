import { isUtf8 } from 'node:buffer'
import { BOUNDS } from './bounds.ts'
import { FileProblem } from './file-problem.ts'

/** A line of NDJSON; no object where the line is refused, and why. */
export interface JsonLine {
  readonly row: number
  readonly value?: object
  readonly fault?: 'malformed-json' | 'line-too-long' | 'invalid-encoding'
}

/** Lines of NDJSON (UTF-8), from 1; blank ones are counted and left out. One bad line stops nothing. */
export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<JsonLine> {
  let row = 0
  let pending: Uint8Array[] = []
  let bytes = 0
  let seen = false
  for await (const chunk of source) {
    seen ||= chunk.length > 0
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      keep(chunk.subarray(start, end))
      const line = finish()
      if (line !== undefined) yield line
      start = end + 1
    }
    keep(chunk.subarray(start))
  }
  if (!seen) throw new FileProblem('empty-file', '> 0 bytes')
  const last = finish()
  if (last !== undefined) yield last

  function keep(part: Uint8Array): void {
    bytes += part.length
    if (bytes > BOUNDS.lineBytes) pending = []
    else if (part.length > 0) pending.push(part)
  }

  function finish(): JsonLine | undefined {
    row++
    const tooLong = bytes > BOUNDS.lineBytes
    const line = pending.length === 1 ? pending[0]! : Buffer.concat(pending)
    pending = []
    bytes = 0
    if (tooLong) return { row, fault: 'line-too-long' }
    if (!isUtf8(line)) return { row, fault: 'invalid-encoding' }
    const text = Buffer.from(line.buffer, line.byteOffset, line.length).toString('utf8').replace(/^\ufeff/, '').trim()
    return text === '' ? undefined : { row, ...parsed(text) }
  }
}

function parsed(text: string): Pick<JsonLine, 'value' | 'fault'> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { value } : { fault: 'malformed-json' }
  } catch {
    return { fault: 'malformed-json' }
  }
}

/** The value at a path (`registration.regId`) as the text of a cell; nothing where there is none. */
export function cellAt(value: object, path: readonly string[]): string {
  let at: unknown = value
  for (const name of path) at = typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? (at as Record<string, unknown>)[name] : undefined
  return typeof at === 'string' ? at : typeof at === 'number' || typeof at === 'boolean' ? String(at) : ''
}
