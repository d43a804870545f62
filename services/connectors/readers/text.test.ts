import { describe, expect, test } from 'vitest'
import { decode, encodingOf } from './text.ts'

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function text(bytes: Uint8Array, size = bytes.length, declared?: 'utf-8' | 'gb18030'): Promise<string> {
  let all = ''
  for await (const part of decode(chunks(bytes, size), declared)) all += part
  return all
}

describe('GB18030', () => {
  // Two-byte, four-byte inside the BMP, and the two ends of the four-byte area outside it: the code points by GB 18030-2022, table 1 and annex.
  test.each([['d6d0', '中'], ['a1a1', '\u3000'], ['81308130', '\u0080'], ['8431a439', '\uffff'], ['90308130', '\u{10000}'], ['e3329a35', '\u{10ffff}']] as const)('%s', async (hex, character) => {
    expect(await text(Buffer.from(hex, 'hex'), 4, 'gb18030')).toBe(character)
  })

  test('every four-byte code outside the BMP, in order', () => {
    const decoder = new TextDecoder('gb18030', { fatal: true })
    let wrong = 0
    for (let linear = 0; linear < 0x100000; linear++) {
      const bytes = Uint8Array.of(0x90 + Math.floor(linear / 12_600), 0x30 + Math.floor(linear / 1_260) % 10, 0x81 + Math.floor(linear / 10) % 126, 0x30 + linear % 10)
      if (decoder.decode(bytes).codePointAt(0) !== 0x10000 + linear) wrong++
    }
    expect(wrong).toBe(0)
  })

  test.each(['ff', '8130', '813081', '81ff', '8435f437', 'e3329a36'])('%s is refused, never replaced', async (hex) => {
    await expect(text(Buffer.from(hex, 'hex'), 4, 'gb18030')).rejects.toMatchObject({ rule: 'invalid-encoding', row: 1 })
  })

  test('characters over the border of two chunks', async () => {
    const bytes = Buffer.from('d6d09933f533b9fa', 'hex')
    expect(await text(Buffer.concat([Buffer.from('a\n'.repeat(200_000)), bytes]), 100_001, 'gb18030')).toBe('a\n'.repeat(200_000) + await text(bytes, 8, 'gb18030'))
  })
})

test('UTF-8 with a mark, UTF-8, and anything else', () => {
  expect(encodingOf(Buffer.from('\ufeff中'))).toBe('utf-8')
  expect(encodingOf(Buffer.from('中文'))).toBe('utf-8')
  expect(encodingOf(Buffer.from('中文').subarray(0, 5))).toBe('utf-8')
  expect(encodingOf(Buffer.from('d6d0ceC4', 'hex'))).toBe('gb18030')
})

test('a byte that does not belong is told by its line', async () => {
  await expect(text(Buffer.concat([Buffer.from('甲\n乙\n'), Buffer.from([0xff, 0x0a])]), 100, 'utf-8')).rejects.toMatchObject({ row: 3 })
})
