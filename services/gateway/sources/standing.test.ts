import { expect, test } from 'vitest'
import { standingOf } from './standing.ts'

const NOW = Date.UTC(2026, 2, 15, 1)
const ago = (seconds: number): Date => new Date(NOW - seconds * 1000)
const DAY = 86_400

test.each([
  ['handed over an hour ago, a day is agreed', { lastHandOverAt: ago(3_600), arrivingSince: null, dueAt: ago(3_600 - DAY) }, { state: 'fresh', overdueSince: null, ageSeconds: 3_600 }],
  ['the last second of its time', { lastHandOverAt: ago(DAY), arrivingSince: null, dueAt: ago(0) }, { state: 'fresh', overdueSince: null, ageSeconds: DAY }],
  ['a second later', { lastHandOverAt: ago(DAY + 1), arrivingSince: null, dueAt: ago(1) }, { state: 'overdue', overdueSince: ago(1), ageSeconds: DAY + 1 }],
  ['handed over, not all of it here: the office owes nothing', { lastHandOverAt: ago(2 * DAY), arrivingSince: ago(60), dueAt: ago(60 - DAY) }, { state: 'arriving', overdueSince: null, ageSeconds: 2 * DAY }],
  ['a hand-over under way for longer than its cadence: the office owes the next one too', { lastHandOverAt: ago(3 * DAY), arrivingSince: ago(2 * DAY), dueAt: ago(DAY) }, { state: 'overdue', overdueSince: ago(DAY), ageSeconds: 3 * DAY }],
  ['never handed over, declared a moment ago', { lastHandOverAt: null, arrivingSince: null, dueAt: ago(-DAY) }, { state: 'never', overdueSince: null, ageSeconds: null }],
  ['never handed over, declared long ago', { lastHandOverAt: null, arrivingSince: null, dueAt: ago(5) }, { state: 'overdue', overdueSince: ago(5), ageSeconds: null }],
])('%s', (_why, row, standing) => {
  expect(standingOf(row, NOW)).toEqual(standing)
})
