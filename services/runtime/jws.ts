import type { Signature, Signer } from './sign.ts'

/** A compact JWS (RFC 7515) signed with Ed25519 (RFC 8037), taken apart; nothing of it is checked yet. */
export interface Jws {
  readonly signed: Signature
  /** What the signature is over. */
  readonly bytes: Buffer
  readonly payload: unknown
}

/** @param type of the header's `typ` */
export function compactJws(signer: Signer, type: string, payload: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'EdDSA', kid: signer.kid, typ: type })}.${part(payload)}`
  return `${text}.${signer.sign(Buffer.from(text)).signature.toString('base64url')}`
}

/** @throws Error for what is no such JWS */
export function readJws(text: string, type: string): Jws {
  const [head, body, signature, ...more] = text.split('.')
  if (head === undefined || body === undefined || signature === undefined || more.length > 0) throw new Error('is no compact JWS: three parts with dots between them are expected')
  for (const part of [head, body, signature]) if (Buffer.from(part, 'base64url').toString('base64url') !== part) throw new Error('is no base64url')
  const { alg, kid, typ } = parse(head) as { alg?: unknown; kid?: unknown; typ?: unknown }
  if (alg !== 'EdDSA' || typ !== type || typeof kid !== 'string') throw new Error(`is signed as ${String(alg)} of ${String(typ)}: EdDSA of ${type} is expected`)
  return { signed: { kid, signature: Buffer.from(signature, 'base64url') }, bytes: Buffer.from(`${head}.${body}`), payload: parse(body) }
}

function parse(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) ?? {}
}
