import { expect, test } from 'vitest'
import { inserted, readable, tableOf, type Line } from './report.ts'

const LINE: Line = {
  fault: 'broker-killed', round: 1, seed: 7, outcome: 'passed', strikes: 1, published: 100, unanswered: 0, lost: 0, doubled: 0, outOfOrder: 0, violations: [], readySeconds: 1, drainedSeconds: 2,
  at: '2026-11-25T00:00:00.000Z', machine: { cpu: 'a processor', cores: 2, memory: '8 GiB' }, versions: { node: '24', kafka: '4', postgres: '18', hub: 'abc' },
}
const cells = (text: string): string[] => text.split('\n').at(-1)!.split(/ {2,}/)

test('a void round is told apart and counts for nothing', () => {
  expect(cells(readable([LINE, { ...LINE, round: 2, outcome: 'void', strikes: 0, published: 50, readySeconds: 90 }]))).toEqual(['broker-killed', '1', '1', '1', '100', '0', '0', '0', '0', '1', '2'])
})

test('what was violated and what never recovered is in the row', () => {
  const failed: Line = { ...LINE, outcome: 'failed', lost: 1, violations: ['V1 zj x', 'V8 drained'], drainedSeconds: null }
  expect(cells(readable([LINE, failed]))).toEqual(['broker-killed', '2', '0', '2', '200', '1', '0', '0', '1', '1', 'never'])
})

test('the table takes the place of the one before it, and nothing else', () => {
  const page = 'before\n<!-- faults: npm run faults -- --write -->\nold\n<!-- /faults -->\nafter\n'
  const text = inserted(page, tableOf([LINE]))
  expect(text).toMatch(/^before\n[^]*\| `broker-killed` [^]*<!-- \/faults -->\nafter\n$/)
  expect(text).not.toContain('old')
  expect(inserted(text, tableOf([LINE]))).toBe(text)
  expect(() => inserted('no marks', '')).toThrow('no place for the table')
})
