/** One line of a body: its number from 1, and its bytes, or `undefined` when it exceeded the limit and was skipped over. */
export interface Line {
  number: number
  bytes: Buffer | undefined
}

/**
 * Splits a stream into lines, one array per chunk, holding at most one unfinished line of `limit` bytes. Blank lines are
 * counted but not returned. A body that breaks off yields no last line: the source's error is thrown instead, so half an event is
 * never taken for a whole one.
 */
export async function* splitLines(source: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Line[]> {
  let number = 0
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const chunk of source) {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      finish(chunk.subarray(start, end), lines)
      start = end + 1
    }
    keep(chunk.subarray(start))
    if (lines.length > 0) yield lines
  }
  const last: Line[] = []
  finish(Buffer.alloc(0), last)
  if (last.length > 0) yield last

  function finish(tail: Buffer, lines: Line[]): void {
    number++
    keep(tail)
    const tooLong = pendingBytes > limit
    const bytes = tooLong ? undefined : pending.length === 1 ? pending[0] : Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    if (bytes === undefined || !isBlank(bytes)) lines.push({ number, bytes })
  }

  function keep(part: Buffer): void {
    pendingBytes += part.length
    if (pendingBytes > limit) pending = []
    else if (part.length > 0) pending.push(part)
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false
  return true
}
