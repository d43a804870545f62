import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FAILPOINTS, type FailpointName } from '@hub/runtime/failpoint'
import { topicName, type Region } from '@hub/schemas/streams'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { expireLeases, spawnStruck } from './struck.ts'

/** The region whose operator acts, and the one that publishes meanwhile. */
const [HERE, OTHER]: readonly [Region, Region] = ['sh', 'zj']

let hub: Hub
let topic: string
beforeAll(async () => {
  hub = await openHub({ regions: [OTHER] })
  await hub.prepare(HERE)
  topic = topicName(OTHER, 'complaint', hub.fixture.prefix)
  await using producer = hub.fixture.kafka(OTHER).producer()
  await producer.send([{ topic, partition: 1, messages: [{ key: 'poison', value: Buffer.from('not an event') }] }])
  await hub.publish(OTHER, 'complaint', complaints(3_000, 90, OTHER))
})
afterAll(() => hub?.[Symbol.asyncDispose]())

/** What is asked for, at which pass of which point the process that does it is killed, and what came of it in the end. */
const ACTS: readonly { readonly point: FailpointName; readonly at: number; readonly ask: string; readonly outcome: string; readonly expected: object }[] = [
  { point: 'act.redriven', at: 1, ask: `INSERT INTO redrive_request (topic, who, why) VALUES ($1, 'test', 'act.redriven')`, outcome: 'redrive_request', expected: { parked: 1, gone: 0 } },
  { point: 'act.repaired', at: 1, ask: `INSERT INTO scrub_request (kind, topic, who, why) VALUES ('repair', $1, 'test', 'act.repaired')`, outcome: 'scrub_request', expected: { different: 0 } },
  { point: 'act.cleared', at: 3, ask: `INSERT INTO scrub_request (kind, topic, who, why) VALUES ('rebuild', $1, 'test', 'act.cleared')`, outcome: 'scrub_request', expected: { partitions: expect.any(Array) } },
  { point: 'act.rebuilt', at: 3, ask: `INSERT INTO scrub_request (kind, topic, who, why) VALUES ('rebuild', $1, 'test', 'act.rebuilt')`, outcome: 'scrub_request', expected: { partitions: expect.any(Array) } },
]

test('every act of an operator is struck, here or where its situation is made', () => {
  const elsewhere: readonly FailpointName[] = ['act.republished', 'act.recovered', 'act.recovery-written']
  expect([...ACTS.map(({ point }) => point), ...elsewhere].sort()).toEqual(FAILPOINTS.filter((point) => point.startsWith('act.')).sort())
})

test.each(ACTS.map((act) => [act.point, act] as const))('killed at %s: whoever takes over ends what was asked for, once, and the replica is right', { timeout: 120_000 }, async (_name, { point, at, ask, outcome, expected }) => {
  const { child, struck } = await spawnStruck(hub, HERE, { point, at, action: 'exit' })
  await hub.settled(60_000)
  if (point === 'act.repaired') await hub.db(HERE).query(`UPDATE complaint SET state = 'withdrawn' WHERE record_id IN (SELECT record_id FROM complaint WHERE region = $1 ORDER BY record_id LIMIT 3)`, [OTHER])
  await hub.db(HERE).query(ask, [topic])
  await struck()
  if (child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  await expireLeases(hub, HERE)
  await hub.publish(OTHER, 'complaint', complaints(300, 91 + ACTS.findIndex((one) => one.point === point), OTHER))
  const successor = await hub.spawn(HERE)
  const done = await eventually('it is done', async () => (await hub.db(HERE).query<{ outcome: object | null }>(`SELECT outcome FROM ${outcome} WHERE why = $1`, [point])).rows[0]?.outcome, 60_000)
  expect(done).toMatchObject(expected)
  await eventually('every partition is there again', async () => (await hub.db(HERE).query('SELECT FROM partition_state WHERE topic = $1 AND paused_reason IS NULL', [topic])).rows.length === 6)
  await hub.settled(60_000)
  await hub.expectEqual({ poison: 1 })
  const gone = once(successor, 'exit')
  successor.kill('SIGKILL')
  await gone
  await expireLeases(hub, HERE)
})
