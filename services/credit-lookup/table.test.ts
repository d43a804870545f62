import fc from 'fast-check'
import { expect, it } from 'vitest'
import { homeOf, SegmentedTable } from './table.ts'

/** Few homes, most of them at the end of the segment: long runs that wrap around. */
const firstWord = fc.oneof(fc.integer({ min: 0xf000_0000, max: 0xffff_ffff }), fc.constantFrom(0xffff_ffe0, 0xffff_ffff, 0, 0x20, 0x8000_0000))

it('a segment holds what was put in and not taken out, however the runs wrap and close', () => {
  fc.assert(fc.property(fc.array(fc.tuple(firstWord, fc.boolean()), { maxLength: 400, size: 'max' }), (operations) => {
    const table = new SegmentedTable(2, 0.9)
    const model = new Map<number, number>()
    for (const [n, [first, removes]] of operations.entries()) {
      const at = find(table, first)
      expect(at >= 0).toBe(model.has(first))
      if (removes) {
        if (at >= 0) table.removeAt(0, at)
        model.delete(first)
      } else if (at < 0) {
        table.insert(0, [first, n + 1])
        model.set(first, n + 1)
      }
    }
    expect(table.size).toBe(model.size)
    for (const [first, value] of model) expect(table.words[0]![find(table, first) + 1]).toBe(value)
  }), { numRuns: 300 })
})

it('a snapshot is taken in order, one at a time', () => {
  const table = new SegmentedTable(2, 0.9)
  {
    using snapshot = table.snapshot()
    snapshot.take(3)
    expect(() => snapshot.take(2)).toThrow('in order')
    expect(() => table.snapshot()).toThrow('under way')
  }
  table.snapshot()[Symbol.dispose]()
})

function find(table: SegmentedTable, first: number): number {
  const words = table.words[0]!
  let at = homeOf(first, words.length / 2) * 2
  for (; words[at + 1] !== 0; at = at + 2 === words.length ? 0 : at + 2) if (words[at] === first) return at
  return -1
}
