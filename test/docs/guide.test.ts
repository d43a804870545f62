import { expect, test } from 'vitest'
import { blocksOf, differences } from './guide.ts'

test('the blocks of a page are found with their language and line', () => {
  expect(blocksOf('# a\n\n```sh\necho 1\n```\ntext\n```json\n{}\n```\n')).toEqual([{ language: 'sh', text: 'echo 1\n', line: 3 }, { language: 'json', text: '{}\n', line: 7 }])
})

test('what is shown must be there, … is whatever it is, and more may be there', () => {
  expect(differences({ a: '…', b: ['x…', 1] }, { a: 3, b: ['xyz', 1], c: 1 })).toEqual([])
})

test.each([
  [{ a: '…' }, {}, ['.a is missing']],
  [{ a: 1 }, { a: 2 }, ['.a is 2, not 1']],
  [{ a: [1] }, { a: [1, 2] }, ['.a has 2 elements, not 1']],
  [['x…'], ['yx'], ['[0] is "yx"']],
  [{ a: { b: 1 } }, { a: null }, ['.a is null']],
])('%j is not %j', (shown, seen, expected) => {
  expect(differences(shown, seen)).toEqual(expected)
})
