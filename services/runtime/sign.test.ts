import { createHash, createPublicKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { generateSigningKey, kidOf, sign, verify } from './sign.ts'

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
