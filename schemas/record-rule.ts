import { hash } from 'node:crypto'

/** What an event says of its record (design 9). */
export const KINDS = [
  'original', 'follow-up', 'correction', 'removal', 'repair', 'restored', 'shield', 'withdrawal', 'expiry', 'void', 'erasure',
] as const
export type Kind = (typeof KINDS)[number]

const ENDING = new Set<string>(['removal', 'repair', 'expiry', 'void', 'erasure'] satisfies Kind[])

/** Ended records stay as a bare stub: out of lookup, history and snapshots (design 6). A withdrawal ends publication, not the record. */
export function isEnding(kind: string): boolean {
  return ENDING.has(kind)
}

export function isKind(value: string): value is Kind {
  return (KINDS as readonly string[]).includes(value)
}

/** One version of a record as far as the rule looks at it; `hash` is its `recordHash`. */
export interface Version {
  readonly version: bigint
  readonly hash: Buffer
}

export type Ruling = 'apply' | 'duplicate' | 'stale'

/**
 * The record rule: the newest version wins; the same version again is a duplicate and triggers nothing. The same version with
 * another body can only come from a writer that has lost its memory: the first stands and the second counts as stale, so that the origin
 * publishes the first once more and compaction cannot leave the other.
 */
export function decide(current: Version | undefined, incoming: Version): Ruling {
  if (current === undefined || incoming.version > current.version) return 'apply'
  if (incoming.version === current.version && incoming.hash.equals(current.hash)) return 'duplicate'
  return 'stale'
}

/**
 * The first 16 bytes of SHA-256 over record id (UTF-8), a zero byte, version (int64 big-endian) and the wire value: what the digests are
 * the XOR of. PostgreSQL recomputes it from the rows (`hub_record_hash`).
 */
export function recordHash(recordId: string, version: bigint, body: Buffer): Buffer {
  const id = Buffer.byteLength(recordId)
  const bytes = Buffer.allocUnsafe(id + 9 + body.length)
  bytes.write(recordId, 0, 'utf8')
  bytes[id] = 0
  bytes.writeBigInt64BE(version, id + 1)
  body.copy(bytes, id + 9)
  // As text first: a digest taken as a Buffer has memory of its own, which costs twice the hashing.
  return Buffer.from(hash('sha256', bytes, 'binary').slice(0, 16), 'latin1')
}
