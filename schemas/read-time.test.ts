import { describe, expect, test } from 'vitest'
import { parseDay, parseInstant, shanghaiDay } from './read-time.ts'
import { dateText, instantText } from './record-json.ts'

describe('days', () => {
  test('every day from 1900 to 2100 is read, and printed again as it was', () => {
    const first = Date.UTC(1900, 0, 1) / 86_400_000
    const last = Date.UTC(2100, 11, 31) / 86_400_000
    for (let day = first; day <= last; day++) {
      const text = new Date(day * 86_400_000).toISOString().slice(0, 10)
      if (parseDay(text) !== day || dateText(day) !== text) expect.fail(text)
    }
  })

  test.each(['2026-02-30', '2026-02-29', '1900-02-29', '2026-13-01', '2026-00-10', '2026-01-00', '2026-04-31', '1899-12-31', '2101-01-01', '9999-09-09', '2026-1-1', '2026/01/01', '20260101',
    '2026-01-01T00:00:00Z', ' 2026-01-01', '2026-01-0１', '', '0000-00-00', '2026-01-+1'])('%j is none', (text) => {
    expect(parseDay(text)).toBe(undefined)
  })
})

describe('instants', () => {
  test.each([
    ['2026-03-15T09:30:00+08:00', '2026-03-15T01:30:00.000Z'],
    ['2026-03-15T01:30:00Z', '2026-03-15T01:30:00.000Z'],
    ['2026-03-15t01:30:00z', '2026-03-15T01:30:00.000Z'],
    ['2026-03-15T01:30:00.5Z', '2026-03-15T01:30:00.500Z'],
    ['2026-03-15T01:30:00.123456789Z', '2026-03-15T01:30:00.123Z'],
    ['2026-01-01T00:30:00+08:00', '2025-12-31T16:30:00.000Z'],
    ['2025-12-31T20:00:00-05:30', '2026-01-01T01:30:00.000Z'],
    ['1900-01-01T00:00:00Z', '1900-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, utc) => {
    expect(parseInstant(text)).toBe(Date.parse(utc))
    expect(parseInstant(instantText(Date.parse(utc)))).toBe(Date.parse(utc))
  })

  test.each(['2026-03-15T09:30:00', '2026-03-15 09:30:00+08:00', '2026-03-15', '2026-02-30T00:00:00Z', '2026-03-15T24:00:00Z', '2026-03-15T23:60:00Z', '2026-03-15T23:59:60Z',
    '2026-03-15T01:30:00+24:00', '2026-03-15T01:30:00.Z', '9999-09-09T00:00:00Z', '1773538200000', ''])('%j is none', (text) => {
    expect(parseInstant(text)).toBe(undefined)
  })

  test('a day begins at midnight in Shanghai', () => {
    expect(dateText(shanghaiDay(Date.parse('2026-03-14T15:59:59.999Z')))).toBe('2026-03-14')
    expect(dateText(shanghaiDay(Date.parse('2026-03-14T16:00:00.000Z')))).toBe('2026-03-15')
  })
})
