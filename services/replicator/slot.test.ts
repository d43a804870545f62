import { expect, test } from 'vitest'
import { createSlot, passed, sequenceLost } from './slot.ts'

const stored = { topic: 'zj.complaint', partition: 0, generation: 'g', next: 0, lastSequence: -1, parkedOpen: 0, completeFrom: 0, pausedReason: null, clearing: false }
const open = (over: Partial<typeof stored> = {}) => createSlot({ topic: 'zj.complaint', partition: 0, region: 'zj', stream: 'complaint', technical: false, own: true }, { ...stored, ...over }, false)

test('a jump of sequences without missing offsets is a loss, a resend is none', () => {
  const slot = open()
  for (const [offset, sequence] of [[0, undefined], [1, 0], [2, 1], [3, 0], [4, 2]] as const) {
    expect(sequence !== undefined && sequenceLost(slot, offset, sequence, false)).toBe(false)
    passed(slot, { offset, sequence, logEnd: 9 })
  }
  expect(sequenceLost(slot, 5, 4, false)).toBe(true)
})

test('a log that was created anew begins where its origin was, if its first event says so; behind it nothing may be missing', () => {
  const slot = open()
  passed(slot, { offset: 0, sequence: undefined, logEnd: 9 })
  expect(sequenceLost(slot, 1, 700, false)).toBe(true)
  expect(sequenceLost(slot, 1, 700, true)).toBe(false)
  passed(slot, { offset: 1, sequence: 700, logEnd: 9 })
  expect(sequenceLost(slot, 2, 702, true)).toBe(true)
})

test('behind what compaction took, a resend hides how far the sequences had come: no loss is seen up to the log end of that moment', () => {
  // 0 genesis, 1 to 3 sequences 0 to 2, all taken; 4 the first of them again, 5 sequence 3.
  const slot = open()
  passed(slot, { offset: 0, sequence: undefined, logEnd: 7 })
  passed(slot, { offset: 4, sequence: 0, logEnd: 7 })
  expect(sequenceLost(slot, 5, 3, false)).toBe(false)
  passed(slot, { offset: 5, sequence: 3, logEnd: 7 })
  passed(slot, { offset: 6, sequence: 4, logEnd: 7 })
  expect(sequenceLost(slot, 7, 6, false)).toBe(true)
  expect(sequenceLost(open({ next: 5, lastSequence: 0, completeFrom: 7 }), 5, 3, false)).toBe(false)
})
