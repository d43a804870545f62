import { describe, expect, test } from 'vitest'
import { innerCheckHolds, normaliseUscc, outerCheckHolds } from './uscc.ts'

/** Domain reference 2.1: code, outer check, inner check. */
const VECTORS: readonly (readonly [string, boolean, boolean])[] = [
  ['91350100M000100Y43', true, true],
  ['91330100799655058B', true, true],
  ['91110108551385082Q', true, true],
  ['91310000132260250X', true, true],
  ['9132070070404786XB', true, true],
  ['91340000711771143J', true, true],
  ['91330000733796106P', true, true],
  ['9131000010000595XD', true, true],
  ['91320594MA257A8W3D', true, true],
  ['91330100MA00000740', true, true],
  ['9131000063159284XQ', true, true],
  ['91350203M0001QAY9B', false, true],
  ['91350211M0000XUF46', false, true],
]
const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'

describe('check characters', () => {
  test.each(VECTORS)('%s: outer %s, inner %s', (code, outer, inner) => {
    expect([outerCheckHolds(code), innerCheckHolds(code)]).toEqual([outer, inner])
    expect(normaliseUscc(code)).toEqual({ code, valid: outer && inner })
  })

  test('one wrong character is noticed, and so are two neighbours in the wrong order', () => {
    const code = '91320594MA257A8W3D'
    for (let at = 0; at < 18; at++) {
      for (const other of ALPHABET) {
        if (other !== code[at]) expect(outerCheckHolds(code.slice(0, at) + other + code.slice(at + 1))).toBe(false)
      }
      if (at < 16 && code[at] !== code[at + 1]) expect(outerCheckHolds(code.slice(0, at) + code[at + 1] + code[at] + code.slice(at + 2))).toBe(false)
    }
  })

  test('a code that fails its check is kept and says so', () => {
    expect(normaliseUscc('91350203M0001QAY9B')).toEqual({ code: '91350203M0001QAY9B', valid: false })
  })

  test('the outer check alone does not make a code valid', () => {
    expect(outerCheckHolds('913301007996550578')).toBe(true)
    expect(innerCheckHolds('913301007996550578')).toBe(false)
    expect(normaliseUscc('913301007996550578')?.valid).toBe(false)
  })
})

describe('normalising', () => {
  test.each([
    ['lower case', '91320594ma257a8w3d'],
    ['spaces and tabs', ' 9132 0594\tMA25 7A8W 3D '],
    ['hyphens', '91-320594-MA257A8W3-D'],
    ['full-width', '９１３２０５９４ＭＡ２５７Ａ８Ｗ３Ｄ'],
    ['full-width, lower case, with ideographic spaces and hyphens', '９１３２０５９４　ｍａ２５７ａ８ｗ３－ｄ'],
    ['dashes, no-break and zero-width spaces, line ends', '\ufeff91–320594—MA25\u00a07A8W\u200b3D\r\n'],
  ])('%s', (_what, raw) => {
    expect(normaliseUscc(raw)).toEqual({ code: '91320594MA257A8W3D', valid: true })
  })

  test('departments and classes may be letters', () => {
    for (const start of ['N2', 'A1', 'Y1']) expect(normaliseUscc(`${start}330100MA00000740`)?.code).toBe(`${start}330100MA00000740`)
  })

  test.each([
    ['', 'nothing'],
    ['91350100M000100Y4Z', 'a letter outside the alphabet'],
    ['91320594MA257A8W3', '17 characters'],
    ['91320594MA257A8W3DD', '19 characters'],
    ['91320594MA257A8W3O', 'O for 0'],
    ['330198001234567', 'a registration number of 15 digits'],
    ['91320594MA257A8W3名', 'other script'],
    ['暂无', 'no code'],
    ['ABC', 'a word'],
  ])('%j is none: %s', (raw) => {
    expect(normaliseUscc(raw)).toBeUndefined()
  })
})
