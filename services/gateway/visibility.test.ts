import { expect, test } from 'vitest'
import { isServed } from './visibility.ts'

const failure = (publication: string, regions: (string | null)[] = []) => ({ publication, parties: regions.map((region) => ({ region })) })

test('an inspection failure before its publication is served where it comes from and in the regions of its parties alone', () => {
  expect(isServed('inspection-failure', 'zj', failure('pending'), 'zj')).toBe(true)
  expect(isServed('inspection-failure', 'zj', failure('pending', ['js', null]), 'js')).toBe(true)
  expect(isServed('inspection-failure', 'zj', failure('pending', ['js', 'other']), 'sh')).toBe(false)
  expect(isServed('inspection-failure', 'zj', failure('withdrawn'), 'sh')).toBe(false)
  expect(isServed('inspection-failure', 'zj', failure('published'), 'sh')).toBe(true)
  expect(isServed('complaint', 'zj', failure('pending'), 'sh')).toBe(true)
})
