import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign as signBytes, verify as verifyBytes } from 'node:crypto'

/** A region's signing key; PEM, PKCS#8. `kid` = first 16 hex digits of the SHA-256 of the public key's SPKI. */
export interface SigningKey {
  readonly kid: string
  readonly privateKey: string
  readonly publicKey: string
}

export function generateSigningKey(): SigningKey {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return { kid: kidOf(publicKey), privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey }
}

export function kidOf(publicKeyPem: string): string {
  return createHash('sha256').update(createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16)
}

/** Ed25519 (RFC 8032) over the bytes as they are; 64 bytes. */
export function sign(key: Pick<SigningKey, 'privateKey'>, bytes: Buffer): Buffer {
  return signBytes(null, bytes, createPrivateKey(key.privateKey))
}

export function verify(publicKeyPem: string, bytes: Buffer, signature: Buffer): boolean {
  return verifyBytes(null, bytes, createPublicKey(publicKeyPem), signature)
}
