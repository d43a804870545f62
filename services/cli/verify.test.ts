import { expect, it } from 'vitest'
import { compareReplicas, type VerifiedPartition } from './verify.ts'

const ONE = '1'.padStart(32, '0')
const TWO = '2'.padStart(32, '0')
const NONE = '0'.repeat(32)

it('replicas with the same digests are equal, wherever their heartbeats have brought them', () => {
  expect(verdicts([{ nextOffset: 10n }], [{ nextOffset: 12n }])).toEqual(['equal'])
})

it('a replica at another offset with another digest is behind, not different', () => {
  expect(verdicts([{ digest: ONE, nextOffset: 10n }], [{ digest: TWO, nextOffset: 12n }])).toEqual(['behind'])
})

it('the same offset with another digest is different', () => {
  expect(verdicts([{ digest: ONE }], [{ digest: TWO }])).toEqual(['different'])
})

it('rows that do not give the digest kept beside them are different, even if all replicas agree', () => {
  expect(verdicts([{ keptDigest: TWO }], [{ keptDigest: TWO }])).toEqual(['different'])
})

it('equal rows beside other parked events are told apart', () => {
  expect(verdicts([{ parkedDigest: ONE }], [{ parkedDigest: NONE }])).toEqual(['parked sets differ'])
})

it('a partition that one replica does not know yet leaves it behind', () => {
  expect(verdicts([{}, { partition: 1 }], [{}])).toEqual(['behind'])
})

it('the worst partition decides about its topic, and its digest covers all of them', () => {
  const [topic] = compare([{ digest: ONE }, { partition: 1, digest: TWO }], [{ digest: ONE }, { partition: 1, digest: ONE }])
  expect(topic?.verdict).toBe('different')
  expect(topic?.replicas.map(({ digest }) => digest)).toEqual(['3'.padStart(32, '0'), NONE])
})

function verdicts(...replicas: Partial<VerifiedPartition>[][]): string[] {
  return compare(...replicas).map(({ verdict }) => verdict)
}

function compare(...replicas: Partial<VerifiedPartition>[][]): ReturnType<typeof compareReplicas> {
  const regions = ['zj', 'js', 'sh', 'ah'] as const
  return compareReplicas(replicas.map((partitions, i) => ({
    region: regions[i]!,
    partitions: partitions.map((one) => {
      const digest = one.digest ?? ONE
      return { topic: 'zj.complaint', partition: 0, nextOffset: 10n, records: 1n, keptDigest: digest, parkedDigest: NONE, ...one, digest }
    }),
  })))
}
