import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FailpointName } from '@hub/runtime/failpoint'
import { topicsOf, type Region } from '@hub/schemas/streams'
import { runHub, settingsOf } from '../cli/run-hub.ts'
import { complaints } from '../data/generate.ts'
import { backUp, restore } from '../databases.ts'
import { eventually } from '../eventually.ts'
import { openHub, type Hub } from '../hub.ts'
import { expireLeases, spawnStruck } from './struck.ts'

/** The region whose database is restored from last night, and another one. */
const [ORIGIN, OTHER]: readonly [Region, Region] = ['zj', 'sh']
const events = [...complaints(900, 80, ORIGIN)]
/** New after the backup. */
const late = events.find(({ kind }, i) => i >= 340 && kind === 'original')!

let hub: Hub
let backup: string
/** Sent to the restored database before anybody noticed; the log knows nothing of the first, and other bodies of the others. */
let fresh: object
let cursor: string
beforeAll(async () => { hub = await openHub({ regions: [ORIGIN, OTHER] }) })
afterAll(() => hub?.[Symbol.asyncDispose]())

const replicaId = async (): Promise<string> => (await hub.db(ORIGIN).query<{ id: string }>('SELECT replica_id::text AS id FROM applier')).rows[0]!.id
const reasons = async (): Promise<(string | null)[]> => (await hub.db(ORIGIN).query<{ reason: string | null }>('SELECT paused_reason AS reason FROM relay_position')).rows.map(({ reason }) => reason)

async function waiting(): Promise<number> {
  const { rows } = await hub.db(ORIGIN).query<{ n: bigint }>(`SELECT count(*) AS n FROM outbox o JOIN relay_position p USING (topic, partition) WHERE o.sequence > p.last_sequence AND o.topic LIKE '%complaint'`)
  return Number(rows[0]!.n)
}

async function feed(after?: string): Promise<{ status: number, body: { next?: string, code?: string } }> {
  const response = await hub.request(ORIGIN, 'reader', `/v1/streams/complaint/changes?limit=500${after === undefined ? '' : `&after=${after}`}`)
  return { status: response.status, body: await response.json() as { next?: string, code?: string } }
}

