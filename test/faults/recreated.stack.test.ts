import { afterAll, beforeAll, expect, test } from 'vitest'
import { say } from '@hub/announcer/store/acts'
import { createCodec } from '@hub/runtime/codec'
import { migrate } from '@hub/runtime/db'
import { createLog } from '@hub/runtime/log'
import { createWakeup } from '@hub/runtime/wakeup'
import { ALL_CONTRACTS } from '@hub/schemas/contracts'
import { createGuard } from '@hub/schemas/guard'
import { partitionOf } from '@hub/schemas/partition'
import { PARTITIONS, topicName, type Region } from '@hub/schemas/streams'
import { runHub, settingsOf } from '../cli/run-hub.ts'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { applyAgain, deleteTopic, forgetBelow } from '../topics.ts'
import { startLoad, type Load } from './load.ts'
import { expireLeases, spawnStruck } from './struck.ts'

/** The origin, whose topic is lost, and another region, which publishes all the time. */
const [ORIGIN, OTHER]: readonly [Region, Region] = ['zj', 'sh']
const WHY = 'the topic was created anew'

let hub: Hub
let load: Load
let topic: string
beforeAll(async () => {
  hub = await openHub({ regions: [ORIGIN, OTHER] })
  topic = topicName(ORIGIN, 'complaint', hub.fixture.prefix)
  load = startLoad(hub, OTHER, 71, 200)
})
afterAll(async () => {
  await load?.stop().catch(() => {})
  await hub?.[Symbol.asyncDispose]()
})

/** One version each: superseded ones go with the log that had them. */
const published = [...complaints(2_000, 70, ORIGIN)].filter(({ kind }) => kind === 'original')
const command = (...args: string[]) => runHub(settingsOf(hub, [ORIGIN, OTHER]), [...args, '--yes'])
const reasons = async (region: Region): Promise<(string | null)[]> => (await hub.db(region).query<{ reason: string | null }>('SELECT paused_reason AS reason FROM consumer_offset WHERE topic = $1 ORDER BY partition', [topic])).rows.map(({ reason }) => reason)
const relayReasons = async (): Promise<(string | null)[]> => (await hub.db(ORIGIN).query<{ reason: string | null }>('SELECT paused_reason AS reason FROM relay_position WHERE topic = $1 ORDER BY partition', [topic])).rows.map(({ reason }) => reason)
const positions = async (region: Region) => (await hub.db(region).query('SELECT partition, generation, next_offset, applied, digest_hi, digest_lo FROM consumer_offset WHERE topic = $1 ORDER BY partition', [topic])).rows
const replicaId = async (region: Region): Promise<string> => (await hub.db(region).query<{ id: string }>('SELECT replica_id::text AS id FROM applier')).rows[0]!.id

/** Starts a region that does not get ready, because a partition stands still. */
function begin(region: Region): void {
  hub.start(region).catch(() => {})
}

test('a log whose beginning is gone is not used, whatever position is kept of it', { timeout: 120_000 }, async () => {
  const partition = partitionOf(published[0]!.recordId, PARTITIONS.complaint)
  await hub.publish(ORIGIN, 'complaint', published.slice(0, 300))
  await load.stop()
  await hub.settled(60_000)
  await hub.stop(OTHER)
  const before = await positions(OTHER)
  await hub.publish(ORIGIN, 'complaint', published.slice(300, 400))
  const end = await eventually('the origin has them', async () => {
    const { rows: [at] } = await hub.db(ORIGIN).query<{ next: bigint }>('SELECT next_offset AS next FROM partition_state WHERE topic = $1 AND partition = $2 AND lag = 0', [topic, partition])
    return at !== undefined && at.next > BigInt(before[partition]!['next_offset'] as bigint) + 5n ? at.next : undefined
  })
  await forgetBelow(hub.fixture, topic, partition, Number(end))
  begin(OTHER)
  await eventually('it stands still', async () => (await reasons(OTHER))[partition]?.startsWith('no-genesis') === true, 60_000)
  expect((await positions(OTHER))[partition]).toEqual(before[partition])
  load = startLoad(hub, OTHER, 72, 200)
})

