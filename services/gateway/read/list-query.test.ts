import { Problem } from '@hub/runtime/http'
import { expect, test } from 'vitest'
import { createCursors } from './list-cursor.ts'
import { checkCombination, checkParameters, parseFilters } from './list-query.ts'

function refusal(work: () => unknown): string {
  try {
    work()
    return ''
  } catch (error) {
    if (error instanceof Problem) return `${error.code} ${error.detail}`
    throw error
  }
}

test('an unknown parameter is refused with the nearest one that there is', () => {
  expect(refusal(() => checkParameters('complaint', { recordID: 'a' }))).toMatch(/^PARAMETER_UNKNOWN .*Did you mean "recordId"\?/)
  expect(refusal(() => checkParameters('complaint', { registered_on_from: 'a' }))).toMatch(/Did you mean "registeredOnFrom"\?/)
  expect(refusal(() => checkParameters('complaint', { asof: 'a' }))).toMatch(/Did you mean "asOf"\?/)
  expect(refusal(() => checkParameters('complaint', { involves: 'zj' }))).toMatch(/^PARAMETER_UNKNOWN/)
  expect(refusal(() => checkParameters('inspection-failure', { involves: 'zj', role: 'producer' }))).toBe('')
})

test('a parameter that is no name is not said again', () => {
  const detail = refusal(() => checkParameters('complaint', { '<script>alert(1)</script>': 'a' }))
  expect(detail).toMatch(/^PARAMETER_UNKNOWN/)
  expect(detail).not.toContain('script')
})

test('one record, its earlier version, and a list are three questions', () => {
  for (const given of [{ recordId: 'a/1', uscc: 'x' }, { recordId: 'a/1', limit: 1 }, { recordId: 'a/1', after: 'x' }, { asOf: 'x' }]) expect(refusal(() => checkCombination(given))).toMatch(/^PARAMETER_CONFLICT/)
  for (const given of [{ recordId: 'a/1' }, { recordId: 'a/1', asOf: 'x' }, {}, { uscc: 'x', limit: 1, after: 'x' }]) expect(refusal(() => checkCombination(given))).toBe('')
})

test.each([
  [{ state: 'finished' }, 'state must be one of received'],
  [{ region: 'bj' }, 'region must be one of sh, js, zj, ah'],
  [{ uscc: "' OR true --" }, 'uscc must be 18'],
  [{ uscc: '91330100799655058b' }, 'uscc must be 18'],
  [{ division: '33%' }, 'division must be a division code'],
  [{ issue: "01' --" }, 'issue must be a code'],
  [{ registeredOnFrom: '2026-02-30' }, 'registeredOnFrom must be YYYY-MM-DD'],
  [{ ended: 'yes' }, 'ended must be one of true, false'],
])('%j is refused with what it should be', (given, expected) => {
  const found = refusal(() => parseFilters('complaint', given))
  expect(found).toContain(`REQUEST_INVALID ${expected}`)
  expect(found).not.toContain("' ")
})

test('role narrows uscc and division to the columns of that party, and involves to the record itself', () => {
  const uscc = '91330100799655058B'
  expect(parseFilters('inspection-failure', { uscc }).conditions).toMatchObject([{ columns: ['uscc', 'producer_uscc'], indexed: true }])
  expect(parseFilters('inspection-failure', { uscc, role: 'producer' })).toMatchObject({ conditions: [{ columns: ['producer_uscc'] }], party: undefined })
  expect(parseFilters('inspection-failure', { involves: 'zj', role: 'producer' })).toMatchObject({ conditions: [{ how: 'involves', columns: ['involved'], value: 'zj' }], party: { region: 'zj', role: 'nominal-producer' } })
  expect(refusal(() => parseFilters('inspection-failure', { uscc, role: 'importer' }))).toContain('sampled-unit, nominal-producer')
  expect(refusal(() => parseFilters('inspection-failure', { role: 'producer' }))).toMatch(/^PARAMETER_CONFLICT/)
  expect(refusal(() => parseFilters('inspection-failure', { involves: 'zj', role: 'constructor' }))).toContain('role must be one of')
})

test('a cursor is good for its own filters, tells nothing, and is not to be made up', () => {
  const cursors = createCursors('postgres://secret')
  const bound = parseFilters('complaint', { state: 'received', region: 'zj' }).bound
  expect(parseFilters('complaint', { region: 'zj', state: 'received' }).bound).toBe(bound)
  const cursor = cursors.seal({ region: 'zj', recordId: 'a/1 b' }, bound)
  expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('a/1')
  expect(createCursors('postgres://secret').open(cursor, bound)).toEqual({ region: 'zj', recordId: 'a/1 b' })
  expect(cursors.open(cursor, parseFilters('complaint', { state: 'received' }).bound)).toBeUndefined()
  expect(createCursors('another').open(cursor, bound)).toBeUndefined()
  for (const broken of ['', 'x', cursor.slice(1), `${cursor}AAAA`]) expect(cursors.open(broken, bound)).toBeUndefined()
})
