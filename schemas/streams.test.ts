import { expect, test } from 'vitest'
import { DATA_STREAMS, GB_CODES, PARTITIONS, REGIONS, STREAMS, allTopics, isDataStream, isRegion, topicName, topicsOf } from './streams.ts'

test('a topic belongs to one region and one stream, and no two share a name', () => {
  const topics = allTopics()
  expect(topics).toHaveLength(REGIONS.length * STREAMS.length)
  expect(new Set(topics.map(({ topic }) => topic)).size).toBe(topics.length)
  for (const { topic, region, stream } of topics) expect(topic).toBe(topicName(region, stream))
  expect(topicsOf('zj').map(({ topic }) => topic)).toEqual([
    'zj.complaint', 'zj.credit-blacklist', 'zj.inspection-failure', 'zj.recall', 'zj.tally', 'zj.checkpoint', 'zj.parked', 'zj.source-status', 'zj.announcement',
  ])
})

test('technical topics have one partition: their records are few and read in order', () => {
  for (const { stream, technical, partitions } of allTopics()) {
    expect(technical).toBe(!isDataStream(stream))
    expect(partitions).toBe(PARTITIONS[stream])
    if (technical) expect(partitions).toBe(1)
  }
})

test('the partition counts are those the topics were made with: another count would part a key from its history', () => {
  expect(PARTITIONS).toEqual({ complaint: 6, 'credit-blacklist': 3, 'inspection-failure': 3, recall: 3, tally: 3, checkpoint: 1, parked: 1, 'source-status': 1, announcement: 1 })
})

test('a prefix keeps the topics of a test apart', () => {
  expect(topicName('sh', 'complaint', 't1.')).toBe('t1.sh.complaint')
  expect(allTopics('t1.').every(({ topic }) => topic.startsWith('t1.'))).toBe(true)
})

test('names of regions and streams are told from others', () => {
  expect(REGIONS.map((region) => GB_CODES[region])).toEqual(['31', '32', '33', '34'])
  for (const region of REGIONS) expect(isRegion(region)).toBe(true)
  for (const stream of DATA_STREAMS) expect(isDataStream(stream)).toBe(true)
  for (const name of ['', 'SH', '31', 'checkpoint', 'constructor', '__proto__']) expect([isRegion(name), isDataStream(name)]).toEqual([false, false])
})
