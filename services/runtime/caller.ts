import { hash } from 'node:crypto'

export const ROLES = ['publisher', 'reader', 'officer', 'approver', 'operator'] as const
export type Role = (typeof ROLES)[number]

export interface Caller {
  readonly id: string
  readonly organisation: string
  readonly roles: readonly Role[]
  readonly sources: readonly string[]
  readonly authorities: readonly string[]
  /** Requests a second; where it is not named, the server's own limit holds. */
  readonly requestsPerSecond?: number
}

/** The caller whose key has this SHA-256, or undefined. Comparison must not leak by time. */
export type Authenticator = (keyHash: Buffer) => Caller | undefined

export function keyHash(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}
