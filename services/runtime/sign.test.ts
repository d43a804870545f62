import { createHash, createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { generateSigningKey, kidOf, openSigner, parsePublicKeys, sign, verify } from './sign.ts'

const key = generateSigningKey()
const bytes = Buffer.from('长三角')

test('what a region signs verifies with its public key, and with nothing else', () => {
  const signature = sign(key, bytes)
  expect(signature).toHaveLength(64)
  expect(verify(key.publicKey, bytes, signature)).toBe(true)
  expect(verify(generateSigningKey().publicKey, bytes, signature)).toBe(false)
  expect(verify(key.publicKey, Buffer.from('长三鱼'), signature)).toBe(false)
  for (let bit = 0; bit < 512; bit += 37) {
    const changed = Buffer.from(signature)
    changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7))
    expect(verify(key.publicKey, bytes, changed)).toBe(false)
  }
  expect(verify(key.publicKey, bytes, Buffer.alloc(0))).toBe(false)
})

test('signing twice gives the same signature: RFC 8032 uses no chance', () => {
  expect(sign(key, bytes)).toEqual(sign(key, bytes))
})

// RFC 8032, 7.1, test 2, in PEM.
test('signatures are those of RFC 8032', () => {
  const pem = (kind: string, der: string): string => `-----BEGIN ${kind}-----\n${Buffer.from(der, 'hex').toString('base64')}\n-----END ${kind}-----\n`
  const privateKey = pem('PRIVATE KEY', `302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb`)
  const publicKey = pem('PUBLIC KEY', `302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c`)
  const signature = '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
  expect(sign({ privateKey }, Buffer.from([0x72])).toString('hex')).toBe(signature)
  expect(verify(publicKey, Buffer.from([0x72]), Buffer.from(signature, 'hex'))).toBe(true)
})

test('a key is named by its public half, however its PEM is wrapped', () => {
  expect(key.kid).toMatch(/^[0-9a-f]{16}$/)
  expect(key.kid).toBe(kidOf(key.publicKey))
  expect(kidOf(`\n${key.publicKey}\n`)).toBe(key.kid)
  const der = createPublicKey(key.publicKey).export({ type: 'spki', format: 'der' })
  expect(key.kid).toBe(createHash('sha256').update(der).digest('hex').slice(0, 16))
  expect(kidOf(generateSigningKey().publicKey)).not.toBe(key.kid)
})

describe('what a region declares', () => {
  const at = Date.parse('2026-07-01T00:00:00Z')
  const entry = (over: Record<string, unknown> = {}): string => JSON.stringify({ keys: [{ kid: key.kid, from: '2026-01-01T00:00:00+08:00', to: '2027-01-01T00:00:00+08:00', publicKey: key.publicKey, ...over }] })

  test('a signer signs with the key of its file, and the declared key tells', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sign-'))
    try {
      writeFileSync(join(dir, 'key.pem'), key.privateKey)
      const signed = (await openSigner(join(dir, 'key.pem'))).sign(bytes)
      expect(signed).toEqual({ kid: key.kid, signature: sign(key, bytes) })
      const keys = parsePublicKeys(entry(), 'keys.yaml')
      expect(keys.kids).toEqual([key.kid])
      expect(keys.check(signed, bytes, at)).toBeUndefined()
      expect(keys.check(signed, Buffer.from('长三鱼'), at)).toBe('wrong-signature')
      expect(keys.check({ ...signed, kid: '0'.repeat(16) }, bytes, at)).toBe('unknown-key')
      expect(keys.check(signed, bytes, Date.parse('2025-12-31T15:59:59Z'))).toBe('key-not-valid-then')
      expect(keys.check(signed, bytes, Date.parse('2026-12-31T16:00:00Z'))).toBe('key-not-valid-then')
      expect(parsePublicKeys(entry({ to: null }), 'keys.yaml').check(signed, bytes, Date.parse('2099-01-01T00:00:00Z'))).toBeUndefined()
      writeFileSync(join(dir, 'key.pem'), key.publicKey)
      await expect(openSigner(join(dir, 'key.pem'))).rejects.toThrow('holds no private key')
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  test('a kid that looks like a number needs no quotes', () => {
    const pem = '-----BEGIN PUBLIC KEY-----\n      MCowBQYDK2VwAyEAhdR4FQd3NWVoujUGlLTLaBTGcvX9J4VplT4TGqfStEs=\n      -----END PUBLIC KEY-----'
    expect(parsePublicKeys(`keys:\n  - kid: 5132224704e58258\n    from: 2026-01-01T00:00:00+08:00\n    to: null\n    publicKey: |\n      ${pem}\n`, 'keys.yaml').kids).toEqual(['5132224704e58258'])
  })

  test.each([
    ['no list', '{}', 'a list is expected'],
    ['another kid', entry({ kid: 'abc' }), `that of this key is ${key.kid}`],
    ['a day instead of a time', entry({ from: '2026-01-01' }), 'RFC 3339'],
    ['an end before the beginning', entry({ to: '2025-01-01T00:00:00Z' }), 'the later one'],
    ['no key', entry({ publicKey: 'x' }), 'PEM'],
  ])('%s is refused', (_, text, reason) => {
    expect(() => parsePublicKeys(text, 'keys.yaml')).toThrow(reason)
  })
})
