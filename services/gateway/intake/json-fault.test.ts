import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonFault } from './json-fault.ts'

test.each([
  ['', 0], ['{', 1], ['{"a":1', 6], ['{"a":1,}', 7], ['{a:1}', 1], ["{'a':1}", 1], ['[1,2', 4], ['[1 2]', 3], ['{"a" 1}', 5], ['tru', 3], ['trux', 3], ['nan', 1], ['01', 1], ['1.', 2], ['-', 1], ['1e+', 3],
  ['"a\nb"', 2], ['"\\x"', 2], ['"\\u12g4"', 5], ['"abc', 4], ['{} {}', 3], ['\ufeff{}', 0], ['[1]]', 3], ['{"价":，}', 5],
])('%j stops being JSON at %i', (text, at) => {
  expect(jsonFault(text)).toBe(at)
})

const mutated = fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2, unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ',', ':', '0', '.', 'e', '-', ' ', 'n', '\u0001', '价') }))
  .map(([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1) + piece.length))

test('there is a fault exactly where JSON.parse throws, and what stands before it could still be the beginning of JSON', () => {
  fc.assert(fc.property(fc.oneof(fc.json(), mutated, fc.string()), (text) => {
    const at = jsonFault(text)
    expect(at === undefined).toBe(parses(text))
    // A text that ends too early has its fault at its end: so has what stands before any fault, unless it is JSON itself.
    if (at !== undefined) expect([undefined, at]).toContain(jsonFault(text.slice(0, at)))
  }), { numRuns: 2_000 })
})

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
