import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_REFERENCE } from './reference.ts'
import { Subjects } from './subjects.ts'
import { SEGMENTS } from './table.ts'

const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'

/** Codes that differ in a few places only, so that the same ones come up again. */
const code = fc.tuple(fc.constantFrom('91310000', '92330100', 'N2320000'), fc.nat(400)).map(([head, n]) => `${head}MA1K0${n.toString().padStart(5, '0')}`)
const reference = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(2 ** 32 - 1, 2 ** 32 + 1, 2 ** 36 + 7, MAX_REFERENCE))
const operation = fc.oneof(
  fc.record({ what: fc.constant('set' as const), code, reference }),
  fc.record({ what: fc.constant('delete' as const), code, reference: fc.constant(0) }),
)

describe('subjects', () => {
  it('hold what a Map holds, whatever is set, replaced and taken out', () => {
    fc.assert(fc.property(fc.array(operation, { maxLength: 5000, size: 'max' }), (operations) => {
      const subjects = new Subjects()
      const model = new Map<string, number>()
      for (const one of operations) {
        if (one.what === 'set') {
          subjects.set(one.code, one.reference)
          model.set(one.code, one.reference)
        } else expect(subjects.delete(one.code)).toBe(model.delete(one.code))
        expect(subjects.size).toBe(model.size)
      }
      for (const [key, value] of model) expect(subjects.get(key)).toBe(value)
      for (const one of operations) expect(subjects.get(one.code)).toBe(model.get(one.code) ?? 0)
    }), { numRuns: 20 })
  })

  it('find each of many, and nothing for a neighbour that differs in one character', () => {
    const subjects = new Subjects()
    for (let n = 0; n < 200_000; n++) subjects.set(codeOf(n), n + 1)
    expect(subjects.size).toBe(200_000)
    for (let n = 0; n < 200_000; n++) if (subjects.get(codeOf(n)) !== n + 1) throw new Error(`${codeOf(n)} is lost`)
    for (let n = 0; n < 200_000; n++) if (subjects.get(codeOf(n, 'Y')) !== 0) throw new Error(`${codeOf(n, 'Y')} was never set`)
    for (let n = 0; n < 200_000; n += 2) subjects.delete(codeOf(n))
    for (let n = 0; n < 200_000; n++) if (subjects.get(codeOf(n)) !== (n % 2 === 0 ? 0 : n + 1)) throw new Error(`${codeOf(n)} is not what was left`)
  })

  it('spread codes that count up evenly: no segment has twice its share', () => {
    const subjects = new Subjects()
    for (let n = 0; n < 400_000; n++) subjects.set(codeOf(n), n + 1)
    const counts = subjects.table.snapshot().sizes.map(({ count }) => count)
    expect(Math.max(...counts)).toBeLessThan((2 * 400_000) / SEGMENTS)
  })

  it('tell every character in every place apart', () => {
    const subjects = new Subjects()
    const base = '91310000MA1K00000A'
    const all = new Set([base])
    for (let at = 0; at < 18; at++) for (const character of ALPHABET) all.add(base.slice(0, at) + character + base.slice(at + 1))
    for (const [n, one] of [...all].entries()) subjects.set(one, n + 1)
    expect(subjects.size).toBe(18 * 30 + 1)
    for (const [n, one] of [...all].entries()) expect(subjects.get(one)).toBe(n + 1)
  })

  it.each(['', '91310000MA1K0000', '91310000MA1K00000AA', '91310000MA1K00000O', '91310000ma1k00000a', '９1310000MA1K00000A'])('refuse %o, which is no code in written form', (text) => {
    expect(() => new Subjects().get(text)).toThrow(RangeError)
  })

  it.each([0, -1, 1.5, NaN, 2 ** 32, MAX_REFERENCE + 1])('refuse the reference %d', (value) => {
    expect(() => new Subjects().set('91310000MA1K00000A', value)).toThrow(RangeError)
  })

  it('are in a snapshot as they were when it began, whatever changes meanwhile', () => {
    const subjects = new Subjects()
    for (let n = 0; n < 30_000; n++) subjects.set(codeOf(n), n + 1)
    const copy = new Subjects()
    using snapshot = subjects.table.snapshot()
    for (const [segment, { count }] of snapshot.sizes.entries()) {
      copy.table.restore(segment, count, snapshot.take(segment))
      for (let n = segment; n < 30_000; n += 3000) subjects.set(codeOf(n), 77)
      for (let n = segment; n < 30_000; n += 5000) subjects.delete(codeOf(n))
      subjects.set(codeOf(100_000 + segment), 5)
    }
    expect(copy.size).toBe(30_000)
    for (let n = 0; n < 30_000; n++) if (copy.get(codeOf(n)) !== n + 1) throw new Error(`${codeOf(n)} is ${copy.get(codeOf(n))} in the copy`)
    expect(copy.get(codeOf(100_001))).toBe(0)
  })

  it('take no segment that holds more than its slots', () => {
    const { table } = new Subjects()
    expect(() => table.restore(0, 9, new Uint32Array(8 * 4))).toThrow('segment 0')
    expect(() => table.restore(0, 0, new Uint32Array(33))).toThrow('segment 0')
  })
})

function codeOf(n: number, last = 'A'): string {
  return `91${(310000 + (n % 97)).toString()}MA${n.toString().padStart(7, '0')}${last}`
}
