import { createRequire } from 'node:module'

/** kafkajs's reader: where it stands in which bytes. */
interface Decoder {
  readonly buffer: Buffer
  offset: number
}

interface BatchContext {
  readonly firstOffset?: string
  readonly firstTimestamp?: string
  readonly magicByte?: number
  readonly isControlBatch?: boolean
  readonly timestampType?: number
  readonly maxTimestamp?: string
}

type HeaderValue = Buffer | null | (Buffer | null)[]

export interface DecodedRecord {
  readonly magicByte: number | undefined
  readonly attributes: number
  readonly timestamp: string
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, HeaderValue>
  readonly isControlRecord: boolean
  readonly batchContext: BatchContext
}

/**
 * kafkajs 2.2.4 copies the object of a record's headers once per header, and reads every time stamp with five allocations: for events with
 * eight headers that is most of the time a consumer takes. This reads the same record into the same fields; names of headers are text once
 * per process. It takes the place of kafkajs's function when this module is loaded, which has to be before kafkajs is.
 */
const require = createRequire(import.meta.url)
const path = require.resolve('kafkajs/src/protocol/recordBatch/record/v0/decoder')
export const decodeByKafkajs = require(path) as (decoder: Decoder, context?: BatchContext) => DecodedRecord
require.cache[path]!.exports = decodeRecord

const LOG_APPEND_TIME = 1
/** Names remembered at a time; a hub has about ten. */
const MOST_NAMES = 256
const names = new Map<number, { bytes: Buffer; text: string }>()

/** Record v2 of the Kafka protocol (KIP-98), from behind its length. */
export function decodeRecord(decoder: Decoder, context: BatchContext = {}): DecodedRecord {
  const { buffer } = decoder
  const attributes = buffer.readInt8(decoder.offset++)
  const timestampDelta = readVarint(decoder)
  const offsetDelta = readVarint(decoder)
  const key = readBytes(decoder)
  const value = readBytes(decoder)
  const headers: Record<string, HeaderValue> = {}
  for (let left = readVarint(decoder); left > 0; left--) {
    const name = readName(decoder)
    const one = readBytes(decoder)
    const known = headers[name]
    headers[name] = known === undefined ? one : Array.isArray(known) ? [...known, one] : [known, one]
  }
  const { maxTimestamp } = context
  return {
    magicByte: context.magicByte,
    attributes,
    timestamp: context.timestampType === LOG_APPEND_TIME && maxTimestamp !== undefined ? maxTimestamp : String(Number(context.firstTimestamp ?? 0) + timestampDelta),
    offset: String(Number(context.firstOffset ?? 0) + offsetDelta),
    key,
    value,
    headers,
    isControlRecord: context.isControlBatch ?? false,
    batchContext: context,
  }
}

/** A zigzag varint of up to 53 bits: nothing in a record of ours is longer. */
function readVarint(decoder: Decoder): number {
  const { buffer } = decoder
  let byte = buffer[decoder.offset++]!
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
  let zigzag = byte & 0x7f
  for (let factor = 0x80; ; factor *= 0x80) {
    byte = buffer[decoder.offset++]!
    zigzag += (byte & 0x7f) * factor
    if (!(byte >= 0x80)) break
  }
  return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
}

function readBytes(decoder: Decoder): Buffer | null {
  const length = readVarint(decoder)
  if (length < 0) return null
  const start = decoder.offset
  decoder.offset = start + length
  return decoder.buffer.subarray(start, start + length)
}

function readName(decoder: Decoder): string {
  const length = readVarint(decoder)
  const { buffer, offset: start } = decoder
  const end = start + length
  decoder.offset = end
  let hash = length
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + buffer[at]!) | 0
  const known = names.get(hash)
  if (known !== undefined && known.bytes.length === length && known.bytes.compare(buffer, start, end) === 0) return known.text
  const text = buffer.toString('utf8', start, end)
  if (names.size >= MOST_NAMES) names.clear()
  names.set(hash, { bytes: Buffer.from(buffer.subarray(start, end)), text })
  return text
}
