import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { KINDS, decide, isEnding, isKind, recordHash, type Version } from './record-rule.ts'

describe('the newest version wins', () => {
  const at = (version: bigint, body = 'a'): Version => ({ version, hash: recordHash('r', version, Buffer.from(body)) })

  test('the first version and every higher one apply', () => {
    expect(decide(undefined, at(0n))).toBe('apply')
    expect(decide(at(1n), at(2n))).toBe('apply')
  })

  test('the same again is a duplicate, an older one stale', () => {
    expect(decide(at(2n), at(2n))).toBe('duplicate')
    expect(decide(at(2n), at(1n))).toBe('stale')
  })

  test('the same version with another body is stale: the first stands', () => {
    expect(decide(at(2n, 'a'), at(2n, 'b'))).toBe('stale')
  })

  test('versions are compared as numbers of 64 bits', () => {
    const big = 2n ** 53n
    expect(decide(at(big), at(big + 1n))).toBe('apply')
    expect(decide(at(big + 1n), at(big))).toBe('stale')
  })

  test('whatever the order of arrival, all replicas end with the same version', () => {
    const versions = [at(1n), at(2n), at(2n), at(3n), at(5n), at(4n)]
    for (const order of permutations(versions)) {
      let current: Version | undefined
      for (const incoming of order) if (decide(current, incoming) === 'apply') current = incoming
      expect(current).toEqual(at(5n))
    }
  })
})

describe('the record hash', () => {
  test('is the first half of SHA-256 over id, zero byte, version and body', () => {
    const body = Buffer.from([0, 1, 2, 255])
    const version = Buffer.alloc(8)
    version.writeBigInt64BE(1_767_225_600_000n)
    const expected = createHash('sha256').update('zj12315/投诉-1').update(Buffer.from([0])).update(version).update(body).digest().subarray(0, 16)
    expect(recordHash('zj12315/投诉-1', 1_767_225_600_000n, body)).toEqual(expected)
  })

  test('moves with each of its parts, and the parts cannot run into one another', () => {
    const hashes = [
      recordHash('a/1', 1n, Buffer.from('x')), recordHash('a/2', 1n, Buffer.from('x')), recordHash('a/1', 2n, Buffer.from('x')),
      recordHash('a/1', 1n, Buffer.from('y')), recordHash('a/1x', 1n, Buffer.alloc(0)), recordHash('', 1n, Buffer.from('a/1x')), recordHash('a/1', -1n, Buffer.from('x')),
    ].map((hash) => hash.toString('hex'))
    expect(new Set(hashes).size).toBe(hashes.length)
    expect(hashes.every((hash) => hash.length === 32)).toBe(true)
  })
})

test('a record ends by removal, repair, expiry, void or erasure; a withdrawal ends its publication alone', () => {
  expect(KINDS.filter(isEnding)).toEqual(['removal', 'repair', 'expiry', 'void', 'erasure'])
  expect(isKind('withdrawal')).toBe(true)
  for (const other of ['', 'Removal', 'deleted', 'toString']) expect([isKind(other), isEnding(other)]).toEqual([false, false])
})

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
}
