import { expect, it } from 'vitest'
import { normaliseRegNo } from './reg-no.ts'

/** The check digit of 14 digits, as the standard's text has it: the remainder of each step, doubled, modulo 11. */
function checkDigit(digits: string): number {
  let product = 10
  for (const digit of digits) {
    const sum = (product + Number(digit)) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10
}

it('a number is taken in any writing, and its check digit is that of GS 15-2006', () => {
  expect(normaliseRegNo('110108000000016')).toEqual({ regNo: '110108000000016', valid: true })
  expect(normaliseRegNo(' 1101 0800-0000016 ')).toEqual({ regNo: '110108000000016', valid: true })
  expect(normaliseRegNo('１１０１０８０００００００１６')).toEqual({ regNo: '110108000000016', valid: true })
  for (let n = 0; n < 2_000; n++) {
    const body = `3301${((n * 7_919) % 10_000_000_000).toString().padStart(10, '0')}`
    const check = checkDigit(body)
    for (let digit = 0; digit < 10; digit++) expect(normaliseRegNo(`${body}${digit}`)?.valid).toBe(digit === check)
  }
})

it.each(['', '11010800000001', '1101080000000167', '11010800000001X', '91330100799655058B'])('%o is none', (raw) => {
  expect(normaliseRegNo(raw)).toBeUndefined()
})
