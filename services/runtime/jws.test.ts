import { expect, test } from 'vitest'
import { compactJws, readJws } from './jws.ts'
import { generateSigningKey, sign, verify } from './sign.ts'

const key = generateSigningKey()
const signer = { kid: key.kid, sign: (bytes: Buffer) => ({ kid: key.kid, signature: sign(key, bytes) }) }

test('what was signed reads back and verifies, and with any character changed it does not', () => {
  const text = compactJws(signer, 'x', { name: '长三角', n: 1 })
  const { signed, bytes, payload } = readJws(text, 'x')
  expect(payload).toEqual({ name: '长三角', n: 1 })
  expect(verify(key.publicKey, bytes, signed.signature)).toBe(true)
  for (let at = 0; at < text.length; at++) {
    const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
    const holds = (): boolean => {
      const read = readJws(changed, 'x')
      return read.signed.kid === key.kid && verify(key.publicKey, read.bytes, read.signed.signature)
    }
    let held = false
    try {
      held = holds()
    } catch {
      // It cannot even be read.
    }
    expect([at, held]).toEqual([at, false])
  }
})

test.each([['another type', compactJws(signer, 'y', {})], ['two parts', 'a.b'], ['four', 'a.b.c.d'], ['nothing', ''], ['no algorithm', `${Buffer.from('{"alg":"none","typ":"x"}').toString('base64url')}.e30.`], ['no JSON', 'AAAA.AAAA.AAAA']])('%s is refused', (_, text) => {
  expect(() => readJws(text, 'x')).toThrow()
})
