import { expect, test } from 'vitest'
import { canonicalJson, digestOf } from './canonical.ts'

test('names are sorted, nothing stands between, text is as it is', () => {
  expect(canonicalJson({ b: [1, null, true], a: { 浙: '"\n', A: '' } })).toBe('{"a":{"A":"","浙":"\\"\\n"},"b":[1,null,true]}')
})

test('by UTF-16 code units, as RFC 8785 says', () => {
  expect(canonicalJson({ '\u{1F600}': 1, '\ufb33': 2, '\u20ac': 3, 1: 4 })).toBe('{"1":4,"\u20ac":3,"\u{1F600}":1,"\ufb33":2}')
})

test.each([[0.5], [2 ** 53], [NaN], [Infinity], [-0], [undefined], [1n], [{ a: undefined }], ['\ud800'], [() => 1]])('%s has no one form', (value) => {
  expect(() => canonicalJson(value)).toThrow(TypeError)
})

test('a digest is SHA-256 of the bytes, hex', () => {
  expect(digestOf({})).toBe('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a')
})
