import { expect, test } from 'vitest'
import { UnknownOutcomeError, type OrderedProducer, type Produced } from '@hub/runtime/kafka'
import type { Log } from '@hub/runtime/log'
import type { RelayMetrics } from './metrics.ts'
import type { OwnPartition } from './partition.ts'
import { createSender } from './sender.ts'
import type { Share } from './shares.ts'
import type { SentRun, WaitingRow } from './store.ts'

const row = (sequence: bigint): WaitingRow => ({ sequence, key: 'k', value: Buffer.from('v'), type: 'cn.yrd.tally.Tally', eventId: 'id', subject: null, timeMs: 0, traceparent: null, ageMs: null })
const running = new AbortController().signal

test('an offset at or below those used is no acknowledgement: the partition is set aside and the log looked at', async () => {
  const { sender, partition, noted, doubts } = open(async () => [{ topic: 't', partition: 0, baseOffset: 9n }])
  expect(await sender.send([share(partition)], running)).toBe(true)
  expect(partition).toMatchObject({ acked: 4n, lastOffset: 9n, fault: { pause: { code: 'log-went-back' } } })
  expect([noted, doubts()]).toEqual([[], 1])
})

test('what the broker confirms is noted at its offsets; what it does not is not', async () => {
  const confirmed = open(async () => [{ topic: 't', partition: 0, baseOffset: 10n }])
  expect(await confirmed.sender.send([share(confirmed.partition)], running)).toBe(true)
  expect(confirmed.partition).toMatchObject({ acked: 6n, lastOffset: 11n })
  expect(confirmed.noted).toEqual([{ topic: 't', partition: 0, first: 5n, last: 6n, firstOffset: 10n }])

  const open2 = open(async () => { throw new UnknownOutcomeError(new Error('cut')) })
  expect(await open2.sender.send([share(open2.partition)], running)).toBe(false)
  expect(open2.partition).toMatchObject({ acked: 4n, lastOffset: 9n })
  expect(open2.noted).toEqual([])
})

function share(partition: OwnPartition): Share {
  return { partition, rows: [row(5n), row(6n)], first: 5n, last: 6n, more: false, behind: 4n, readAt: 0 }
}

function open(send: () => Promise<Produced[]>) {
  const partition: OwnPartition = { topic: 't', partition: 0, acked: 4n, lastOffset: 9n, generation: 'g', checked: true, fault: undefined, shown: null }
  const nothing = { inc() {}, observe() {} }
  const noted: SentRun[] = []
  let doubts = 0
  const producer: OrderedProducer = { send, close: async () => {}, [Symbol.asyncDispose]: async () => {} }
  const sender = createSender({
    producer, sent: { note: (run) => noted.push(run), flush: async () => {}, run: async () => {} }, region: 'zj',
    metrics: { sends: nothing, events: nothing, unknown: nothing, refused: nothing, produceSeconds: nothing } as unknown as RelayMetrics,
    log: { warn() {}, error() {}, info() {} } as unknown as Log, onDoubt: () => { doubts++ },
  })
  return { sender, partition, noted, doubts: () => doubts }
}
