import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import './index.ts'
import { encodeByKafkajs, encodeRecord } from './record-encoding-patch.ts'

const headers = { ce_id: '0190b5a4-0000-7000-8000-000000000000', ce_subject: '91310000000000000X', 'content-type': 'application/avro', sequence: '123456', raw: Buffer.from([0, 255]), empty: '' }
const lengths = [0, 1, 63, 64, 127, 128, 8191, 8192, 300_000]

describe('the encoding of a record', () => {
  it('gives the bytes that kafkajs gives', () => {
    for (const length of lengths) {
      for (const key of ['k', '键'.repeat(40), null, Buffer.from('b'), 'x'.repeat(length)]) {
        for (const some of [{}, headers, { long: 'y'.repeat(length) }]) {
          for (const [offsetDelta, timestampDelta] of [[0, 0], [63, 0], [64, 5], [8191, 1000], [100_000, 2_000_000_000], [1, -3]] as const) {
            const record = { offsetDelta, timestampDelta, key, value: Buffer.alloc(length, 7), headers: some }
            expect(encodeRecord(record).buffer.equals(encodeByKafkajs(record).buffer)).toBe(true)
          }
        }
      }
    }
    const several = { key: 'k', value: null, headers: { twice: ['a', 'b'] } }
    expect(encodeRecord(several).buffer).toEqual(encodeByKafkajs(several).buffer)
  })

  it('is what a produce request of kafkajs uses', async () => {
    const request = createRequire(import.meta.url)('kafkajs/src/protocol/requests/produce/v3/request') as (options: object) => { encode(): Promise<{ buffer: Buffer }> }
    const reads = async (encode: (message: object) => unknown): Promise<number> => {
      let count = 0
      await encode({ key: 'k', value: Buffer.from('v'), headers: { get name() { count++; return 'value' } } })
      return count
    }
    // The two look at a header differently often.
    const ours = await reads((message) => encodeRecord(message))
    expect(ours).not.toBe(await reads((message) => encodeByKafkajs(message)))
    expect(await reads((message) => request({ acks: -1, timeout: 1, topicData: [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages: [message] }] }] }).encode())).toBe(ours)
  })
})
