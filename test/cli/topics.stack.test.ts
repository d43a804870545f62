import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Settings } from '@hub/cli/settings'
import type { TopicsReport } from '@hub/cli/topics'
import { ProduceRefusedError } from '@hub/runtime/kafka'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { allTopics, REGIONS, topicName, topicsOf } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { runHub } from './run-hub.ts'

let fixture: Fixture
let settings: Settings

beforeAll(async () => {
  fixture = await openFixture()
  settings = settingsOf(fixture)
})
afterAll(() => fixture[Symbol.asyncDispose]())

describe('hub topics apply', () => {
  it('applied again changes nothing and finds nothing to report', async () => {
    const { exit, json } = await runHub(settings, ['topics', 'apply'])
    const report = json as TopicsReport
    expect(exit).toBe(0)
    expect(report.topics).toHaveLength(36)
    expect(report.topics.filter(({ created, genesis }) => created || genesis > 0)).toEqual([])
    expect(report).toMatchObject({ acls: { added: 0, enforced: true }, problems: [] })
  })

  it('every partition begins with its own genesis and holds nothing else', async () => {
    const first = await fixture.kafka('admin').readFirst({ groupId: `${fixture.prefix}genesis`, topics: allTopics(fixture.prefix).map(({ topic }) => topic), deadlineMs: 20_000 })
    expect(first.size).toBe(88)
    for (const record of first.values()) {
      expect(record).toMatchObject({ offset: 0n, key: Buffer.from('genesis') })
      expect(record.headers['sequence']).toBeUndefined()
    }
    await using admin = await fixture.kafka('admin').admin()
    for (const { topic } of topicsOf('zj', fixture.prefix)) expect((await admin.offsets(topic)).every(({ low, high }) => low === 0n && high === 1n)).toBe(true)
  })

  it('a topic with other settings, other partitions or without genesis is reported and left as it is', async () => {
    const prefix = `${fixture.prefix}odd-`
    const topic = topicName('sh', 'recall', prefix)
    await using admin = await fixture.kafka('admin').admin()
    await admin.ensureTopics([{ topic, partitions: 2, replicationFactor: 1, settings: { 'cleanup.policy': 'delete' } }])
    await using producer = fixture.kafka('admin').producer()
    await producer.send([{ topic, partition: 0, messages: [{ key: 'x', value: Buffer.from('x') }] }])
    try {
      const { exit, json } = await runHub({ ...settings, topicPrefix: prefix }, ['topics', 'apply'])
      const problems = (json as TopicsReport).problems.map((problem) => `${problem.topic}: ${problem.en}`).join('\n')
      expect(exit).toBe(3)
      expect(problems).toMatch(/has 2 partitions instead of 3/)
      expect(problems).toMatch(/cleanup\.policy is delete instead of compact/)
      expect(problems).toMatch(/partition 0 does not begin with its genesis/)
      expect((await admin.topics()).find((one) => one.topic === topic)?.partitions).toBe(2)
    } finally {
      await admin.deleteTopics(allTopics(prefix).map((one) => one.topic))
    }
  })

  it('a broker that is not there ends with 3', async () => {
    const { exit } = await runHub({ ...settings, kafka: { brokers: ['127.0.0.1:1'] } }, ['topics', 'apply'])
    expect(exit).toBe(3)
  }, 40_000)
})

describe('one writer per topic (security reference 2.3)', () => {
  it.each(REGIONS)('%s writes each of its own topics and none of the others', async (region) => {
    await using producer = fixture.kafka(region).producer()
    for (const other of REGIONS) {
      for (const { topic } of topicsOf(other, fixture.prefix)) {
        const sent = producer.send([{ topic, partition: 0, messages: [{ key: 'acl', value: Buffer.from('acl') }] }])
        if (other === region) await sent
        else await expect(sent, topic).rejects.toThrow(ProduceRefusedError)
      }
    }
  })

  it.each(REGIONS)('%s can create no topic and give no rights', async (region) => {
    await using admin = await fixture.kafka(region).admin()
    await expect(admin.ensureTopics([{ topic: `${fixture.prefix}${region}.more`, partitions: 1, replicationFactor: 1, settings: {} }])).rejects.toMatchObject({ errors: [{ type: 'TOPIC_AUTHORIZATION_FAILED' }] })
    await expect(admin.createAcls([{ principal: `User:${region}`, resource: 'topic', name: fixture.prefix, pattern: 'prefixed', operations: ['write'] }])).rejects.toMatchObject({ type: 'CLUSTER_AUTHORIZATION_FAILED' })
  })

  it('a wrong password gets nowhere', async () => {
    const { exit, json } = await runHub({ ...settings, regions: { zj: { keys: {}, kafka: { ...fixture.credentials('zj'), password: 'guessed' } } } }, ['doctor'])
    expect(exit).toBe(3)
    expect((json as { findings: { name: string, state: string }[] }).findings.find(({ name }) => name === 'broker login zj')).toMatchObject({ state: 'missing' })
  })
})

describe('hub schemas', () => {
  it('register finds every contract present the second time, check finds them compatible', async () => {
    const { exit, json } = await runHub(settings, ['schemas', 'register'])
    expect(exit).toBe(0)
    expect((json as { added: boolean }[]).map(({ added }) => added)).toEqual(ALL_CONTRACTS.map(() => false))
    expect(await runHub(settings, ['schemas', 'check'])).toMatchObject({ exit: 0, json: { compatible: true, problems: [] } })
  })

  it('a registry that is not there ends with 3; the released versions are compared without it', async () => {
    const without: Settings = { ...settings, registryUrl: 'http://127.0.0.1:1' }
    expect(await runHub(without, ['schemas', 'check'])).toMatchObject({ exit: 3 })
    expect(await runHub(without, ['schemas', 'check', '--offline'])).toMatchObject({ exit: 0 })
  })
})

function settingsOf({ brokers, registryUrl, prefix, credentials }: Fixture): Settings {
  return {
    kafka: { brokers, admin: credentials('admin') }, registryUrl, topicPrefix: prefix,
    regions: Object.fromEntries(REGIONS.map((region) => [region, { keys: {}, kafka: credentials(region) }])),
  }
}
