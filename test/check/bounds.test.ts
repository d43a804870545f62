import { expect, test } from 'vitest'
import { boundViolations, CAPS, metric } from './bounds.ts'

test('V14: the worst of what is beyond its bound is named, what is at it is not', () => {
  const good = { region: 'sh', ...CAPS } as const
  expect(boundViolations([good])).toEqual([])
  expect(boundViolations([good, { ...good, region: 'zj', sockets: 201 }, { ...good, sockets: 202 }])).toEqual(['V14 sh: sockets was 202, at most 200'])
})

test('the values of a metric are added up over its labels, those of a longer name are not', () => {
  expect(metric('# HELP a_total x\na_total{topic="x"} 2\na_total{topic="y"} 3\na_total_more 5\n', 'a_total')).toBe(5)
  expect(metric('', 'a_total')).toBe(0)
})
