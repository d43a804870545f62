import { expect, it } from 'vitest'
import { readQuestion } from './question.ts'

const TODAY = '2026-11-25'
const CODE = '91330100799655058B'

it.each([CODE, CODE.toLowerCase(), ' 9133 0100 7996 5505 8B ', '91330100-79965505-8B', '９１３３０１００７９９６５５０５８Ｂ', `${CODE}\r\n`, '９1330100799655058ｂ'])('%o is the code as it is written', (raw) => {
  expect(readQuestion(raw, TODAY)).toEqual({ ok: true, code: CODE, checkHolds: true })
})

it('15 digits are a registration number', () => {
  expect(readQuestion(' 1101 0800 0000 016', TODAY)).toEqual({ ok: true, regNo: '110108000000016', checkHolds: true })
  expect(readQuestion('110108000000017', TODAY)).toMatchObject({ ok: true, checkHolds: false })
})

it('a code that fails its check is asked for all the same', () => {
  expect(readQuestion('91350203M0001QAY9B', TODAY)).toEqual({ ok: true, code: '91350203M0001QAY9B', checkHolds: false })
})

it.each([
  ['', 'wrong-length', '0'], ['9133010079965505', 'wrong-length', '16'], [`${CODE}1`, 'wrong-length', '19'], ['33078367109442', 'wrong-length', '14'],
  ['9'.repeat(100_000), 'wrong-length', '100000'], ['9133010079965505OB', 'wrong-character', '17'], ['9133010079965505ÄB', 'wrong-character', '17'],
  ['阿里巴巴（中国）有限公司阿里巴巴有限公', 'wrong-length', '19'], ['阿里巴巴（中国）有限公司阿里巴巴有限', 'wrong-character', '1'], ['9133010079965505💰B', 'wrong-character', '17'],
])('%o: what is wrong is said', (raw, reason, detail) => {
  const question = readQuestion(raw, TODAY)
  expect(question).toMatchObject({ ok: false, reason, text: expect.stringContaining(detail) })
})

it.each(['11010519491231002X', '110105194912310021', '１１０１０５１９４９１２３１００２ｘ', '110105 19491231 0021'])('%o may be a person\'s number: refused, and the answer does not repeat it', (raw) => {
  const question = readQuestion(raw, TODAY)
  expect(question).toMatchObject({ ok: false, reason: 'identity-shaped' })
  expect(JSON.stringify(question)).not.toContain('19491231')
})
