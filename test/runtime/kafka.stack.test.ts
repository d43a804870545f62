import { randomBytes } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { createKafka, ProduceRefusedError, UnknownOutcomeError, type Admin, type Batch, type Kafka, type Subscription, type TopicPartitionOffset } from '@hub/runtime/kafka'
import { createLog } from '@hub/runtime/log'
import { freePort } from './free-port.ts'

const log = createLog({ service: 'test', level: process.env['HUB_TEST_LOG_LEVEL'] ?? 'silent' })
const prefix = `k${randomBytes(4).toString('hex')}-`
const names = { plain: `${prefix}plain`, wide: `${prefix}wide`, short: `${prefix}short`, small: `${prefix}small`, empty: `${prefix}empty` }
let kafka: Kafka
let admin: Admin

beforeAll(async () => {
  const { kafka: { brokers, admin: user } } = inject('stack')
  kafka = createKafka({ brokers: brokers.split(','), clientId: prefix, ...user }, log)
  admin = await kafka.admin()
  const topic = (name: string, partitions: number, settings: Record<string, string> = {}) => ({ topic: name, partitions, replicationFactor: 1, settings })
  const declared = [topic(names.plain, 1), topic(names.wide, 3), topic(names.short, 1), topic(names.small, 1, { 'max.message.bytes': '1000' }), topic(names.empty, 1)]
  expect(await admin.ensureTopics(declared)).toHaveLength(5)
  expect(await admin.ensureTopics(declared)).toEqual([])
})
afterAll(async () => {
  await admin.deleteTopics(Object.values(names))
  await admin.close()
})

describe('producer', () => {
  test('tells where each batch landed, one behind the other', async () => {
    await using producer = kafka.producer()
    const [first] = await producer.send([batch(names.plain, 0, ['a', 'b'])])
    const [second] = await producer.send([batch(names.plain, 0, ['c'])])
    expect(first).toMatchObject({ topic: names.plain, partition: 0 })
    expect(second!.baseOffset).toBe(first!.baseOffset + 2n)
  })

  test('sends made at once keep their order and lose or double nothing: one is in flight at a time', async () => {
    await using producer = kafka.producer()
    const before = (await admin.offsets(names.wide)).map(({ high }) => high)
    const results = await Promise.all(Array.from({ length: 40 }, (_, n) => producer.send([0, 1, 2].map((partition) => batch(names.wide, partition, [`${n}`])))))
    for (const [n, produced] of results.entries()) {
      for (const { partition, baseOffset } of produced) expect(baseOffset).toBe(before[partition]! + BigInt(n))
    }
    expect((await admin.offsets(names.wide)).map(({ high }) => high)).toEqual(before.map((high) => high + 40n))
  })

  test('what the broker refuses is refused, and the next send goes through', async () => {
    await using producer = kafka.producer()
    const refusal = await producer.send([batch(names.small, 0, ['x'.repeat(5_000)])]).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ProduceRefusedError)
    expect(refusal).toMatchObject({ code: 'PRODUCE_REFUSED_MESSAGE_TOO_LARGE', retriable: false })
    expect(await producer.send([batch(names.small, 0, ['ok'])])).toMatchObject([{ baseOffset: 0n }])
  })

  test('without an answer the outcome is unknown, by the deadline, also while it cannot even connect', async () => {
    const nowhere = createKafka({ brokers: [`127.0.0.1:${await freePort()}`], clientId: prefix }, log)
    await using producer = nowhere.producer({ deadlineMs: 300 })
    const started = performance.now()
    await expect(producer.send([batch(names.plain, 0, ['x'])])).rejects.toBeInstanceOf(UnknownOutcomeError)
    expect(performance.now() - started).toBeLessThan(2_000)
  })

  test('a closed producer takes nothing more', async () => {
    const producer = kafka.producer()
    const last = producer.send([batch(names.plain, 0, ['last'])])
    await producer.close()
    await expect(last).resolves.toHaveLength(1)
    await expect(producer.send([batch(names.plain, 0, ['more'])])).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' })
  })
})

