import { hash } from 'node:crypto'

/**
 * JSON in one written form (RFC 8785 without numbers that are not whole): names sorted by UTF-16 code units, no space between. What is signed is
 * written so, and four regions write the same bytes.
 * @throws TypeError for what has no one form: a fraction, a number beyond 2^53, `undefined`, a lone surrogate
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeError('a text with a lone surrogate is not written')
      return JSON.stringify(value)
    case 'boolean':
      return String(value)
    case 'number':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new TypeError(`${value} is not a whole number within 2^53: write it as text or as a ratio`)
      return String(value)
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
      return `{${Object.keys(value).sort().map((name) => `${canonicalJson(name)}:${canonicalJson((value as Record<string, unknown>)[name])}`).join(',')}}`
    default:
      throw new TypeError(`a ${typeof value} is not written`)
  }
}

/** SHA-256 of the canonical JSON, hex. */
export function digestOf(value: unknown): string {
  return hash('sha256', canonicalJson(value), 'hex')
}