/** A replica that comes back while the origin's events wait gets heartbeats that were on the log before: they must not make it look fresh. */
async function staysStale(): Promise<void> {
  await expireLeases(hub, OTHER)
  await hub.start(OTHER)
  await eventually('it is at the ends of the logs', async () => (await hub.db(OTHER).query('SELECT FROM partition_state WHERE region = $1 AND lag > 0', [ORIGIN])).rows.length === 0)
  const { rows: [oldest] } = await hub.db(ORIGIN).query<{ seconds: number }>(`SELECT min(extract(epoch FROM clock_timestamp() - committed_at))::float8 AS seconds FROM outbox WHERE event_id IS NOT NULL AND topic LIKE '%complaint'`)
  const { meta } = await (await hub.request(OTHER, 'reader', `/v1/streams/complaint/records?recordId=${encodeURIComponent(events[0]!.recordId)}`)).json() as { meta: { freshness: { region: string, staleSeconds: number | null }[] } }
  const { staleSeconds } = meta.freshness.find(({ region }) => region === ORIGIN)!
  expect(staleSeconds === null || staleSeconds >= oldest!.seconds).toBe(true)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.signalCode !== null || child.exitCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

test('a backup is taken, with events in it that still wait, and the region goes on', { timeout: 120_000 }, async () => {
  await hub.publish(ORIGIN, 'complaint', events.slice(0, 300))
  await hub.settled(60_000)
  await hub.stop(OTHER)
  // Nobody relays, so that what comes now is in the backup and on the log only later.
  await hub.db(ORIGIN).query(`UPDATE lease SET owner = 'nobody', epoch = epoch + 1, until = now() + interval '1 hour' WHERE name = 'relay'`)
  await eventually('the relay has stopped', async () => {
    const text = await (await fetch(`${hub.url(ORIGIN)}/metrics`)).text()
    return /hub_relay_active\S* 0/.test(text)
  })
  await hub.publish(ORIGIN, 'complaint', events.slice(300, 340))
  expect(await waiting()).toBeGreaterThanOrEqual(40)
  await staysStale()
  await hub.stop(ORIGIN)
  backup = await backUp(hub.databaseUrl(ORIGIN))
  await hub.db(ORIGIN).query(`UPDATE lease SET until = '-infinity'`)
  await hub.start(ORIGIN)
  await hub.publish(ORIGIN, 'complaint', events.slice(340))
  await hub.settled(60_000)
  cursor = (await feed()).body.next!
})

test('the restored database takes events in while the broker is away: nobody can have noticed', { timeout: 60_000 }, async () => {
  await hub.stop(ORIGIN)
  await restore(hub.databaseUrl(ORIGIN), backup)
  await hub.db(ORIGIN).query(`UPDATE lease SET until = '-infinity'`)
  fresh = { ...late, recordId: `${late.recordId}-fresh` }
  const child = await hub.spawn(ORIGIN, { ready: false, env: { HUB_KAFKA_BROKERS: '127.0.0.1:1' } })
  await eventually('it takes events in', async () => (await hub.publish(ORIGIN, 'complaint', [fresh])).summary['accepted'] === 1, 30_000)
  // Not remembered: what was acknowledged here has to be sent again, as is said below.
  const other = await hub.client(ORIGIN, 'publisher').publish('complaint', { ...late, disputedFen: 1 } as never)
  expect(other).toMatchObject({ verdict: 'accepted' })
  expect((await hub.publish(ORIGIN, 'complaint', events.slice(340, 345))).summary).toMatchObject({ refused: 0 })
  await end(child)
})

test('the relay sees a log ahead of its heads: nothing is sent or taken in, and the replica has another id', { timeout: 90_000 }, async () => {
  const before = await replicaId()
  await expireLeases(hub, ORIGIN)
  hub.start(ORIGIN).catch(() => { /* never ready */ })
  await eventually('it stands still', async () => (await reasons()).every((reason) => reason?.startsWith('log-ahead')), 60_000)
  const closed = await heads()
  await eventually('the gateway is closed', async () => {
    const response = await hub.request(ORIGIN, 'publisher', '/v1/streams/complaint/events', { body: JSON.stringify(fresh), type: 'application/json' })
    return response.status === 503 && (await response.json() as { code: string }).code === 'DATABASE_RESTORED'
  })
  await eventually('and says so', async () => {
    const { dependencies } = await (await fetch(`${hub.url(ORIGIN)}/readyz`)).json() as { dependencies: { name: string, ok: boolean, detail?: string }[] }
    return dependencies.some(({ name, ok, detail }) => name === 'outbox open' && !ok && detail?.includes('hub recover'))
  })
  expect(await replicaId()).not.toBe(before)
  expect(await heads()).toEqual(closed)
  expect((await feed(cursor)).status).toBe(410)
  await hub.stop(ORIGIN)
})

test('hub recover, killed at every step of it: what the log has is published, what came meanwhile goes behind it', { timeout: 240_000 }, async () => {
  await hub.db(ORIGIN).query(`INSERT INTO relay_request (kind, who, why) VALUES ('recover', 'test', 'restored from last night')`)
  for (const point of ['act.recovered', 'act.recovery-written'] satisfies FailpointName[]) {
    await expireLeases(hub, ORIGIN)
    const { child, struck } = await spawnStruck(hub, ORIGIN, { point, at: 1, action: 'exit' }, { ready: false })
    await struck()
    await end(child)
  }
  await expireLeases(hub, ORIGIN)
  hub.start(ORIGIN).catch(() => { /* ready once it is recovered; awaited below */ })
  const recovered = await runHub(settingsOf(hub, [ORIGIN, OTHER]), ['recover', '--region', ORIGIN, '--why', 'restored from last night', '--yes'])
  expect(recovered.json).toMatchObject({ region: ORIGIN, recovered: true, displaced: 1, records: [{ recordId: late.recordId }] })
  expect(recovered.exit).toBe(1)
  await eventually('it goes on', async () => (await reasons()).every((reason) => reason === null), 60_000)
  await eventually('the gateway is open', async () => (await hub.request(ORIGIN, 'publisher', '/v1/streams/complaint/events', { body: JSON.stringify(fresh), type: 'application/json' })).status === 200)
  await hub.settled(60_000)
  await hub.expectEqual()
})

test('whatever the sources send again is a duplicate, new versions go on, and there is nothing more to recover', { timeout: 120_000 }, async () => {
  const { summary } = await hub.publish(ORIGIN, 'complaint', events)
  expect(summary).toMatchObject({ duplicate: events.length })
  await hub.publish(ORIGIN, 'complaint', [...complaints(1_000, 81, ORIGIN)])
  await hub.settled(60_000)
  await hub.expectEqual()
  const again = await runHub(settingsOf(hub, [ORIGIN, OTHER]), ['recover', '--region', ORIGIN, '--why', 'once more', '--yes'])
  expect(again).toMatchObject({ exit: 0, json: { recovered: false } })
  const { rows: acts } = await hub.db(ORIGIN).query<{ what: string, who: string, why: string }>('SELECT what, who, why FROM audit')
  expect(acts).toEqual([{ what: 'recover', who: 'test', why: 'restored from last night' }])
})

async function heads(): Promise<bigint[]> {
  const names = topicsOf(ORIGIN, hub.fixture.prefix).map(({ topic }) => topic)
  const { rows } = await hub.db(ORIGIN).query<{ n: bigint }>('SELECT next_sequence AS n FROM outbox_head WHERE topic = ANY ($1::text[]) ORDER BY topic, partition', [names])
  return rows.map(({ n }) => n)
}
