import { expect, test } from 'vitest'
import { sharedReading } from './shared-reading.ts'

test('those who ask at once share one reading, and a later one is new', async () => {
  let readings = 0
  const read = sharedReading(async () => ++readings, 0)
  expect([await read(), await read()]).toEqual([1, 2])
  const kept = sharedReading(async () => ++readings, 60_000)
  expect(await Promise.all([kept(), kept()])).toEqual([3, 3])
})

test('a reading that failed is not kept', async () => {
  let away = true
  const read = sharedReading(async () => {
    if (away) throw new Error('database away')
    return 7
  }, 60_000)
  await expect(Promise.all([read(), read()])).rejects.toThrow('database away')
  away = false
  expect(await read()).toBe(7)
})
