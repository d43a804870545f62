import { expect, test } from 'vitest'
import { isArray, splitArray } from './json-array.ts'

const split = (text: string, limit = 100): string[] | number => {
  const elements = splitArray(Buffer.from(text), limit)
  return typeof elements === 'number' ? elements : elements.map(String)
}

test.each([
  ['[]', []],
  [' [ ] \n', []],
  ['[1]', ['1']],
  ['[{"a":[1,2]},"x,]y", [3] ]', ['{"a":[1,2]}', '"x,]y"', ' [3] ']],
  ['["\\"],[", "\\\\"]', ['"\\"],["', ' "\\\\"']],
  ['[1,]', ['1', '']],
  ['[,]', ['', '']],
  ['[{a:1},]2]', 8],
])('%s', (text, elements) => {
  expect(split(text)).toEqual(elements)
})

test.each([['[', 1], ['[1', 2], ['[1}', 2], ['[1]]', 3], ['[1] x', 4], ['["a', 3], ['[{]', 3], ['["\\', 3], ['["价"', 6]])('%s stops being an array at byte %i', (text, byte) => {
  expect(split(text)).toBe(byte)
})

test('elements beyond the limit are not looked at', () => {
  expect(split(`[${'1,'.repeat(1000)}`, 3)).toHaveLength(4)
})

test('the first byte that is not white space says what a body is', () => {
  expect([' \r\n\t[1]', '{}', '', '"["'].map((text) => isArray(Buffer.from(text)))).toEqual([true, false, false, false])
})
