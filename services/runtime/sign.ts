import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign as signBytes, verify as verifyBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parse, type Tags } from 'yaml'

/** A region's signing key; PEM, PKCS#8. `kid` = first 16 hex digits of the SHA-256 of the public key's SPKI. */
export interface SigningKey {
  readonly kid: string
  readonly privateKey: string
  readonly publicKey: string
}

/** What a region's key says of some bytes. */
export interface Signature {
  readonly kid: string
  /** Ed25519 (RFC 8032), 64 bytes. */
  readonly signature: Buffer
}

export interface Signer {
  readonly kid: string
  sign(bytes: Buffer): Signature
}

/** Why a signature says nothing. */
export type SignatureFault = 'unknown-key' | 'key-not-valid-then' | 'wrong-signature'

/** The public keys that a region has declared in its `keys.yaml`. */
export interface PublicKeys {
  readonly kids: readonly string[]
  /** @param at when the bytes say that they were signed; ms UTC. @returns what is wrong, undefined when nothing is */
  check(signed: Signature, bytes: Buffer, at: number): SignatureFault | undefined
}

export function generateSigningKey(): SigningKey {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return { kid: kidOf(publicKey), privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey }
}

export function kidOf(publicKeyPem: string): string {
  return kidOfKey(createPublicKey(publicKeyPem))
}

/** Ed25519 (RFC 8032) over the bytes as they are; 64 bytes. */
export function sign(key: Pick<SigningKey, 'privateKey'>, bytes: Buffer): Buffer {
  return signBytes(null, bytes, createPrivateKey(key.privateKey))
}

export function verify(publicKeyPem: string, bytes: Buffer, signature: Buffer): boolean {
  return verifyBytes(null, bytes, createPublicKey(publicKeyPem), signature)
}

/** The signer of a private key in a file (`openssl genpkey -algorithm ed25519`). @throws Error that says what to do; never with a part of the key */
export async function openSigner(file: string): Promise<Signer> {
  const text = await readFile(file, 'utf8')
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch {
    throw new Error(`${file} holds no private key: make one with "openssl genpkey -algorithm ed25519 -out ${file}"`)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${file} holds a key of another kind, ${key.asymmetricKeyType}: Ed25519 is expected`)
  const kid = kidOfKey(createPublicKey(key))
  return { kid, sign: (bytes) => ({ kid, signature: signBytes(null, bytes, key) }) }
}

/** Reads a region's `keys.yaml`. @throws Error with every fault of it */
export async function readPublicKeys(file: string): Promise<PublicKeys> {
  return parsePublicKeys(await readFile(file, 'utf8'), file)
}

/** `keys:` a list of `{kid, from, to, publicKey}`: RFC 3339 times, `to` null while the key is in use, PEM. @throws Error with every fault of the text */
export function parsePublicKeys(yaml: string, name: string): PublicKeys {
  const problems: string[] = []
  const keys = new Map<string, { readonly key: KeyObject; readonly from: number; readonly to: number }>()
  const { keys: entries } = (parse(yaml, { customTags: withoutNumbers }) ?? {}) as { keys?: unknown }
  if (!Array.isArray(entries)) problems.push('keys: a list is expected')
  for (const [n, entry] of (Array.isArray(entries) ? entries as unknown[] : []).entries()) {
    const { kid, from, to, publicKey } = (entry ?? {}) as Record<string, unknown>
    try {
      const key = createPublicKey(String(publicKey))
      if (key.asymmetricKeyType !== 'ed25519') throw new Error('is no Ed25519 key')
      if (kid !== kidOfKey(key)) problems.push(`keys[${n}].kid: that of this key is ${kidOfKey(key)}`)
      const [begin, end] = [timeOf(from), to === null || to === undefined ? Infinity : timeOf(to)]
      if (Number.isNaN(begin) || Number.isNaN(end) || end <= begin) problems.push(`keys[${n}]: from and to must be RFC 3339 times, to the later one or null`)
      keys.set(String(kid), { key, from: begin, to: end })
    } catch (error) {
      problems.push(`keys[${n}].publicKey: PEM of an Ed25519 key is expected: ${(error as Error).message}`)
    }
  }
  if (problems.length > 0) throw new Error(`${name}:\n  ${problems.join('\n  ')}`)
  return {
    kids: [...keys.keys()],
    check({ kid, signature }, bytes, at) {
      const known = keys.get(kid)
      if (known === undefined) return 'unknown-key'
      if (!verifyBytes(null, bytes, known.key, signature)) return 'wrong-signature'
      return at >= known.from && at < known.to ? undefined : 'key-not-valid-then'
    },
  }
}

/** A kid may look like a number (`5132224704e58258`), and none of the fields is one. */
function withoutNumbers(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || !/:(int|float)$/.test(tag.tag))
}

function timeOf(value: unknown): number {
  return value instanceof Date ? value.getTime() : typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : NaN
}

function kidOfKey(key: KeyObject): string {
  return createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16)
}
