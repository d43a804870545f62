import { isUtf8 } from 'node:buffer'
import { jsonFault } from './json-fault.ts'

/** Nesting that no contract reaches; deeper input is refused before anything walks it. */
export const MAX_DEPTH = 16

export type JsonFault = 'invalid-utf8' | 'malformed-json' | 'too-deep' | 'duplicate-key'

export type ParsedJson = { ok: true; value: unknown } | { ok: false; fault: JsonFault; field: string; /** Of malformed JSON: the byte, from 0, at which it stops being JSON. */ byte?: number }

/**
 * Parses JSON from outside: UTF-8 is checked, nesting bounded, and a key given twice in one object refused, since
 * `JSON.parse` would keep the last without a word. `__proto__` becomes an ordinary own property that the validator refuses by name.
 */
export function parseJson(bytes: Buffer): ParsedJson {
  if (!isUtf8(bytes)) return { ok: false, fault: 'invalid-utf8', field: '' }
  const text = bytes.toString('utf8')
  const shape = measure(text)
  if (shape.depth > MAX_DEPTH) return { ok: false, fault: 'too-deep', field: '' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, fault: 'malformed-json', field: '', byte: Buffer.byteLength(text.slice(0, jsonFault(text))) }
  }
  // Fewer keys after parsing than colons before it: some key stood twice.
  if (countKeys(value) !== shape.members) return { ok: false, fault: 'duplicate-key', field: duplicateKey(text) }
  return { ok: true, value }
}

/** Deepest nesting and number of object members, from one pass over the text; meaningful for well-formed JSON only. */
function measure(text: string): { depth: number; members: number } {
  let depth = 0
  let deepest = 0
  let members = 0
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22:
        i = stringEnd(text, i)
        break
      case 0x7b:
      case 0x5b:
        if (++depth > deepest) deepest = depth
        break
      case 0x7d:
      case 0x5d:
        depth--
        break
      case 0x3a:
        members++
        break
    }
  }
  return { depth: deepest, members }
}

/** Index of the quote that closes the string opened at `start`, or the end of the text. */
function stringEnd(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end
}

function isEscaped(text: string, index: number): boolean {
  let slashes = 0
  while (text.charCodeAt(index - 1 - slashes) === 0x5c) slashes++
  return slashes % 2 === 1
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item)
    return count
  }
  const record = value as Record<string, unknown>
  for (const key of Object.keys(record)) {
    const member = record[key]
    count += typeof member === 'object' ? 1 + countKeys(member) : 1
  }
  return count
}

/** The first key that stands twice in one object of well-formed JSON; on the error path only. */
function duplicateKey(text: string): string {
  const open: (Set<string> | undefined)[] = []
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (c === '{') open.push(new Set())
    else if (c === '[') open.push(undefined)
    else if (c === '}' || c === ']') open.pop()
    else if (c === '"') {
      const end = stringEnd(text, i)
      const seen = open.at(-1)
      if (seen !== undefined && /^\s*:/.test(text.slice(end + 1, end + 20))) {
        const key = JSON.parse(text.slice(i, end + 1)) as string
        if (seen.has(key)) return key
        seen.add(key)
      }
      i = end
    }
  }
  return ''
}
