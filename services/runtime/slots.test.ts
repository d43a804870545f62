import { expect, test } from 'vitest'
import { createSlots } from './slots.ts'

test('there are so many in all and so many for each caller; a slot is given back once', () => {
  const slots = createSlots(3, 2)
  const first = slots.take('a')!
  const second = slots.take('a')!
  expect(slots.take('a')).toBeUndefined()
  expect(slots.take('b')).toBeDefined()
  expect(slots.take('c')).toBeUndefined()
  first()
  first()
  expect(slots.take('c')).toBeDefined()
  expect(slots.take('a')).toBeUndefined()
  second()
  expect(slots.take('a')).toBeDefined()
})
