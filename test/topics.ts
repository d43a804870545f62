import kafkajs from 'kafkajs'
import { applyTopics } from '@hub/cli/topics'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { eventually } from './eventually.ts'
import type { Fixture } from './fixture.ts'

const { ConfigResourceTypes, Kafka: KafkaJs, logLevel } = kafkajs

/** Runs `hub topics apply` for the topics of a fixture. */
export async function applyAgain(fixture: Fixture): Promise<void> {
  await applyTopics({
    kafka: fixture.kafka('admin'), registryUrl: fixture.registryUrl, cacheDir: await fixture.stateDir(), topicPrefix: fixture.prefix,
    principals: Object.fromEntries(REGIONS.map((region) => [region, `User:${fixture.credentials(region).username}`])) as Record<Region, string>,
  })
}

export async function deleteTopic(fixture: Fixture, topic: string): Promise<void> {
  await using admin = await fixture.kafka('admin').admin()
  await admin.deleteTopics([topic])
  await eventually('the topic is gone', async () => !(await admin.topics()).some((one) => one.topic === topic))
}

/** An administrator of the broker, connected until disposed. */
export async function openAdmin(fixture: Fixture): Promise<kafkajs.Admin & AsyncDisposable> {
  const admin = adminOf(fixture)
  await admin.connect()
  return Object.assign(admin, { [Symbol.asyncDispose]: () => admin.disconnect() })
}

/** Who leads each partition of a topic, and which brokers have all of it. */
export async function partitionsOf(admin: kafkajs.Admin, topic: string): Promise<kafkajs.PartitionMetadata[]> {
  return (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions.toSorted((a, b) => a.partitionId - b.partitionId)
}

/** What has the broker compact a topic within a second, again and again. */
export const COMPACT_AT_ONCE = { 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.01', 'min.compaction.lag.ms': '0', 'max.compaction.lag.ms': '500', 'delete.retention.ms': '100' }

/** Has the broker compact topics from now on as fast as it can. */
export async function compactAtOnce(fixture: Fixture, topics: readonly string[]): Promise<void> {
  await using admin = await openAdmin(fixture)
  const configEntries = Object.entries({ 'cleanup.policy': 'compact', ...COMPACT_AT_ONCE }).map(([name, value]) => ({ name, value }))
  await admin.alterConfigs({ validateOnly: false, resources: topics.map((name) => ({ type: ConfigResourceTypes.TOPIC, name, configEntries })) })
}

/** Has the broker forget a partition's events below an offset, as a wrong setting of the topic would; one that is only compacted refuses it. */
export async function forgetBelow(fixture: Fixture, topic: string, partition: number, offset: number): Promise<void> {
  await using admin = await openAdmin(fixture)
  const policy = (value: string) => admin.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'cleanup.policy', value }] }] })
  await admin.fetchTopicOffsets(topic) // without it the metadata are not loaded
  await policy('compact,delete')
  await eventually('the events are forgotten', () => admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] }).then(() => true))
  await policy('compact')
}

function adminOf(fixture: Fixture): kafkajs.Admin {
  const { username, password } = fixture.credentials('admin')
  return new KafkaJs({ brokers: fixture.brokers, sasl: { mechanism: 'scram-sha-512', username, password }, logLevel: logLevel.NOTHING }).admin()
}
