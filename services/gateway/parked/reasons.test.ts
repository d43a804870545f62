import { expect, test } from 'vitest'
import { PARK_REASONS, reasonText } from './reasons.ts'

test('every reason, one of another release too, has its words and what to do about it, in Chinese and English', () => {
  for (const { zh, en, todo } of [...PARK_REASONS, 'of-another-release', 'toString'].map(reasonText)) {
    for (const text of [zh, todo.zh]) expect(text).toMatch(/\p{Script=Han}/u)
    for (const text of [en, todo.en]) expect(text).toMatch(/^[\x20-\x7e]+$/)
  }
})
