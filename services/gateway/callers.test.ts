import { expect, test } from 'vitest'
import { allows } from './callers.ts'

test('a list names a value itself or by *', () => {
  expect(allows(['zj12315'], 'zj12315')).toBe(true)
  expect(allows(['*'], 'anything')).toBe(true)
  expect(allows([], 'zj12315')).toBe(false)
  expect(allows(['zj12315'], 'zj')).toBe(false)
})
