import { describe, expect, it } from 'vitest'
import { judge } from './genesis.ts'
import { toMessage } from './message.ts'
import type { OwnPartition } from './partition.ts'
import { setAside } from './partition.ts'
import { append } from './sent-log.ts'
import { firstHalf, shareOf } from './shares.ts'
import { beyond, type SentRun, type WaitingRow } from './store.ts'
import { isTransient } from '@hub/runtime/errors'
import { fromLog, together, withGrace } from './tasks.ts'

const row = (sequence: bigint, over: Partial<WaitingRow> = {}): WaitingRow =>
  ({ sequence, key: 'k', value: Buffer.from('v'), type: 'cn.yrd.tally.Tally', eventId: 'id', subject: null, timeMs: 0, traceparent: null, ageMs: null, ...over })
const own = (over: Partial<OwnPartition> = {}): OwnPartition => ({ topic: 't', partition: 0, acked: -1n, lastOffset: -1n, generation: null, checked: true, fault: undefined, shown: null, ...over })
const run = (first: bigint, last: bigint, firstOffset: bigint, partition = 0): SentRun => ({ topic: 't', partition, first, last, firstOffset })

describe('what is read', () => {
  const waiting = (sequences: bigint[], nextSequence: bigint) => ({ topic: 't', partition: 0, after: 4n, nextSequence, rows: sequences.map((sequence) => row(sequence)) })

  it('is sent up to the first hole', () => {
    expect(shareOf(waiting([5n, 6n, 8n], 9n), own(), 4n, 0)).toMatchObject({ first: 5n, last: 6n, more: true, rows: [{ sequence: 5n }, { sequence: 6n }] })
  })

  it('says whether more waits behind it', () => {
    expect(shareOf(waiting([5n, 6n], 7n), own(), 4n, 0)).toMatchObject({ last: 6n, more: false })
    expect(shareOf(waiting([5n, 6n], 8n), own(), 4n, 0)).toMatchObject({ last: 6n, more: true })
  })

  it('is a loss where the next row is missing, at the end of the outbox too', () => {
    expect(shareOf(waiting([6n, 7n], 8n), own(), 4n, 0)).toEqual({ missing: 5n, found: 6n })
    expect(shareOf(waiting([], 8n), own(), 4n, 0)).toEqual({ missing: 5n, found: undefined })
  })

  it('halves down to one row', () => {
    const share = shareOf(waiting([5n, 6n, 7n], 8n), own(), 4n, 0)
    if (!('rows' in share)) throw new Error('a loss')
    const half = firstHalf(share)
    expect([half.first, half.last, half.rows.length]).toEqual([5n, 6n, 2])
    expect(firstHalf(half)).toMatchObject({ first: 5n, last: 5n })
  })
})

describe('what was sent', () => {
  it('grows a run where both sequences and offsets go on', () => {
    const runs: SentRun[] = []
    for (const one of [run(0n, 9n, 1n), run(0n, 4n, 7n, 1), run(10n, 19n, 11n), run(20n, 29n, 50n)]) append(runs, one)
    expect(runs).toEqual([run(0n, 19n, 1n), run(0n, 4n, 7n, 1), run(20n, 29n, 50n)])
  })

  it('moves no position backwards: what another relay has noted stays, the rest follows', () => {
    expect(beyond([run(10n, 30n, 100n)], new Map([['t/0', 20n]]))).toEqual([run(21n, 30n, 111n)])
    expect(beyond([run(10n, 20n, 100n)], new Map([['t/0', 20n]]))).toEqual([])
    expect(beyond([run(10n, 20n, 100n), run(21n, 25n, 200n)], new Map([['t/0', 9n]]))).toHaveLength(2)
  })

  it('refuses a position that somebody has set back', () => {
    expect(() => beyond([run(10n, 20n, 100n)], new Map([['t/0', 3n]]))).toThrow('set it back')
  })
})

describe('the beginning of a log', () => {
  it('makes a partition usable when it is the log used before, or none was', () => {
    expect(judge({ generation: 'a' }, { acked: 5n, generation: 'a' })).toEqual({ usable: true, generation: 'a' })
    expect(judge({ generation: 'b' }, { acked: -1n, generation: null })).toEqual({ usable: true, generation: 'b' })
    expect(judge({ generation: 'b' }, { acked: -1n, generation: 'a' })).toEqual({ usable: true, generation: 'b' })
  })

  it('stops a partition whose log is another one than the events went to', () => {
    expect(judge({ generation: 'b' }, { acked: 5n, generation: 'a' })).toMatchObject({ usable: false, pause: { code: 'generation-changed' } })
    expect(judge({ code: 'genesis-missing', text: '' }, { acked: 5n, generation: 'a' })).toMatchObject({ usable: false, pause: { code: 'genesis-missing' } })
  })
})

describe('a partition set aside', () => {
  it('is tried again after 1, 2, 4 … 60 s', () => {
    const partition = own()
    const delays = Array.from({ length: 8 }, () => {
      setAside(partition, { code: 'refused', text: '' }, 1000)
      return partition.fault!.retryAt - 1000
    })
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  })
})

describe('a message', () => {
  it('carries CloudEvents headers and its sequence', () => {
    const message = toMessage(row(42n, { subject: '91310000000000000X', traceparent: '00-a-b-01', timeMs: Date.UTC(2026, 0, 2) }), { topic: 'sh.tally', partition: 2, region: 'sh' })
    expect(message).toEqual({ key: 'k', value: Buffer.from('v'), headers: {
      ce_id: 'id', ce_source: '/region/sh', ce_type: 'cn.yrd.tally.Tally', ce_time: '2026-01-02T00:00:00.000Z', ce_specversion: '1.0', 'content-type': 'application/avro',
      sequence: '42', ce_subject: '91310000000000000X', traceparent: '00-a-b-01',
    } })
  })

  it('without an event id is named by its place, and a heartbeat carries its delay in whole milliseconds, rounded up', () => {
    expect(toMessage(row(7n, { eventId: null }), { topic: 'sh.tally', partition: 2, region: 'sh' }, { delayMs: 3.2 }).headers).toMatchObject({ ce_id: 'sh.tally/2/7', 'delay-ms': '4' })
  })
})

it('what is sent to a log without a sequence says which one is the first there', () => {
  const from = { topic: 'sh.tally', partition: 2, region: 'sh' }
  expect(toMessage(row(700n), from, { logStart: 700n }).headers).toMatchObject({ sequence: '700', 'sequence-start': '700' })
  expect(toMessage(row(701n), from).headers).not.toHaveProperty('sequence-start')
})

it('whatever reading the log throws is worth another try', async () => {
  expect(await fromLog(Promise.resolve(1))).toBe(1)
  const failed = await fromLog(Promise.reject(new TypeError("Cannot read properties of null (reading 'topicMetadata')"))).catch((error: unknown) => error)
  expect(isTransient(failed)).toBe(true)
})

describe('tasks', () => {
  it('end together, and the first failure is thrown', async () => {
    const ends: string[] = []
    const waits = (name: string) => (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => { ends.push(name); resolve() }))
    await expect(together(new AbortController().signal, [waits('a'), waits('b'), () => Promise.reject(new Error('no'))])).rejects.toThrow('no')
    expect(ends).toEqual(['a', 'b'])
  })

  it('wait for work in flight only so long after the stop', async () => {
    expect(await withGrace(Promise.resolve(1), AbortSignal.abort(), 1000)).toBe(1)
    expect(await withGrace(new Promise(() => {}), AbortSignal.abort(), 1)).toBeUndefined()
  })
})
