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

/** Has the broker forget a partition's events below an offset, as a wrong setting of the topic would; one that is only compacted refuses it. */
export async function forgetBelow(fixture: Fixture, topic: string, partition: number, offset: number): Promise<void> {
  const { username, password } = fixture.credentials('admin')
  const admin = new KafkaJs({ brokers: fixture.brokers, sasl: { mechanism: 'scram-sha-512', username, password }, logLevel: logLevel.NOTHING }).admin()
  const policy = (value: string) => admin.alterConfigs({ validateOnly: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'cleanup.policy', value }] }] })
  try {
    await admin.connect()
    await admin.fetchTopicOffsets(topic) // without it the metadata are not loaded
    await policy('compact,delete')
    await eventually('the events are forgotten', () => admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] }).then(() => true))
    await policy('compact')
  } finally {
    await admin.disconnect()
  }
}
