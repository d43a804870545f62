import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Where a list goes on: after this record, in the order of regions and record ids. */
export interface ListPlace {
  readonly region: string
  readonly recordId: string
}

export interface ListCursors {
  /** @param bound what the cursor is good for: another list's is refused */
  seal(place: ListPlace, bound: string): string
  /** Undefined for what is no cursor of this list. */
  open(cursor: string, bound: string): ListPlace | undefined
}

const ALGORITHM = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

/**
 * Cursors that tell their reader nothing: the last record that was looked at may be one that it may not know of. The key comes from a secret
 * that all gateways of a region have, so that a page may be asked of any of them, also after a restart.
 */
export function createCursors(secret: string): ListCursors {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'list cursor', 32))
  return {
    seal({ region, recordId }, bound) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(bound))
      const text = Buffer.concat([cipher.update(`${region} ${recordId}`, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')
    },
    open(cursor, bound) {
      const bytes = Buffer.from(cursor, 'base64url')
      if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined
      try {
        const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES)).setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
        const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
        const space = text.indexOf(' ')
        return { region: text.slice(0, space), recordId: text.slice(space + 1) }
      } catch {
        return undefined
      }
    },
  }
}
