import { expect, test } from 'vitest'
import { turnedAway } from './admission.ts'

const calm = { waiting: 0, loopLate: false, outboxFull: false, restored: false }

test('new events are turned away while too many wait, while the loop is held, and while the outbox is full, each with what to do and when', () => {
  expect(turnedAway(calm, false)).toBeUndefined()
  for (const [standing, code, seconds] of [[{ ...calm, waiting: 20_000 }, 'OVERLOADED', 2], [{ ...calm, loopLate: true }, 'OVERLOADED', 2], [{ ...calm, outboxFull: true }, 'OUTBOX_FULL', 30], [{ ...calm, restored: true }, 'DATABASE_RESTORED', 60]] as const) {
    expect(turnedAway(standing, false)).toMatchObject({ status: 503, code, detail: expect.any(String), extra: { retryAfterSeconds: seconds } })
  }
})

test('a rehearsal needs no room in the outbox, and is turned away from a gateway that is busy or does not know what was published', () => {
  expect(turnedAway({ ...calm, outboxFull: true }, true)).toBeUndefined()
  expect(turnedAway({ ...calm, restored: true }, true)).toMatchObject({ code: 'DATABASE_RESTORED' })
  expect(turnedAway({ ...calm, waiting: 20_000 }, true)).toMatchObject({ code: 'OVERLOADED' })
})
