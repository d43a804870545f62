import fc from 'fast-check'
import { expect, it } from 'vitest'
import { contractByName } from '@hub/schemas/contracts'
import type { RecordItem } from '@hub/schemas/log-item'
import { dateText } from '@hub/schemas/record-json'
import { sampleRecord } from '@hub/schemas/samples'
import { columnValues } from '@hub/schemas/tables'
import { stateOf } from '@hub/schemas/visibility'
import { cursorText, logsOf, parseCursor } from './cursor.ts'
import { type Change, Ring } from './ring.ts'
import { stops } from './stops.ts'
import { unstopped } from './unstopped.ts'

const CONTRACT = contractByName('cn.yrd.credit_blacklist.CreditRecord')!
const TODAY = 20_500
const change = (offset: number, over: Partial<Change> = {}): Change => ({ place: 0, offset, recordId: `r/${offset}`, at: offset, stops: false, late: false, ...over })

it('a ring knows from where on nothing is missing, also after a snapshot of it', () => {
  const changes = fc.array(fc.record({ place: fc.nat(2), gap: fc.integer({ min: 1, max: 3 }), stops: fc.boolean() }), { maxLength: 60 })
  fc.assert(fc.property(changes, (all) => {
    const next = [10, 20, 30]
    const ring = new Ring(next, undefined, 16)
    const told: Change[] = []
    for (const { place, gap, stops } of all) {
      const one = change(next[place]! + gap - 1, { place, stops, recordId: `r/${told.length}` })
      next[place] = one.offset + 1
      told.push(one)
      ring.note(one)
    }
    for (const seen of [ring, new Ring([0, 0, 0], JSON.parse(JSON.stringify(ring.state)), 16)]) {
      const kept = Array.from({ length: seen.end - seen.first }, (_, n) => seen.at(seen.first + n))
      expect(kept).toEqual(told.slice(-16))
      for (const [place, from] of seen.from.entries()) expect(told.filter((one) => one.place === place && one.offset >= from).every((one) => kept.some((other) => other.recordId === one.recordId))).toBe(true)
    }
  }))
})

it('whoever waits is woken by the next change, and no change is waited for that is here', async () => {
  const ring = new Ring([0])
  const signal = new AbortController().signal
  const woken = ring.moved(0, 60_000, signal)
  ring.note(change(0))
  await woken
  await ring.moved(0, 60_000, signal)
})

it('a cursor reads back, and one of other logs is answered 410', () => {
  const logs = logsOf(['a', 'b'])
  expect(parseCursor(cursorText(logs, [0, 2 ** 40]), logs, 2)).toEqual([0, 2 ** 40])
  expect(() => parseCursor(cursorText(logsOf(['a', 'c']), [0, 1]), logs, 2)).toThrow(expect.objectContaining({ status: 410 }))
  for (const text of ['', 'now', logs, `${logs}.1`, `${logs}.1.2.3`, `${logs}.1.-2`, `${logs}.1.2 `, `${logs}.1.zzzzzzzzzzzz`]) expect(() => parseCursor(text, logs, 2)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }))
})

it('tells how many records a subscriber has not stopped using, and since when', () => {
  const ring = new Ring([0])
  const all = [change(1, { recordId: 'a' }), change(2, { recordId: 'a', stops: true, at: 50 }), change(3, { recordId: 'b', stops: true, at: 60 }), change(4, { recordId: 'b', at: 70 }), change(5, { recordId: 'c', stops: true, at: 80 })]
  for (const one of all) ring.note(one)
  expect(unstopped(ring, [0], 0)).toEqual({ records: 2, since: 50, complete: true })
  expect(unstopped(ring, [3], 0)).toEqual({ records: 1, since: 80, complete: true })
  expect(unstopped(ring, [6], 0)).toEqual({ records: 0, since: undefined, complete: true })
  ring.note(change(2, { recordId: 'd', stops: true, late: true, at: 90 }))
  expect([unstopped(ring, [6], 89).records, unstopped(ring, [6], 90).records]).toEqual([1, 0])
  expect(unstopped(new Ring([4]), [3], 0)).toEqual({ records: 0, since: undefined, complete: false })
})

const day = fc.option(fc.integer({ min: TODAY - 1, max: TODAY + 1 }), { nil: null })
const state = fc.record({
  kind: fc.constantFrom('original', 'correction', 'restored', 'shield', 'withdrawal'), publication: fc.constantFrom('published', 'published', 'pending', 'withdrawn', 'expired'), until: day,
  shield: fc.option(fc.record({ from: fc.integer({ min: TODAY - 2, max: TODAY + 1 }), until: day, decisionNo: fc.constant(null) }), { nil: null }),
  removal: fc.option(fc.record({ date: fc.integer({ min: TODAY - 1, max: TODAY + 1 }), path: fc.constant(null), ground: fc.constant(null), groundText: fc.constant(null), authority: fc.constant(null), decisionNo: fc.constant(null) }), { nil: null }),
})

it('a version stops its record exactly where readers no longer see it as published', () => {
  fc.assert(fc.property(state, (over) => {
    const record = { ...sampleRecord('cn.yrd.credit_blacklist.CreditRecord'), ...over }
    const item = { ended: false, kind: over.kind, columns: columnValues(CONTRACT, record) } as unknown as RecordItem
    expect(stops(item, dateText(TODAY))).toBe(stateOf(CONTRACT, record, TODAY) !== 'published')
  }), { numRuns: 500 })
})
