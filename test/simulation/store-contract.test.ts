import fc from 'fast-check'
import { expect, test } from 'vitest'
import { history, memoryStore, play } from './store-contract.ts'

test('the memory store refuses an older epoch and an outdated position, and what is refused or given up changes nothing', async () => {
  await fc.assert(fc.asyncProperty(history, async (one) => {
    const told = await play(memoryStore(), one)
    let before: string[] | undefined
    for (const [i, line] of told.entries()) {
      if (!/^(apply|roll back|outdated): /.test(line)) continue
      const end = told.findIndex((other, j) => j > i && /^(apply|roll back|outdated): /.test(other))
      const state = told.slice(i + 2, end < 0 ? undefined : end)
      if (before !== undefined && (line.endsWith(': refused') || line.startsWith('roll back'))) expect(state).toEqual(before)
      before = state
    }
  }), { numRuns: 200, seed: 20_261_125 })
})