describe('consumer', () => {
  test('begins each partition where it is told to, and delivers every record from there once', async () => {
    await using producer = kafka.producer()
    const starts = new Map<number, bigint>()
    for (const partition of [0, 1, 2]) starts.set(partition, (await producer.send([batch(names.wide, partition, ['skip', 'a', 'b'])]))[0]!.baseOffset + 1n)
    await using consumer = await consume([names.wide], (partitions) => partitions.map(({ topic, partition }) => ({ topic, partition, offset: starts.get(partition)! })))
    await vi.waitFor(() => expect(consumer.values()).toHaveLength(6), 15_000)
    await producer.send([batch(names.wide, 1, ['c'])])
    await vi.waitFor(() => expect(consumer.values()).toHaveLength(7), 10_000)
    for (const partition of [0, 1, 2]) expect(consumer.values(partition)).toEqual(partition === 1 ? ['a', 'b', 'c'] : ['a', 'b'])
    expect(consumer.batches.every(({ highWatermark, messages }) => highWatermark > messages.at(-1)!.offset)).toBe(true)
    expect(consumer.fatal).toBeUndefined()
  })

  test('a partition that is left out stays silent until it is resumed', async () => {
    await using producer = kafka.producer()
    const [at] = await producer.send([batch(names.wide, 0, ['first'])])
    const [other] = await producer.send([batch(names.wide, 2, ['second'])])
    await using consumer = await consume([names.wide], () => [{ topic: names.wide, partition: 2, offset: other!.baseOffset }])
    await vi.waitFor(() => expect(consumer.values(2)).toEqual(['second']), 15_000)
    expect(consumer.values(0)).toEqual([])
    consumer.subscription.resumeAt([{ topic: names.wide, partition: 0, offset: at!.baseOffset }])
    await vi.waitFor(() => expect(consumer.values(0)).toEqual(['first']), 10_000)
  })

  test('a paused partition delivers nothing; resumed further back, it delivers again from there', async () => {
    await using producer = kafka.producer()
    const [at] = await producer.send([batch(names.plain, 0, ['1', '2', '3'])])
    const from = { topic: names.plain, partition: 0, offset: at!.baseOffset }
    await using consumer = await consume([names.plain], () => [from])
    await vi.waitFor(() => expect(consumer.values()).toEqual(['1', '2', '3']), 15_000)
    consumer.subscription.pause([from])
    await producer.send([batch(names.plain, 0, ['4'])])
    consumer.subscription.resumeAt([{ ...from, offset: from.offset + 1n }])
    await vi.waitFor(() => expect(consumer.values()).toEqual(['1', '2', '3', '2', '3', '4']), 10_000)
  })

  test('an offset outside the log is reported and never reset: neither below it nor above', async () => {
    await using producer = kafka.producer()
    await producer.send([batch(names.short, 0, ['1', '2'])])
    for (const offset of [100n, -5n]) {
      await using consumer = await consume([names.short], () => [{ topic: names.short, partition: 0, offset }])
      await vi.waitFor(() => expect(consumer.changed).toEqual([{ partition: 0, stored: offset, low: 0n, high: 2n }]), 15_000)
      for (let n = 0; n < 20; n++) await turn()
      expect(consumer.values()).toEqual([])
    }
  })

  test('the end of the log is a good place to wait', async () => {
    await using consumer = await consume([names.empty], () => [{ topic: names.empty, partition: 0, offset: 0n }])
    await using producer = kafka.producer()
    await producer.send([batch(names.empty, 0, ['new'])])
    await vi.waitFor(() => expect(consumer.values()).toEqual(['new']), 15_000)
    expect(consumer.changed).toEqual([])
  })

  test('a handler that waits holds the next batch back, and closing does not wait for it', async () => {
    await using producer = kafka.producer()
    const [at] = await producer.send([batch(names.plain, 0, ['slow'])])
    const gate = Promise.withResolvers<void>()
    const consumer = await consume([names.plain], () => [{ topic: names.plain, partition: 0, offset: at!.baseOffset }], () => gate.promise)
    await vi.waitFor(() => expect(consumer.values()).toEqual(['slow']), 15_000)
    await producer.send([batch(names.plain, 0, ['next'])])
    const started = performance.now()
    await consumer[Symbol.asyncDispose]()
    expect(performance.now() - started).toBeLessThan(5_000)
    expect(consumer.values()).toEqual(['slow'])
    gate.resolve()
  })

  test('many batches leave nothing on the signal of the assignment', async () => {
    const warned: string[] = []
    const onWarning = (warning: Error): void => { warned.push(warning.name) }
    process.on('warning', onWarning)
    await using producer = kafka.producer()
    const [at] = await producer.send([batch(names.plain, 0, ['0'])])
    let listeners = 0
    await using consumer = await consume([names.plain], () => [{ topic: names.plain, partition: 0, offset: at!.baseOffset }], async (_batch, signal) => {
      listeners = getEventListeners(signal, 'abort').length
    })
    for (let n = 1; n <= 15; n++) {
      await vi.waitFor(() => expect(consumer.values()).toHaveLength(n), 10_000)
      await producer.send([batch(names.plain, 0, [`${n}`])])
    }
    await vi.waitFor(() => expect(consumer.values()).toHaveLength(16), 10_000)
    process.off('warning', onWarning)
    expect(listeners).toBeLessThanOrEqual(2)
    expect(warned).toEqual([])
  })

  test('a fault of the handler ends the subscription through onFatal, once', async () => {
    await using producer = kafka.producer()
    const [at] = await producer.send([batch(names.plain, 0, ['bad'])])
    await using consumer = await consume([names.plain], () => [{ topic: names.plain, partition: 0, offset: at!.baseOffset }], () => { throw new TypeError('a bug') })
    await vi.waitFor(() => expect(consumer.fatal).toMatchObject({ message: 'a bug' }), 15_000)
  })

  test('positions that cannot be loaded for now are asked for again; a fault is fatal', async () => {
    let asked = 0
    await using consumer = await consume([names.empty], () => {
      if (++asked < 3) throw Object.assign(new Error('database away'), { retriable: true })
      return [{ topic: names.empty, partition: 0, offset: 0n }]
    })
    await vi.waitFor(() => expect(consumer.values()).toEqual(['new']), 15_000)
    expect(asked).toBe(3)
    await using broken = await consume([names.empty], () => { throw new Error('a bug') })
    await vi.waitFor(() => expect(broken.fatal).toMatchObject({ code: 'ASSIGNMENT_FAILED' }), 15_000)
  })

  test('headers arrive with their first value, keys and values as bytes', async () => {
    await using producer = kafka.producer()
    const [at] = await producer.send([{ topic: names.plain, partition: 0, messages: [{ key: 'k', value: Buffer.from([0, 255]), headers: { one: '1', two: Buffer.from([2]) } }] }])
    await using consumer = await consume([names.plain], () => [{ topic: names.plain, partition: 0, offset: at!.baseOffset }])
    await vi.waitFor(() => expect(consumer.batches).toHaveLength(1), 15_000)
    expect(consumer.batches[0]!.messages[0]).toMatchObject({ offset: at!.baseOffset, key: Buffer.from('k'), value: Buffer.from([0, 255]), headers: { one: Buffer.from('1'), two: Buffer.from([2]) } })
  })
})

