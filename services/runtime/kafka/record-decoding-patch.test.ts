import { randomBytes, randomInt } from 'node:crypto'
import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { decodeByKafkajs, decodeRecord } from './record-decoding-patch.ts'
import { encodeRecord } from './record-encoding-patch.ts'

const KafkajsDecoder = createRequire(import.meta.url)('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => { buffer: Buffer; offset: number; readVarInt(): number }

it('reads every record exactly as kafkajs does', () => {
  const maybe = <T>(value: T): T | null => (randomInt(5) === 0 ? null : value)
  for (let n = 0; n < 2_000; n++) {
    const names = Array.from({ length: randomInt(12) }, () => ['sequence', 'ce_type', 'ce_time', `x${randomInt(1_000)}`, '名称'][randomInt(5)]!)
    const { buffer } = encodeRecord({
      offsetDelta: randomInt(2 ** 30), timestampDelta: randomInt(2 ** 31) - 2 ** 30, key: maybe(randomBytes(randomInt(200))), value: maybe(randomBytes(randomInt(400))),
      headers: Object.fromEntries(names.map((name) => [name, randomBytes(randomInt(80))])),
    })
    const context = { firstOffset: String(randomInt(2 ** 47)), firstTimestamp: '1790000000000', maxTimestamp: '1790000000999', magicByte: 2, timestampType: n % 2, isControlBatch: false }
    const read = (decode: typeof decodeRecord) => {
      const decoder = new KafkajsDecoder(buffer)
      decoder.readVarInt()
      return { record: decode(decoder, context), offset: decoder.offset }
    }
    expect(read(decodeRecord), buffer.toString('hex')).toEqual(read(decodeByKafkajs))
  }
})

it('keeps every value of a repeated header, as kafkajs does', () => {
  const one = encodeRecord({ key: 'k', value: 'v', headers: { a: 'x' } }).buffer
  // A header takes four bytes here, and the count before it one.
  const header = one.subarray(-4)
  const body = Buffer.concat([one.subarray(1, -5), Buffer.from([6]), header, header, header])
  expect(decodeRecord({ buffer: body, offset: 0 }).headers).toEqual(decodeByKafkajs(new KafkajsDecoder(body), { firstOffset: '0', firstTimestamp: '0' }).headers)
  expect(decodeRecord({ buffer: body, offset: 0 }).headers['a']).toHaveLength(3)
})

it('is what a fetch answer of kafkajs is read with', () => {
  expect(createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/record/v0/decoder')).toBe(decodeRecord)
})
