import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Records } from './records.ts'

describe('records', () => {
  it('stand where a Map has them, as long as the details confirm it', () => {
    const id = fc.nat(3000).map((n) => `zj-credit/${n}`)
    fc.assert(fc.property(fc.array(id, { maxLength: 5000, size: 'max' }), (ids) => {
      const records = new Records()
      const model = new Map<string, number>()
      const standing = new Map<number, string>()
      for (const [n, recordId] of ids.entries()) {
        const previous = records.get(recordId, (reference) => standing.get(reference) === recordId)
        expect(previous).toBe(model.get(recordId) ?? 0)
        standing.delete(previous)
        const reference = n * 2 ** 20 + n + 1
        records.set(recordId, reference, previous)
        model.set(recordId, reference)
        standing.set(reference, recordId)
      }
      expect(records.size).toBe(model.size)
    }), { numRuns: 20 })
  })

  it('are told apart by the details where their hashes are the same', () => {
    const records = new Records()
    records.set('a', 1, 0)
    records.set('a', 2, 0)
    expect(records.get('a', (reference) => reference === 2)).toBe(2)
    expect(records.get('a', () => false)).toBe(0)
    records.set('a', 3, 2)
    expect(records.get('a', (reference) => reference !== 1)).toBe(3)
    expect(() => records.set('a', 4, 2)).toThrow(RangeError)
  })
})