test('the origin publishes everything again, the others rebuild while their other topics go on, and all are equal', { timeout: 300_000 }, async () => {
  await deleteTopic(hub.fixture, topic)
  await eventually('the relay has noticed', async () => (await relayReasons()).every((reason) => /^(topic-missing|genesis-missing)/.test(reason ?? '')), 90_000)
  // Taken in while there is no topic: what waits goes to the new log by itself.
  await hub.publish(ORIGIN, 'complaint', published.slice(400, 450))
  await applyAgain(hub.fixture)
  await eventually('the relay does not use the new log', async () => (await relayReasons()).every((reason) => reason?.startsWith('generation-changed')), 90_000)
  // What it would notice within a minute it notices at its start.
  await hub.stop(ORIGIN)
  const killed = await spawnStruck(hub, ORIGIN, { point: 'act.republished', at: 3, action: 'exit' }, { ready: false })
  await eventually('neither does a replica', async () => (await Promise.all([ORIGIN, OTHER].map((region) => reasons(region as Region)))).flat().every((reason) => reason?.startsWith('other-generation')), 120_000)
  const before = await positions(OTHER)
  const ids = await Promise.all([replicaId(ORIGIN), replicaId(OTHER)])

  // An event that was on the old log alone, and that the origin's own replica never got.
  const lost = published[3]!.recordId
  await hub.db(ORIGIN).query('DELETE FROM complaint WHERE record_id = $1', [lost])

  const early = await command('rebuild', 'zj.complaint', '--region', ORIGIN, '--why', WHY)
  expect(early).toMatchObject({ exit: 1, json: { replicas: [{ partitions: expect.arrayContaining([expect.objectContaining({ rows: 0, refused: expect.stringContaining('hub republish') })]) }] } })
  // Killed in the middle of it; the command takes up what is left.
  await hub.db(ORIGIN).query(`INSERT INTO relay_request (kind, topic, who, why) VALUES ('republish', $1, 'test', $2)`, [topic, WHY])
  await killed.struck()
  await expireLeases(hub, ORIGIN)
  begin(ORIGIN)
  const again = await command('republish', 'zj.complaint', '--why', WHY)
  expect(again).toMatchObject({ exit: 1, json: { region: ORIGIN, refused: [] } })
  const partitions = (again.json as { partitions: { published: number; waiting: number; lost: number; records: string[] }[] }).partitions
  expect(partitions.flatMap(({ records }) => records)).toEqual([lost])
  expect(partitions.reduce((sum, { published: n }) => sum + n, 0)).toBe(399)
  // The log grows past the positions that were kept of the one before.
  await hub.publish(ORIGIN, 'complaint', published.slice(450))
  await eventually('everything is on the new log', async () => (await hub.db(ORIGIN).query(
    'SELECT FROM relay_position p JOIN outbox_head h USING (topic, partition) WHERE topic = $1 AND (paused_reason IS NOT NULL OR next_sequence - last_sequence > 3)', [topic])).rows.length === 0)
  expect(await positions(OTHER)).toEqual(before)

  const bystander = load.published
  for (const region of [ORIGIN, OTHER]) {
    const rebuilt = await command('rebuild', 'zj.complaint', '--region', region, '--why', WHY)
    expect(rebuilt).toMatchObject({ exit: 0, json: { replicas: [{ region, partitions: expect.arrayContaining([expect.objectContaining({ refused: null })]) }] } })
  }
  expect((await hub.publish(ORIGIN, 'complaint', [published[3]!])).summary).toMatchObject({ accepted: 1 })
  await eventually('publishing of the other topics goes on', () => load.published > bystander)
  await load.stop()
  await hub.settled(60_000)
  await hub.expectEqual()
  expect((await Promise.all([ORIGIN, OTHER].map((region) => reasons(region as Region)))).flat()).toEqual(Array.from({ length: 2 * PARTITIONS.complaint }, () => null))
  expect(await replicaId(ORIGIN)).not.toBe(ids[0])
  expect(await replicaId(OTHER)).not.toBe(ids[1])
  const { rows: acts } = await hub.db(ORIGIN).query<{ what: string }>(`SELECT DISTINCT what FROM audit ORDER BY what`)
  expect(acts.map(({ what }) => what)).toEqual(['rebuild', 'republish'])
})

