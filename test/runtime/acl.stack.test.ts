import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ProduceRefusedError } from '@hub/runtime/kafka'
import { REGIONS, STREAMS, topicName } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'

let fixture: Fixture
beforeAll(async () => { fixture = await openFixture() })
afterAll(() => fixture[Symbol.asyncDispose]())

test('Zhejiang writes each of its own topics and none of the others: the broker refuses', async () => {
  await using producer = fixture.kafka('zj').producer()
  for (const region of REGIONS) {
    for (const stream of STREAMS) {
      const topic = topicName(region, stream, fixture.prefix)
      const result = await producer.send([{ topic, partition: 0, messages: [{ key: 'k', value: Buffer.from('v') }] }]).catch((error: unknown) => error)
      if (region === 'zj') expect(result, topic).toMatchObject([{ topic, partition: 0 }])
      else expect(result, topic).toMatchObject({ name: 'ProduceRefusedError', code: 'PRODUCE_REFUSED_TOPIC_AUTHORIZATION_FAILED', retriable: false })
    }
  }
  await using admin = await fixture.kafka('admin').admin()
  const heights = await Promise.all(STREAMS.map(async (stream) => (await admin.offsets(topicName('sh', stream, fixture.prefix))).find(({ partition }) => partition === 0)?.high))
  expect(heights, 'the genesis record and nothing else').toEqual(STREAMS.map(() => 1n))
})

test('a request with a part for another region is refused, and that part is never on the log', async () => {
  await using producer = fixture.kafka('js').producer()
  const [own, other] = [topicName('js', 'tally', fixture.prefix), topicName('ah', 'tally', fixture.prefix)]
  const parts = [own, other].map((topic) => ({ topic, partition: 1, messages: [{ key: 'k', value: Buffer.from('v') }] }))
  await expect(producer.send(parts)).rejects.toBeInstanceOf(ProduceRefusedError)
  await using admin = await fixture.kafka('admin').admin()
  expect((await admin.offsets(other)).map(({ high }) => high)).toEqual([1n, 1n, 1n])
})

test('every region reads all topics, in groups of its own name alone', async () => {
  const seen = new Set<string>()
  const topics = REGIONS.map((region) => topicName(region, 'complaint', fixture.prefix))
  const options = {
    topics,
    load: (partitions: readonly { topic: string; partition: number }[]) => Promise.resolve(partitions.map((tp) => ({ ...tp, offset: 0n }))),
    onBatch: ({ topic }: { topic: string }) => { seen.add(topic) },
    onLogChanged() {},
  }
  await using _mine = await fixture.kafka('ah').subscribe({ ...options, groupId: `${fixture.prefix}ah.test`, onFatal() {} })
  await vi.waitFor(() => expect([...seen].sort()).toEqual(topics.toSorted()), 15_000)

  let refused: unknown
  const theirs = await fixture.kafka('ah').subscribe({ ...options, groupId: `${fixture.prefix}sh.test`, onFatal: (error) => { refused = error } }).catch((error: unknown) => error)
  await vi.waitFor(() => expect(refused ?? theirs).toBeInstanceOf(Error), 15_000)
  if (!(theirs instanceof Error)) await (theirs as AsyncDisposable)[Symbol.asyncDispose]()
})
