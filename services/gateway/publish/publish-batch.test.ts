import { describe, expect, test } from 'vitest'
import { MAX_EVENT_BYTES, planBatch, type Histories, type PreparedEvent } from './publish-batch.ts'
import type { PublishedVersion } from './publish-decision.ts'

describe('a batch', () => {
  test('is decided in its order, events of one record seeing each other', () => {
    const { outcomes, rows } = plan([
      event('r1', { version: 1, body: 'a' }),
      event('r1', { version: 1, body: 'a', id: 'again' }),
      event('r1', { version: 3, body: 'c' }),
      event('r1', { version: 2, body: 'b' }),
      event('r1', { version: 1, body: 'x' }),
      event('r1', { version: 4, body: 'd' }),
    ])
    expect(outcomes.map((o) => o.verdict)).toEqual(['accepted', 'duplicate', 'new-version', 'stale', 'conflict', 'new-version'])
    expect(outcomes[1]).toMatchObject({ eventId: 'r1@1', version: 1 })
    expect(outcomes[3]).toMatchObject({ version: 3, reason: 'older-version' })
    expect(rows.map((r) => [r.version, r.sequence])).toEqual([[1, 10n], [3, 11n], [4, 12n]])
  })

  test('numbers each partition densely and only what is written', () => {
    const { rows } = plan([
      event('r1', { version: 1, body: 'a', partition: 0 }),
      event('r2', { version: 1, body: 'a', partition: 1 }),
      event('r1', { version: 1, body: 'a', partition: 0 }),
      event('r3', { version: 1, body: 'a', partition: 0 }),
    ])
    expect(rows.map((r) => [r.event.recordId, r.event.partition, r.sequence])).toEqual([['r1', 0, 10n], ['r2', 1, 10n], ['r3', 0, 11n]])
  })

  test('counts versions on from what is published', () => {
    const { outcomes } = plan([event('r1', { body: 'b' }), event('r1', { body: 'a' }), event('r1', { body: 'a' })], {
      r1: [{ version: 7, hash: Buffer.from('a'), eventId: 'first', ended: false }],
    })
    expect(outcomes).toMatchObject([
      { verdict: 'new-version', version: 8 },
      { verdict: 'new-version', version: 9 },
      { verdict: 'duplicate', version: 9 },
    ])
  })

  test('refuses an event that is too large once encoded, and decides the next as if it had not come', () => {
    const { outcomes, rows } = plan([event('r1', { version: 1, body: 'x', bytes: MAX_EVENT_BYTES + 1 }), event('r1', { version: 1, body: 'y', bytes: MAX_EVENT_BYTES })])
    expect(outcomes.map((o) => o.verdict)).toEqual(['refused', 'accepted'])
    expect(rows).toHaveLength(1)
  })
})

test('a second attempt that finds its own rows gives the first attempt\'s verdict', () => {
  const sent = [event('r1', { version: 1, body: 'a' }), event('r1', { version: 2, body: 'b' }), event('r2', { version: 2, body: 'b' })]
  const first = plan(sent)
  const committed: Record<string, PublishedVersion[]> = {}
  for (const row of first.rows) (committed[row.event.recordId] ??= []).push({ version: row.version, hash: row.event.hash, eventId: row.event.eventId, ended: false })
  const second = plan(sent, committed)
  expect(second.rows).toEqual([])
  expect(second.outcomes).toEqual(first.outcomes)
  expect(first.outcomes.map((o) => o.verdict)).toEqual(['accepted', 'new-version', 'accepted'])
})

let counted = 0

function plan(events: PreparedEvent[], published: Record<string, PublishedVersion[]> = {}) {
  const histories: Histories = {
    current: (_topic, recordId) => published[recordId]?.at(-1),
    find: (_topic, recordId, version) => published[recordId]?.find((row) => row.version === version),
  }
  return planBatch(events, histories, () => 10n)
}

function event(recordId: string, fields: { version?: number; body: string; partition?: number; id?: string; bytes?: number }): PreparedEvent {
  return {
    topic: 'zj.complaint',
    partition: fields.partition ?? 0,
    recordId,
    type: 'cn.yrd.complaint.Complaint',
    kind: 'original',
    ended: false,
    origin: fields.version === undefined ? { from: 'counter' } : { from: 'source', version: fields.version },
    hash: Buffer.from(fields.body),
    eventId: fields.id ?? `${recordId}@${fields.version ?? counted++}`,
    encode: () => Buffer.alloc(fields.bytes ?? 10),
    subject: null,
    timeMs: 0,
    traceparent: null,
    flags: [],
  }
}
