import { expect, test } from 'vitest'
import { eventId } from './event-id.ts'

test('is a UUID version 7 that carries its time and sorts by it', () => {
  const id = eventId(1_767_225_600_123)
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(1_767_225_600_123)
  expect(eventId(1_767_225_600_124) > id).toBe(true)
})

test('never repeats within a millisecond', () => {
  expect(new Set(Array.from({ length: 10_000 }, () => eventId(1))).size).toBe(10_000)
})
