import { hash } from 'node:crypto'

/** Why an event is bad. Each depends only on the event and the released contracts, so every replica parks the same ones. */
export type ParkReason =
  | 'no-value'
  | 'no-key'
  | 'no-sequence'
  | 'not-avro-framed'
  | 'unknown-schema'
  | 'unknown-contract'
  | 'bounds'
  | 'undecodable'
  | 'foreign-contract'
  | 'unexpected-control'
  | 'wrong-key'
  | 'wrong-region'
  | 'wrong-partition'
  | 'bad-version'
  | 'unknown-kind'
  | 'unstorable'

const LONGEST_TEXT = 200
const UNSTORABLE = /[\0\uFFFD]/

/** A key as text that PostgreSQL takes and that is the same for the same bytes only: itself, or its hash when it is not clean. */
export function keyText(key: Buffer | null): string {
  if (key === null) return ''
  const text = key.toString('utf8')
  if (text.length > 0 && text.length <= LONGEST_TEXT && !UNSTORABLE.test(text)) return text
  return `sha256:${hash('sha256', key, 'hex')}`
}

/** A header as text that PostgreSQL takes, cut to a length that fits any honest one. */
export function headerText(value: Buffer | string | undefined): string | undefined {
  return value?.toString('utf8').slice(0, LONGEST_TEXT).replaceAll('\0', '\uFFFD')
}

/** 16 bytes over a parked event's offset and value: the members of the parked digest. */
export function parkedHash(offset: number, value: Buffer | null): Buffer {
  const head = Buffer.alloc(8)
  head.writeBigInt64BE(BigInt(offset))
  return hash('sha256', Buffer.concat([head, value ?? Buffer.alloc(0)]), 'buffer').subarray(0, 16)
}
