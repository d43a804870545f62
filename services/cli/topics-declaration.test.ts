import { expect, it } from 'vitest'
import { checkDeclaration } from './topics-declaration.ts'
import { readDeclaration } from './topics.ts'

const streams = { complaint: 6, 'credit-blacklist': 3, 'inspection-failure': 3, recall: 3, tally: 3, checkpoint: 1, parked: 1, 'source-status': 1, announcement: 1 }

it('infra/topics.yaml declares the streams and partition counts that the services compute with', async () => {
  const { settings } = await readDeclaration()
  expect(settings).toMatchObject({ 'cleanup.policy': 'compact', 'retention.ms': '-1', 'min.compaction.lag.ms': '86400000', 'max.compaction.lag.ms': '259200000', 'max.message.bytes': '2097152' })
})

it('a declaration with another partition count, an unknown stream or a number where Kafka wants a text is refused, with every problem named', () => {
  const given = { replicationFactor: 1, settings: { 'retention.ms': -1 }, streams: { ...streams, complaint: 12, rumour: 1 } }
  expect(() => checkDeclaration(given)).toThrow(/settings\.retention\.ms.*streams\.complaint: 6 partitions.*streams\.rumour/s)
})
