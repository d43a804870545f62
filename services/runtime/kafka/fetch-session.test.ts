import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { createFetchSession, type FetchTopic } from './fetch-session.ts'

const at = (topic: string, offsets: Record<number, number>): FetchTopic =>
  ({ topic, partitions: Object.entries(offsets).map(([partition, offset]) => ({ partition: Number(partition), fetchOffset: String(offset), maxBytes: 100 })) })

it('names every partition once, then what has moved, what is new and what is wanted no more', () => {
  const session = createFetchSession()
  const first = [at('a', { 0: 5, 1: 7 }), at('b', { 0: 1 })]
  expect(session.request(first)).toEqual({ sessionId: 0, sessionEpoch: 0, topics: first, forgottenTopics: [] })
  session.answered(42)
  expect(session.request(first)).toEqual({ sessionId: 42, sessionEpoch: 1, topics: [], forgottenTopics: [] })
  session.answered(42)
  expect(session.request([at('a', { 0: 5, 1: 9 }), at('c', { 3: 0 })])).toEqual({
    sessionId: 42, sessionEpoch: 2, topics: [at('a', { 1: 9 }), at('c', { 3: 0 })], forgottenTopics: [{ topic: 'b', partitions: [0] }],
  })
  session.answered(42)
  expect(session.request([at('a', { 1: 9 })]).forgottenTopics).toEqual([{ topic: 'a', partitions: [0] }, { topic: 'c', partitions: [3] }])
})

it('begins anew after an answer that never came, and with a broker that keeps no session', () => {
  const session = createFetchSession()
  const wanted = [at('a', { 0: 5 })]
  session.request(wanted)
  session.answered(42)
  session.request(wanted)
  session.lost()
  expect(session.request(wanted)).toEqual({ sessionId: 0, sessionEpoch: 0, topics: wanted, forgottenTopics: [] })
  session.answered(0)
  expect(session.request(wanted)).toEqual({ sessionId: 0, sessionEpoch: 0, topics: wanted, forgottenTopics: [] })
})

it('finds in kafkajs what it takes the place of', () => {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/broker') as { prototype: object }
  expect(Object.getOwnPropertySymbols(prototype).map(String)).toEqual(['Symbol(private:Broker:sendRequest)'])
})
