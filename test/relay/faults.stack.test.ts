import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { PARTITIONS, topicName } from '@hub/schemas/streams'
import { openBrokerProxy } from './broker-proxy.ts'
import { eventually } from '../eventually.ts'
import { applyAgain, deleteTopic } from '../topics.ts'
import { openRelayHub, sequencesOf, valueOf, type RelayHub } from './hub.ts'

let fixture: Fixture
beforeAll(async () => { fixture = await openFixture({ settings: { 'max.message.bytes': '30000' } }) })
afterAll(() => fixture[Symbol.asyncDispose]())

const firstSeen = (sequences: readonly bigint[]): bigint[] => [...new Set(sequences)]
const dense = (sequences: readonly bigint[]): bigint[] => sequences.map((_, n) => BigInt(n))
const keys = (count: number): string[] => Array.from({ length: count }, (_, n) => `k${n}`)

async function sent(hub: RelayHub, one: { topic: string; partition: number }, sequences: readonly bigint[], deadlineMs?: number): Promise<void> {
  await eventually(`${one.topic}/${one.partition} is sent`, async () => (await hub.position(one)).last_sequence >= sequences.at(-1)!, deadlineMs)
}

describe('a partition that fails stands still alone, and visibly', () => {
  it('one whose log has no genesis is paused until it has one; the others go on', async () => {
    await recreate(fixture, topicName('sh', 'recall', fixture.prefix), PARTITIONS.recall)
    await using hub = await openRelayHub(fixture, 'sh')
    const bare = { topic: hub.topic('recall'), partition: 1 }
    const other = { topic: hub.topic('tally'), partition: 1 }
    const relay = await hub.relay()
    const waiting = await hub.publish(bare, keys(3))
    await sent(hub, other, await hub.publish(other, keys(3)))
    await eventually('paused', async () => (await hub.position(bare)).paused_reason?.startsWith('genesis-missing') === true)
    expect(await hub.log(bare)).toEqual([])
    expect(await valueOf(relay.metrics, 'hub_relay_paused_partitions')).toBe(3)
    expect((await relay.health()).find(({ name }) => name === 'relay partitions')).toMatchObject({ ok: false, detail: expect.stringContaining('hub topics apply') })

    await applyAgain(fixture)
    await sent(hub, bare, waiting)
    expect((await hub.log(bare)).map(({ key }) => key!.toString()).filter((key) => key !== 'heartbeat')).toEqual(['genesis', 'k0', 'k1', 'k2'])
    await eventually('it goes on', async () => (await hub.position(bare)).paused_reason === null)
  })

  it('one whose topic was created anew is paused and says so', async () => {
    await using hub = await openRelayHub(fixture, 'js')
    const one = { topic: hub.topic('recall'), partition: 0 }
    await hub.relay()
    await sent(hub, one, await hub.publish(one, keys(200)))
    const before = await hub.position(one)
    await deleteTopic(fixture, hub.topic('recall'))
    // Until it knows, it might write to the new log before that has its genesis.
    await eventually('the relay has noticed', async () => (await hub.position(one)).paused_reason?.startsWith('topic-missing') === true, 40_000)
    await applyAgain(fixture)
    await hub.publish(one, keys(1))
    await eventually('paused', async () => (await hub.position(one)).paused_reason?.startsWith('generation-changed') === true, 40_000)
    const after = await hub.position(one)
    expect(after.generation).toBe(before.generation)
    expect(after.paused_reason).toContain(before.generation)
  })

  it('one that the broker refuses is found among the others', async () => {
    await using hub = await openRelayHub(fixture, 'zj')
    const refused = { topic: hub.topic('complaint'), partition: 3 }
    const others = [0, 1, 2, 4].map((partition) => ({ topic: hub.topic('complaint'), partition }))
    await hub.relay()
    const small = await hub.publish(refused, ['small'])
    await sent(hub, refused, small)
    const published = await Promise.all([hub.publish(refused, ['large'], 50_000), ...others.map((one) => hub.publish(one, keys(5)))])
    for (const [n, one] of others.entries()) await sent(hub, one, published[n + 1]!)
    await eventually('paused', async () => (await hub.position(refused)).paused_reason?.startsWith('refused') === true)
    expect((await hub.position(refused)).paused_reason).toContain('MESSAGE_TOO_LARGE')
    // It is tried again apart from the others, whose events are on the log once.
    await sent(hub, others[0]!, await hub.publish(others[0]!, keys(5)))
    expect((await hub.log(refused)).map(({ key }) => key!.toString())).not.toContain('large')
  })

  it('a row missing in the outbox is a detected loss: nothing above it is sent', async () => {
    await using hub = await openRelayHub(fixture, 'ah')
    const one = { topic: hub.topic('tally'), partition: 2 }
    const other = { topic: hub.topic('tally'), partition: 0 }
    const sequences = await hub.publish(one, keys(10))
    await hub.db.query('DELETE FROM outbox WHERE topic = $1 AND partition = $2 AND sequence = $3', [one.topic, one.partition, sequences[6]!])
    await hub.relay()
    await sent(hub, other, await hub.publish(other, keys(3)))
    await eventually('paused', async () => (await hub.position(one)).paused_reason?.startsWith('sequence-gap') === true)
    expect((await hub.position(one)).last_sequence).toBe(sequences[5])
    expect((await hub.log(one)).map(({ key }) => key!.toString())).toEqual(keys(6))
  })

  it('a loss at the end of the outbox is detected too', async () => {
    await using hub = await openRelayHub(fixture, 'ah')
    const one = { topic: hub.topic('recall'), partition: 2 }
    await hub.publish(one, keys(4))
    await hub.db.query('DELETE FROM outbox WHERE topic = $1 AND partition = $2', [one.topic, one.partition])
    await hub.relay()
    await eventually('paused', async () => (await hub.position(one)).paused_reason?.startsWith('sequence-gap') === true)
  })
})

describe('a broker that does not answer', () => {
  it('holds no publisher, loses nothing, and what waited drains by itself', async () => {
    await using proxy = await openBrokerProxy(fixture.brokers[0]!)
    await using hub = await openRelayHub(fixture, 'ah')
    const one = { topic: hub.topic('complaint'), partition: 1 }
    const relay = await hub.relay({ brokers: [proxy.address] })
    await sent(hub, one, await hub.publish(one, keys(50)))
    proxy.mode = 'lose-answers'
    const inTheDark = [await hub.publish(one, keys(100)), await hub.publish(one, keys(100))].at(-1)!
    await eventually('the outcome is unknown', async () => await valueOf(relay.metrics, 'hub_relay_unknown_outcomes_total') >= 1, 30_000)
    expect((await relay.health()).find(({ name }) => name === 'relay broker')).toMatchObject({ ok: false })
    proxy.mode = 'open'
    await sent(hub, one, inTheDark, 30_000)
    await sent(hub, one, await hub.publish(one, keys(50)))
    await eventually('healthy', async () => (await relay.health()).every(({ ok }) => ok))
    const sequences = sequencesOf(await hub.log(one))
    expect(firstSeen(sequences)).toEqual(dense(firstSeen(sequences)))
    expect(firstSeen(sequences).length).toBeGreaterThanOrEqual(300)
    expect(relay.failures).toEqual([])
  })
})

async function recreate(of: Fixture, topic: string, partitions: number): Promise<void> {
  await deleteTopic(of, topic)
  await using admin = await of.kafka('admin').admin()
  await admin.ensureTopics([{ topic, partitions, replicationFactor: -1, settings: { 'cleanup.policy': 'compact' } }])
}
