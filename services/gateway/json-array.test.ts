import { expect, test } from 'vitest'
import { isArray, splitArray } from './json-array.ts'

const split = (text: string, limit = 100): string[] | undefined => splitArray(Buffer.from(text), limit)?.map(String)

test.each([
  ['[]', []],
  [' [ ] \n', []],
  ['[1]', ['1']],
  ['[{"a":[1,2]},"x,]y", [3] ]', ['{"a":[1,2]}', '"x,]y"', ' [3] ']],
  ['["\\"],[", "\\\\"]', ['"\\"],["', ' "\\\\"']],
  ['[1,]', ['1', '']],
  ['[,]', ['', '']],
  ['[{a:1},]2]', undefined],
])('%s', (text, elements) => {
  expect(split(text)).toEqual(elements)
})

test.each(['[', '[1', '[1}', '[1]]', '[1] x', '["a', '[{]', '["\\'])('%s is not whole', (text) => {
  expect(split(text)).toBeUndefined()
})

test('elements beyond the limit are not looked at', () => {
  expect(split(`[${'1,'.repeat(1000)}`, 3)).toHaveLength(4)
})

test('the first byte that is not white space says what a body is', () => {
  expect([' \r\n\t[1]', '{}', '', '"["'].map((text) => isArray(Buffer.from(text)))).toEqual([true, false, false, false])
})
