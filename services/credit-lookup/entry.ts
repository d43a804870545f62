import { crc32 } from 'node:zlib'

/** References count units of this many bytes; every entry begins at one. */
export const UNIT = 16
export const HEAD_BYTES = 80
/** A record id has at most 128 characters. */
const MAX_KEY_BYTES = 512
/** The largest event is 256 KiB; a subject's list of records may be longer. */
export const MAX_ENTRY_BYTES = 1024 * 1024
const CODE_BYTES = 18
const KINDS = ['record', 'group'] as const

/** The version of a record that is current, or the list of the records of a subject that has several. */
export interface NewEntry {
  readonly kind: (typeof KINDS)[number]
  /** Of a record: its topic partition, as the number that holdings give it, and offset. */
  readonly place: number
  readonly offset: number
  readonly version: bigint
  /** 16 bytes; see `recordHash` of the schemas. */
  readonly hash: Buffer
  readonly ended: boolean
  /** The subject's, '' for a record without one. */
  readonly code: string
  /** The record id, '' for a group. */
  readonly key: string
  readonly body: Buffer
}

/** An entry without its body. */
export interface Entry extends Omit<NewEntry, 'body'> {
  readonly reference: number
  readonly units: number
  readonly bodyAt: number
  readonly bodyLength: number
  readonly bodyCrc: number
  /** Something has taken its place, and its body is gone. */
  readonly wiped: boolean
}

/** What stands on the disk is not what was written. Nothing can be told of the subject; the whole must be built anew from the log. */
export class DetailsDamaged extends Error {
  override readonly name = 'DetailsDamaged'
  constructor(reference: number, what: string, cause?: unknown) {
    super(`details at ${reference}: ${what}`, cause === undefined ? undefined : { cause })
  }
}

// 0 wiped, 2 key length, 4 crc of what follows in the head and the key · 8 kind, 9 place, 10 ended, 12 body length, 16 body crc, 20 low 32 bits of the
// reference, 24 offset, 32 version, 40 hash, 56 code · 80 key, then the body. The wiped mark is outside the checksums, for it changes.

export function unitsOf({ key, body }: Pick<NewEntry, 'key' | 'body'>): number {
  return Math.ceil((HEAD_BYTES + Buffer.byteLength(key) + body.length) / UNIT)
}

/** The bytes of an entry that will stand at `reference`. @throws RangeError */
export function writeEntry(entry: NewEntry, reference: number): Buffer {
  const { kind, place, offset, version, hash, ended, code, key, body } = entry
  const keyLength = Buffer.byteLength(key)
  if (keyLength > MAX_KEY_BYTES) throw new RangeError(`a record id of ${keyLength} bytes is too long`)
  const bytes = Buffer.alloc(unitsOf(entry) * UNIT)
  bytes.writeUInt16LE(keyLength, 2)
  bytes[8] = KINDS.indexOf(kind)
  bytes[9] = place
  bytes[10] = ended ? 1 : 0
  bytes.writeUInt32LE(body.length, 12)
  bytes.writeUInt32LE(crc32(body), 16)
  bytes.writeUInt32LE(reference % 2 ** 32, 20)
  bytes.writeBigInt64LE(BigInt(offset), 24)
  bytes.writeBigInt64LE(version, 32)
  hash.copy(bytes, 40, 0, 16)
  bytes.write(code, 56, CODE_BYTES, 'latin1')
  bytes.write(key, HEAD_BYTES, 'utf8')
  bytes.writeUInt32LE(crc32(bytes.subarray(8, HEAD_BYTES + keyLength)), 4)
  body.copy(bytes, HEAD_BYTES + keyLength)
  return bytes
}

/** @param bytes what stands there, as much of it as was read. @throws DetailsDamaged */
export function readHead(bytes: Buffer, reference: number): Entry {
  const keyLength = bytes.length < HEAD_BYTES ? 0 : bytes.readUInt16LE(2)
  const bodyAt = HEAD_BYTES + keyLength
  if (keyLength > MAX_KEY_BYTES || bytes.length < bodyAt) throw new DetailsDamaged(reference, 'ends too early')
  if (crc32(bytes.subarray(8, bodyAt)) !== bytes.readUInt32LE(4)) throw new DetailsDamaged(reference, 'the head is not what was written')
  if (bytes.readUInt32LE(20) !== reference % 2 ** 32) throw new DetailsDamaged(reference, 'another entry stands here')
  const bodyLength = bytes.readUInt32LE(12)
  return {
    reference,
    kind: KINDS[bytes[8]!]!,
    place: bytes[9]!,
    ended: bytes[10] === 1,
    offset: Number(bytes.readBigInt64LE(24)),
    version: bytes.readBigInt64LE(32),
    hash: bytes.subarray(40, 56),
    code: bytes[56] === 0 ? '' : bytes.toString('latin1', 56, 56 + CODE_BYTES),
    key: bytes.toString('utf8', HEAD_BYTES, bodyAt),
    wiped: bytes[0] !== 0,
    bodyAt,
    bodyLength,
    bodyCrc: bytes.readUInt32LE(16),
    units: Math.ceil((bodyAt + bodyLength) / UNIT),
  }
}

/** @param bytes the whole entry. @throws DetailsDamaged */
export function readBody({ reference, wiped, bodyAt, bodyLength, bodyCrc }: Entry, bytes: Buffer): Buffer {
  const body = bytes.subarray(bodyAt, bodyAt + bodyLength)
  if (wiped) throw new DetailsDamaged(reference, 'was replaced')
  if (crc32(body) !== bodyCrc) throw new DetailsDamaged(reference, 'the body is not what was written')
  return body
}
