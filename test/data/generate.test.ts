import { describe, expect, test } from 'vitest'
import { readEvent } from '@hub/schemas/read-event'
import { REGIONS } from '@hub/schemas/streams'
import { BROKEN, broken } from './broken.ts'
import { complaints } from './generate.ts'

const NOW = Date.UTC(2026, 10, 1)

describe('complaints for load', () => {
  test.each(REGIONS)('are events that the validator of %s accepts without a flag', (region) => {
    const bad = complaints(3000, 7, region).map((event) => readEvent('complaint', region, event, NOW)).filter((read) => !read.ok || read.event.flags.length > 0).take(3).toArray()
    expect(bad).toEqual([])
  })

  test('come in two to four versions of a record, each above the one before', () => {
    const newest = new Map<string, number>()
    for (const { recordId, version } of complaints(20_000, 1, 'zj')) {
      expect(version).toBe((newest.get(recordId) ?? 0) + 1)
      newest.set(recordId, version)
    }
    expect(20_000 / newest.size).toBeGreaterThan(2)
    expect(20_000 / newest.size).toBeLessThan(4)
  })

  test('are about 600 bytes of JSON', () => {
    const bytes = complaints(2000, 1, 'js').map((event) => Buffer.byteLength(JSON.stringify(event))).toArray()
    const mean = bytes.reduce((total, one) => total + one, 0) / bytes.length
    expect(mean).toBeGreaterThan(500)
    expect(mean).toBeLessThan(900)
  })

  test('are the same for the same seed and share no record with those of another', () => {
    const once = complaints(500, 3, 'ah').toArray()
    expect(complaints(500, 3, 'ah').toArray()).toEqual(once)
    const ids = new Set(once.map(({ recordId }) => recordId))
    expect(complaints(500, 4, 'ah').filter(({ recordId }) => ids.has(recordId)).toArray()).toEqual([])
  })
})

/** The gateway's own parsing refuses these before the validator sees them. */
const UNPARSABLE = ['bad-json', 'not-utf8']

test.each(BROKEN.filter((kind) => !UNPARSABLE.includes(kind)))('the validator refuses a line broken by %s, and for that alone', (kind) => {
  const read = readEvent('complaint', 'sh', JSON.parse(broken(kind, 'sh').toString()), NOW)
  expect(read).toMatchObject({ ok: false, problems: [{}] })
})
