import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { partitionOf } from './partition.ts'

// Values of org.apache.kafka.common.utils.Utils.murmur2 (its own unit test), the sign bit cleared, modulo a count that keeps them whole.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
])('%s hashes as in the Java client', (key, murmur2) => {
  expect(partitionOf(key, 2 ** 31)).toBe(murmur2 & 0x7fffffff)
})

test('every key goes where kafkajs would send it, of any length and script', () => {
  const { murmur2 } = kafkajsPartitioner()
  for (const key of keys()) expect(partitionOf(key, 6)).toBe((murmur2(Buffer.from(key)) & 0x7fffffff) % 6)
})

test('keys spread over the partitions', () => {
  const counts = Array<number>(6).fill(0)
  for (let i = 0; i < 6000; i++) counts[partitionOf(`zj12315/3301${String(i).padStart(8, '0')}`, 6)]!++
  for (const count of counts) expect(count).toBeGreaterThan(800)
})

function* keys(): Generator<string> {
  for (let length = 0; length < 70; length++) yield 'x'.repeat(length)
  for (let i = 0; i < 500; i++) yield `浙江12315/投诉-${i * 7919}`
  yield '\u0000'
  yield '𠮷野家/1'
}

/** kafkajs is no dependency of the contracts; the runtime's copy is the yardstick. */
function kafkajsPartitioner(): { murmur2(key: Buffer): number } {
  const runtime = createRequire(new URL('../services/runtime/package.json', import.meta.url))
  return { murmur2: runtime('kafkajs/src/producer/partitioners/default/murmur2') as (key: Buffer) => number }
}
