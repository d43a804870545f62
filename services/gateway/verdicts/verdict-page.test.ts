import { expect, test } from 'vitest'
import { mergeParts } from './verdict-page.ts'
import type { KeptVerdict, PublishedVerdict } from './verdict-store.ts'

const TOPICS = new Map([['zj.complaint', 'complaint']] as const)
const id = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
const FROM = id(0)
const published = (n: number): PublishedVerdict => ({ id: id(n), topic: 'zj.complaint', recordId: `a/${n}`, version: 1n, first: false })
const kept = (n: number, fields: Partial<KeptVerdict> = {}): KeptVerdict => ({
  id: id(n), stream: 'complaint', source: 'a', caller: 'c', request: id(99), outcome: 'refused', recordId: `a/${n}`, version: null, eventId: null, line: 1, index: null, flags: null, problems: 'required x\ntype ', ...fields,
})
const ids = (page: { verdicts: { id: string }[] }): number[] => page.verdicts.map((one) => Number(one.id.slice(-12)))

test('both parts in one order, to the end', () => {
  const page = mergeParts({ rows: [published(5), published(2)], floor: FROM }, { rows: [kept(4), kept(3)], floor: FROM }, TOPICS, FROM, 10)
  expect([ids(page), page.next]).toEqual([[5, 4, 3, 2], null])
  expect(page.verdicts[1]!.problems).toMatchObject([{ rule: 'required', field: 'x', zh: 'x：缺少必填字段' }, { rule: 'type', field: '', zh: '类型不符' }])
})

test('of more than fit the first, and the next page begins after the last of them', () => {
  const page = mergeParts({ rows: [published(5), published(2)], floor: id(2) }, { rows: [kept(4), kept(3)], floor: FROM }, TOPICS, FROM, 3)
  expect([ids(page), page.next]).toEqual([[5, 4, 3], id(3)])
})

test('only as far down as both parts reach: what one scan has not seen may lie between', () => {
  const page = mergeParts({ rows: [published(9)], floor: id(6) }, { rows: [kept(8), kept(3)], floor: FROM }, TOPICS, FROM, 10)
  expect([ids(page), page.next]).toEqual([[9, 8], id(6)])
})

test('a scan that found nothing goes on where it ended', () => {
  expect(mergeParts({ rows: [], floor: id(6) }, { rows: [], floor: id(7) }, TOPICS, FROM, 10)).toEqual({ verdicts: [], next: id(7) })
})

test('the flags of a published event join it', () => {
  const page = mergeParts({ rows: [published(5)], floor: FROM }, { rows: [kept(5, { outcome: 'new-version', version: 1n, eventId: id(5), flags: 'unknown-code other-authority', problems: null })], floor: FROM }, TOPICS, FROM, 10)
  expect(page.verdicts).toMatchObject([{ verdict: 'new-version', eventId: id(5), caller: 'c', flags: ['unknown-code', 'other-authority'] }])
})