describe('the first record of each partition', () => {
  test('is found; empty partitions are left out', async () => {
    const first = await kafka.readFirst({ groupId: `${prefix}first`, topics: [names.wide, names.short], deadlineMs: 15_000 })
    expect([...first.keys()].sort()).toEqual([`${names.short}/0`, `${names.wide}/0`, `${names.wide}/1`, `${names.wide}/2`])
    expect(first.get(`${names.short}/0`)).toMatchObject({ offset: 0n, value: Buffer.from('1') })
  })

  test('nothing to read is answered at once', async () => {
    const topic = `${prefix}nothing`
    await admin.ensureTopics([{ topic, partitions: 2, replicationFactor: 1, settings: {} }])
    expect(await kafka.readFirst({ groupId: `${prefix}none`, topics: [topic], deadlineMs: 60_000 })).toEqual(new Map())
    await admin.deleteTopics([topic])
  })
})

describe('a broker that cannot be used', () => {
  test('a wrong password is named and not worth trying again', async () => {
    const wrong = createKafka({ brokers: inject('stack').kafka.brokers.split(','), clientId: prefix, username: 'zj', password: 'wrong' }, log)
    await expect(wrong.admin()).rejects.toMatchObject({ code: 'BROKER_LOGIN_REFUSED', retriable: false })
    await expect(wrong.subscribe({ groupId: `${prefix}x`, topics: [names.plain], load: () => Promise.resolve([]), onBatch() {}, onLogChanged() {}, onFatal() {} }))
      .rejects.toMatchObject({ code: 'BROKER_LOGIN_REFUSED', retriable: false })
  })
})

function batch(topic: string, partition: number, values: readonly string[]) {
  return { topic, partition, messages: values.map((value) => ({ key: 'k', value: Buffer.from(value) })) }
}

interface Consumed extends AsyncDisposable {
  readonly subscription: Subscription
  readonly batches: Batch[]
  readonly changed: { partition: number; stored: bigint; low: bigint; high: bigint }[]
  readonly fatal: unknown
  values(partition?: number): string[]
}

async function consume(
  topics: string[],
  load: (partitions: readonly { topic: string; partition: number }[]) => TopicPartitionOffset[],
  handle: (batch: Batch, signal: AbortSignal) => void | Promise<void> = () => {},
): Promise<Consumed> {
  const batches: Batch[] = []
  const changed: Consumed['changed'] = []
  let fatal: unknown
  const subscription = await kafka.subscribe({
    groupId: `${prefix}${randomBytes(4).toString('hex')}`,
    topics,
    load: async (partitions) => load(partitions),
    onBatch(one, { signal }) {
      batches.push(one)
      return handle(one, signal)
    },
    onLogChanged: ({ partition }, offsets) => changed.push({ partition, ...offsets }),
    onFatal: (error) => { fatal = error },
  })
  return {
    subscription,
    batches,
    changed,
    get fatal() { return fatal },
    values: (partition) => batches.filter((one) => partition === undefined || one.partition === partition).flatMap(({ messages }) => messages.map(({ value }) => value!.toString())),
    [Symbol.asyncDispose]: () => subscription.close(),
  }
}
