import { expect, test } from 'vitest'
import { breathe } from './breathe.ts'

test('many long pieces of work at once leave the event loop to others', { timeout: 20_000 }, async () => {
  let turns = 0
  const beat = setInterval(() => turns++, 1)
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let i = 0; i < 2000; i++) {
      await breathe()
      const until = performance.now() + 0.05
      while (performance.now() < until);
    }
  }))
  clearInterval(beat)
  // 800 ms of work: without a break there would be no turn; in slices of some milliseconds there are dozens.
  expect(turns).toBeGreaterThan(30)
})