test('an announcement topic: what the region did in announcements is on the new log, and what was on the old one alone is said again', { timeout: 240_000 }, async () => {
  const acts = topicName(ORIGIN, 'announcement', hub.fixture.prefix)
  const codec = await createCodec({ registryUrl: hub.fixture.registryUrl, cacheDir: await hub.fixture.stateDir(), contracts: ALL_CONTRACTS, guard: createGuard, log: createLog({ service: 'test', level: 'silent' }) })
  await migrate(hub.db(ORIGIN), 'announcer', new URL('../../services/announcer/migrations/', import.meta.url))
  const speaker = { db: hub.db(ORIGIN), codec, region: ORIGIN, topicPrefix: hub.fixture.prefix, wakeup: createWakeup() }
  const retract = (year: number): Promise<boolean> => say(speaker, { campaign: '315', year, edition: 2 }, 'retract', 'retract', { reason: `因故撤回 ${year}` })
  const years = Array.from({ length: 45 }, (_, i) => 2001 + i)
  for (const year of years) expect(await retract(year)).toBe(true)
  const kept = async (region: Region) => (await hub.db(region).query('SELECT campaign, year, region, number, edition, at, says, body FROM announcement_act ORDER BY year')).rows
  await eventually('both have them', async () => (await Promise.all([kept(ORIGIN), kept(OTHER)])).every((rows) => rows.length === years.length) || undefined, 30_000)
  const before = await kept(ORIGIN)

  // What it would notice within a minute it notices at its start.
  await hub.stop(ORIGIN)
  await deleteTopic(hub.fixture, acts)
  await applyAgain(hub.fixture)
  begin(ORIGIN)
  const relay = async (): Promise<string | null | undefined> => (await hub.db(ORIGIN).query<{ reason: string | null }>('SELECT paused_reason AS reason FROM relay_position WHERE topic = $1', [acts])).rows[0]?.reason
  await eventually('the relay does not use the new log', async () => (await relay())?.startsWith('generation-changed') || undefined, 90_000)
  // One that this replica never got: it was on the old log alone.
  await hub.db(ORIGIN).query('DELETE FROM announcement_act WHERE year = 2001')
  expect(await command('republish', 'zj.announcement', '--why', WHY)).toMatchObject({ exit: 1, json: { partitions: [{ published: 44, lost: 1, records: ['315/2001/2/1'] }] } })
  expect(await Promise.all([retract(2001), retract(2002)])).toEqual([true, false])
  // A replica that has nothing of it reads it from the new log.
  await hub.db(OTHER).query('DELETE FROM announcement_act')
  await eventually('all of it is on the new log', async () => (await hub.db(ORIGIN).query('SELECT FROM relay_position p JOIN outbox_head h USING (topic, partition) WHERE topic = $1 AND (paused_reason IS NOT NULL OR next_sequence - last_sequence > 1)', [acts])).rows.length === 0 || undefined, 30_000)
  for (const region of [ORIGIN, OTHER]) expect(await command('rebuild', 'zj.announcement', '--region', region, '--why', WHY)).toMatchObject({ exit: 0 })
  await eventually('both have them again', async () => (await Promise.all([kept(ORIGIN), kept(OTHER)])).every((rows) => rows.length === years.length) || undefined, 60_000)
  for (const region of [ORIGIN, OTHER]) expect((await kept(region)).slice(1)).toEqual(before.slice(1))
})
