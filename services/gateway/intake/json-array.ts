const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c

/** Whether a body is meant as a JSON array: its first byte that is not white space is `[`. */
export function isArray(bytes: Buffer): boolean {
  return bytes[skipSpace(bytes, 0)] === 0x5b
}

/**
 * The bytes of each element of a JSON array, so that one bad event refuses itself and not its neighbours. Strings and nesting are told
 * apart, nothing else: each element is still to be parsed. A number = the byte at which it stops being one array: it is not closed, or something follows it.
 * Stops as soon as there are more than `limit` elements.
 */
export function splitArray(bytes: Buffer, limit: number): Buffer[] | number {
  const elements: Buffer[] = []
  let start = skipSpace(bytes, 0) + 1
  let depth = 1
  for (let at = start; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = stringEnd(bytes, at)
        break
      case 0x5b:
      case 0x7b:
        depth++
        break
      case COMMA:
        if (depth > 1) break
        elements.push(bytes.subarray(start, at))
        if (elements.length > limit) return elements
        start = at + 1
        break
      case 0x5d:
      case 0x7d:
        if (--depth > 0) break
        if (bytes[at] !== 0x5d) return at
        if (skipSpace(bytes, at + 1) < bytes.length) return skipSpace(bytes, at + 1)
        if (elements.length > 0 || skipSpace(bytes, start) < at) elements.push(bytes.subarray(start, at))
        return elements
    }
  }
  return bytes.length
}

/** Index of the quote that ends the string opened at `start`, or the end of the bytes. */
function stringEnd(bytes: Buffer, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === BACKSLASH) at++
    else if (bytes[at] === QUOTE) return at
  }
  return bytes.length
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++
  return at
}
