import { randomUUID } from 'node:crypto'
import { createCodec, type Codec } from '@hub/runtime/codec'
import type { OrderedProducer } from '@hub/runtime/kafka'
import { ALL_CONTRACTS, contractFor } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { partitionOf } from '@hub/schemas/partition'
import { type DataStream, PARTITIONS, type Region, type Stream, topicName } from '@hub/schemas/streams'
import type { Fixture } from '@hub/test/fixture'

/** What goes onto the log as it is. */
export interface Raw {
  readonly topic: string
  readonly partition: number
  readonly key: string | Buffer
  /** Kafka's own null is not sent by the producer, an empty value is. */
  readonly value: Buffer
  readonly headers?: Record<string, string | Buffer>
}

export interface Version {
  readonly region?: Region
  readonly stream?: DataStream
  readonly no: string
  readonly version: number
  readonly kind?: string
  /** Something to tell two bodies of one version apart. */
  readonly fen?: number
  readonly fields?: Record<string, unknown>
}

/** Writes straight to the log, as a relay would and as none would. Sequences are dense per partition unless a raw event brings its own. */
export interface Log extends AsyncDisposable {
  readonly codec: Codec
  topic(region: Region, stream: Stream): string
  version(version: Version): Promise<Raw>
  heartbeats(region: Region, number: number, streams?: readonly DataStream[]): Promise<Raw[]>
  /** Gives each event its place, in order. */
  append(events: readonly Raw[]): Promise<{ topic: string; partition: number; offset: number }[]>
  /** The same without a sequence header of ours. */
  appendBare(events: readonly Raw[]): Promise<{ topic: string; partition: number; offset: number }[]>
}

export async function openLog(fixture: Fixture): Promise<Log> {
  const codec = await createCodec({ registryUrl: fixture.registryUrl, cacheDir: await fixture.stateDir(), contracts: ALL_CONTRACTS, guard: createGuard, log: fixture.log })
  const producer: OrderedProducer = fixture.kafka('admin').producer()
  const sequences = new Map<string, number>()
  const topic = (region: Region, stream: Stream): string => topicName(region, stream, fixture.prefix)

  const log: Log = {
    codec,
    topic,
    async version({ region = 'zj', stream = 'complaint', no, version, kind = 'original', fen, fields }) {
      const contract = contractFor(stream, kind)
      const recordId = `t12315/${no}`
      const day = 20_000 + (version % 300)
      const record = {
        eventId: randomUUID(), recordId, version, kind, region, authority: { code: null, name: null, rawName: '城东市场监督管理局' }, occurredOn: day,
        recordedAt: day * 86_400_000, legalBasis: '消费者权益保护法', ...(stream === 'complaint' && { registeredOn: day, state: 'accepted', disputedFen: fen ?? version }), ...fields,
      }
      const { encode } = await codec.writer(contract.fullName)
      return { topic: topic(region, stream), partition: partitionOf(recordId, PARTITIONS[stream]), key: recordId, value: encode(record), headers: { ce_type: contract.fullName } }
    },
    async heartbeats(region, number, streams = ['complaint']) {
      const { encode } = await codec.writer('cn.yrd.control.Heartbeat')
      const value = encode({ number, committedAt: 1_790_000_000_000 + number * 2_000 })
      return streams.flatMap((stream) => Array.from({ length: PARTITIONS[stream] }, (_, partition) => ({ topic: topic(region, stream), partition, key: 'heartbeat', value, headers: { 'delay-ms': '3' } })))
    },
    append(events) {
      return log.appendBare(events.map((event) => {
        const key = `${event.topic}/${event.partition}`
        const sequence = sequences.get(key) ?? 0
        sequences.set(key, sequence + 1)
        return { ...event, headers: { ...event.headers, sequence: String(sequence) } }
      }))
    },
    async appendBare(events) {
      const groups = [...Map.groupBy(events.map((event, index) => ({ event, index })), ({ event }) => `${event.topic}/${event.partition}`).values()]
      const places: { topic: string; partition: number; offset: number }[] = []
      const produced = await producer.send(groups.map((group) => ({
        topic: group[0]!.event.topic, partition: group[0]!.event.partition, messages: group.map(({ event: { key, value, headers } }) => ({ key, value, ...(headers && { headers }) })),
      })))
      for (const group of groups) {
        const { topic: name, partition } = group[0]!.event
        const base = produced.find((one) => one.topic === name && one.partition === partition)!.baseOffset
        for (const [n, { index }] of group.entries()) places[index] = { topic: name, partition, offset: Number(base) + n }
      }
      return places
    },
    [Symbol.asyncDispose]: () => producer.close(),
  }
  return log
}
