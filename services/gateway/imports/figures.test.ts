import { expect, test } from 'vitest'
import { Counting, isTold, NO_FIGURES, repeated, type RowVerdict } from './figures.ts'

const row = (at: number, verdict: RowVerdict['verdict'], flags: RowVerdict['flags'] = []): RowVerdict => ({ place: { row: at }, rows: 1, verdict, flags, problems: null })

test('rows add up by verdict, flag and class; a file that was given up counts all that is left of it', () => {
  const counting = new Counting('complaint', NO_FIGURES, [])
  for (const one of [row(1, 'accepted'), row(2, 'accepted', ['uscc-check-failed']), row(3, 'refused'), { ...row(4, 'refused'), rows: 7 }]) counting.add(one)
  expect(counting.figures).toEqual({ verdicts: { accepted: 2, refused: 8 }, flags: { 'uscc-check-failed': 1 }, classes: { good: 1, doubtful: 1, bad: 8 }, rows: 10, events: 0 })
})

test('a row that waited moves when it is settled, once', () => {
  const counting = new Counting('credit-blacklist', NO_FIGURES, [])
  counting.add(row(1, 'waiting'))
  expect(counting.settle({ row: 1 })).toMatchObject({ verdict: 'accepted' })
  expect(counting.settle({ row: 1 })).toBeUndefined()
  expect(counting.figures).toMatchObject({ verdicts: { accepted: 1 }, classes: { good: 1 } })
})

test('what is doubtful about an earlier row makes that one doubtful, also where nothing was told of it', () => {
  const counting = new Counting('complaint', NO_FIGURES, [])
  counting.add(row(1, 'accepted'))
  counting.flag({ row: 1 }, ['uscc-check-failed'])
  counting.flag({ row: 1 }, ['uscc-check-failed'])
  expect(counting.figures).toMatchObject({ verdicts: { accepted: 1 }, flags: { 'uscc-check-failed': 1 }, classes: { doubtful: 1 } })
})

test('a fork counts for itself until it is taken over: an attempt that failed leaves nothing', () => {
  const counting = new Counting('credit-blacklist', NO_FIGURES, [])
  counting.add(row(1, 'waiting'))
  const before = counting.figures
  const failed = counting.fork()
  failed.settle({ row: 1 })
  failed.add(row(2, 'accepted'))
  expect(counting.figures).toEqual(before)
  const second = counting.fork()
  second.settle({ row: 1 })
  second.add(row(2, 'accepted'))
  counting.become(second)
  expect(counting.figures).toMatchObject({ verdicts: { accepted: 2 }, rows: 2 })
  expect(counting.settle({ row: 1 })).toBeUndefined()
})

test('an import that goes on knows the rows that wait', () => {
  const counting = new Counting('credit-blacklist', { ...NO_FIGURES, verdicts: { waiting: 1 }, classes: { doubtful: 1 }, rows: 1 }, [row(1, 'waiting')])
  counting.settle({ row: 1 })
  expect(counting.figures).toMatchObject({ verdicts: { accepted: 1 }, classes: { good: 1 }, rows: 1 })
})

test('the same file again: what was taken is a duplicate, what was not is what it was, and all rows are there', () => {
  const first = { verdicts: { accepted: 5, 'new-version': 2, tallied: 3, waiting: 1, duplicate: 1, stale: 1, conflict: 1, refused: 4, skipped: 2 }, flags: {}, classes: { good: 8, doubtful: 2, correction: 1, duplicate: 1, stale: 1, conflict: 1, bad: 6 }, rows: 20, events: 9 }
  const again = repeated(first)
  expect(again).toMatchObject({ verdicts: { duplicate: 12, stale: 1, conflict: 1, refused: 4, skipped: 2 }, classes: { duplicate: 12, stale: 1, conflict: 1, bad: 6 }, rows: 20, events: 0 })
  const sum = (counts: object): number => Object.values(counts).reduce((all: number, one: number) => all + one, 0)
  expect(sum(again.verdicts)).toBe(sum(first.verdicts))
  expect(sum(again.classes)).toBe(sum(first.classes))
})

test('rows of which the count says all are not told', () => {
  expect([row(1, 'accepted'), row(2, 'duplicate'), row(3, 'skipped')].map(isTold)).toEqual([false, false, false])
  expect([row(1, 'refused'), row(2, 'waiting'), row(3, 'conflict'), row(4, 'accepted', ['uscc-check-failed'])].map(isTold)).toEqual([true, true, true, true])
})
