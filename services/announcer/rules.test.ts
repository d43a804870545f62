import { expect, test } from 'vitest'
import { loadCalendar } from './calendar/load.ts'
import { mediationDue } from './figures/mediation-due.ts'
import { ruleOn } from './rules.ts'

const calendar = loadCalendar()

test('a rule answers by the day of its trigger, and names its version', () => {
  expect(ruleOn('CMP.MEDIATE', '2026-04-14')).toMatchObject({ ref: 'CMP.MEDIATE@1', term: 45, unit: 'workday' })
  expect(ruleOn('CMP.PUBLISH_TERM', '2026-02-25')).toMatchObject({ ref: 'CMP.PUBLISH_TERM@1', term: 1, unit: 'year' })
})

test('a rule that is not verified gives no term and says why', () => {
  expect(ruleOn('CMP.MEDIATE', '2026-04-15')).toMatchObject({ ref: 'CMP.MEDIATE@2', term: null, why: ['总局令第121号施行后的调解期限尚未核实', 'the term under Order 121 is not verified'] })
  expect(ruleOn('CMP.ACCEPT', '2026-04-15').term).toBeNull()
})

test('before a rule was in force there is none', () => {
  expect(ruleOn('CMP.PUBLISH_TERM', '2023-10-19')).toMatchObject({ term: null })
})

test('by when a window is handled: 7 and 45 working days, or not known', () => {
  expect(mediationDue(calendar, { from: '2026-02-15', to: '2026-02-23' })).toEqual({ day: '2026-05-09', provisional: false, rules: ['CMP.ACCEPT@1', 'CMP.MEDIATE@1'], calendar: ['2026.1'] })
  expect(mediationDue(calendar, { from: '2026-04-01', to: '2026-04-10' })).toMatchObject({ day: null, unverified: ['CMP.MEDIATE@2'] })
  expect(mediationDue(calendar, { from: '2026-05-01', to: '2026-05-05' })).toMatchObject({ day: null, unverified: ['CMP.ACCEPT@2'] })
})
