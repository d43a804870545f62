import { expect, test } from 'vitest'
import { whyNot } from './rebuild.ts'

const place = { topic: 'zj.complaint', partition: 0, region: 'zj', records: 10n, relayGeneration: 'new', sent: true } as const
const log = { low: 0, high: 30, generation: 'new' }

test('a partition is cleared where its log can give back what goes', () => {
  expect(whyNot(place, log, 'zj')).toBeUndefined()
  expect(whyNot({ ...place, relayGeneration: null }, log, 'sh')).toBeUndefined()
})

test('it is left as it is without a usable log, before its origin has published again, and while the log is shorter than the replica', () => {
  expect(whyNot(place, undefined, 'sh') ?? 'cleared').toContain('hub topics apply')
  expect(whyNot(place, { ...log, generation: undefined }, 'sh') ?? 'cleared').toContain('hub topics apply')
  expect(whyNot({ ...place, relayGeneration: 'old' }, log, 'zj') ?? 'cleared').toContain('hub republish')
  expect(whyNot({ ...place, relayGeneration: null }, log, 'zj') ?? 'cleared').toContain('hub republish')
  expect(whyNot({ ...place, records: 31n }, log, 'sh') ?? 'cleared').toContain('30')
})
