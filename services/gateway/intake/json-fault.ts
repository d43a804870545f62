const WORDS = ['true', 'false', 'null'] as const

/**
 * Where a text stops being JSON (RFC 8259): the index of the first character that cannot stand there, the text's length when it ends too early,
 * or undefined when it is JSON. `JSON.parse` tells it for some faults alone. For the error path, of text whose nesting is bounded.
 */
export function jsonFault(text: string): number | undefined {
  let at = 0
  try {
    value()
    space()
    if (at < text.length) fail(at)
    return undefined
  } catch (error) {
    if (error instanceof Fault) return Math.min(error.at, text.length)
    throw error
  }

  function value(): void {
    space()
    const c = text[at]
    if (c === '{') members('}', () => {
      space()
      if (text[at] !== '"') fail(at)
      string()
      space()
      take(':')
      value()
    })
    else if (c === '[') members(']', value)
    else if (c === '"') string()
    else if (c === '-' || isDigit(at)) number()
    else word()
  }

  function members(close: string, one: () => void): void {
    at++
    space()
    if (text[at] === close) {
      at++
      return
    }
    for (;;) {
      one()
      space()
      if (text[at] === close) break
      take(',')
    }
    at++
  }

  function string(): void {
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length || text.charCodeAt(at) < 0x20) fail(at)
      if (text[at] !== '\\') continue
      at++
      if (text[at] === 'u') for (let i = 0; i < 4; i++) matches(/[0-9a-fA-F]/, ++at)
      else matches(/["\\/bfnrt]/, at)
    }
    at++
  }

  function number(): void {
    if (text[at] === '-') at++
    if (text[at] === '0') at++
    else digits()
    if (text[at] === '.') {
      at++
      digits()
    }
    if (text[at] === 'e' || text[at] === 'E') {
      at++
      if (text[at] === '+' || text[at] === '-') at++
      digits()
    }
  }

  function digits(): void {
    if (!isDigit(at)) fail(at)
    while (isDigit(at)) at++
  }

  function word(): void {
    const found = WORDS.find((one) => one[0] === text[at]) ?? fail(at)
    for (const c of found) take(c)
  }

  function take(c: string): void {
    if (text[at] !== c) fail(at)
    at++
  }

  function matches(allowed: RegExp, index: number): void {
    if (!allowed.test(text[index] ?? '')) fail(index)
  }

  function isDigit(index: number): boolean {
    const c = text.charCodeAt(index)
    return c >= 0x30 && c <= 0x39
  }

  function space(): void {
    while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  }
}

class Fault extends Error {
  readonly at: number

  constructor(at: number) {
    super('not JSON')
    this.at = at
  }
}

function fail(at: number): never {
  throw new Fault(at)
}
