import { describe, expect, test } from 'vitest'
import { containsIdentity, isIdentityShaped } from './identity.ts'

const TODAY = '2026-03-15'

describe('a whole value', () => {
  test.each([
    ['000000196903174464', 'digits'],
    ['00000019690317446X', 'X at the end'],
    ['00000019690317446x', 'lower case'],
    ['000000 19690317 4464', 'groups with spaces'],
    ['000000-19690317-4464', 'groups with hyphens'],
    [wide('000000196903174464'), 'full-width'],
    ['000000190001010000', 'the first day of 1900'],
    ['000000202603150000', 'today'],
    ['000000202402290000', 'a leap day'],
  ])('%s is identity-shaped: %s', (text) => {
    expect(isIdentityShaped(text, TODAY)).toBe(true)
  })

  test.each([
    ['000000189912310000', 'before 1900'],
    ['000000202603160000', 'tomorrow'],
    ['000000202302290000', 'a leap day that was none'],
    ['000000196913174464', 'month 13'],
    ['000000196900174464', 'month 0'],
    ['000000196904314464', '31 April'],
    ['000000196904004464', 'day 0'],
    ['00000019690317446', '17 characters'],
    ['0000001969031744644', '19 characters'],
    ['A00000196903174464', 'a letter'],
    ['91320594MA257A8W3D', 'a credit code'],
    ['', 'nothing'],
  ])('%s is not: %s', (text) => {
    expect(isIdentityShaped(text, TODAY)).toBe(false)
  })

  test('a code of digits that passes both checks is a credit code, one that fails either is not', () => {
    const code = digitsCode('920000', '19690317')
    expect(isIdentityShaped(code, TODAY)).toBe(false)
    expect(containsIdentity(code, TODAY)).toBe(false)
    const last = code.endsWith('0') ? '1' : '0'
    expect(isIdentityShaped(code.slice(0, 17) + last, TODAY)).toBe(true)
  })
})

describe('inside a text', () => {
  const identity = '000000196903174464'

  test.each([
    ['alone', identity],
    ['at the start', `${identity}/1`],
    ['at the end', `zj12315/${identity}`],
    ['between letters', `ID${identity}号`],
    ['with X', `zj/00000019690317446X-2`],
    ['after another run', `20240101/${identity}`],
    ['after a long run', `12345678901234567890/${identity}`],
    ['after a run with X', `00000018690317446X${identity}`],
    ['full-width', `身份证${wide(identity)}`],
    ['far inside', `${'企业名称'.repeat(500)}${identity}${'。'.repeat(20)}`],
  ])('%s', (_where, text) => {
    expect(containsIdentity(text, TODAY)).toBe(true)
  })

  test('at every place of a text', () => {
    for (let at = 0; at < 60; at++) expect(containsIdentity(`${'号'.repeat(at)}${identity}${'号'.repeat(60 - at)}`, TODAY)).toBe(true)
  })

  test.each([
    ['a number with hyphens', 'zj/330100-20240315-0012'],
    ['an order number of 20 digits', '33010020240315000123'],
    ['17 digits', 'R33010020240315000'],
    ['18 digits without a date', '330100999999990012'],
    ['a registration number', '330198001234567'],
    ['a credit code', '91320594MA257A8W3D'],
    ['a firm', '上海浔杉生物科技有限公司'],
    ['nothing', ''],
  ])('not in %s', (_what, text) => {
    expect(containsIdentity(text, TODAY)).toBe(false)
  })
})

/** A credit code of digits alone that passes both checks and has this date at 7–14: department and division, date, then what the checks ask. */
function digitsCode(start: string, day: string): string {
  for (let serial = 0; serial < 100; serial++) {
    const body = `${start}${day}${String(serial).padStart(2, '0')}`
    const inner = (11 - ([...body.slice(8)].reduce((sum, digit, at) => sum + Number(digit) * [3, 7, 9, 10, 5, 8, 4, 2][at]!, 0) % 11)) % 11
    const outer = (31 - ([...`${body}${inner}`].reduce((sum, digit, at) => sum + Number(digit) * (3 ** at % 31), 0) % 31)) % 31
    if (inner < 10 && outer < 10) return `${body}${inner}${outer}`
  }
  throw new Error('no such code')
}

function wide(text: string): string {
  return text.replace(/[!-~]/g, (narrow) => String.fromCharCode(narrow.charCodeAt(0) + 0xfee0))
}
