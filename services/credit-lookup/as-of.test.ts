import { Problem } from '@hub/runtime/http'
import { expect, test } from 'vitest'
import { mustBeKept } from './as-of.ts'

type Kept = Parameters<typeof mustBeKept>[0]

const kept: Kept = {
  at: new Date('2026-11-25T15:58:31Z'), oldest: new Date('2026-11-25T15:57:30Z'), vector: { 'ah.credit-blacklist/0': ['g1', 40] },
  partitions: [{ topic: 'ah.credit-blacklist', region: 'ah', partition: 0, generation: 'g1', completeFrom: 0n }],
}

function refusal(change: Partial<Kept>): string | undefined {
  try {
    mustBeKept({ ...kept, ...change })
    return undefined
  } catch (error) {
    return `${(error as Problem).code} ${(error as Problem).detail}`
  }
}

test('an earlier time is answered where the replica had every partition and has it still, and refused for what is so', () => {
  expect(refusal({})).toBeUndefined()
  expect(refusal({ at: undefined })).toContain('ASOF_TOO_OLD The earliest time is 2026-11-25T15:57:30.000Z')
  expect(refusal({ vector: {} })).toBe('ASOF_TOO_OLD ah.credit-blacklist/0 was not read here yet at 2026-11-25T15:58:31.000Z.')
  expect(refusal({ vector: { 'ah.credit-blacklist/0': ['g0', 40] } })).toContain('ASOF_OTHER_GENERATION')
  expect(refusal({ partitions: [{ ...kept.partitions[0]!, completeFrom: 41n }] })).toContain('ASOF_INCOMPLETE')
})
