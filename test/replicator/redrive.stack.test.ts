import { readChanges } from '@hub/gateway/feed/store'
import { readRecordsAsOf } from '@hub/gateway/read/record-store'
import { judgePartition } from '@hub/replicator/convergence'
import { partitionOf } from '@hub/schemas/partition'
import { PARTITIONS } from '@hub/schemas/streams'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log, type Raw } from './log.ts'
import { openReplica, recount, type Replica } from './replica.ts'

/** What the guard of an older release refuses, and that of this one does not. */
const NEWER = 'only-a-newer-release-reads-this'
const release = vi.hoisted(() => ({ old: true }))

// A codec makes its guards as it meets the schemas: what it is then, it stays.
vi.mock('@hub/schemas/guard', async (original) => {
  const { createGuard } = await original<typeof import('@hub/schemas/guard')>()
  return {
    createGuard(schema: unknown): ReturnType<typeof createGuard> {
      const [guard, { old }] = [createGuard(schema), release]
      return (bytes, offset) => (old && Buffer.from(bytes).includes(NEWER) ? { ok: false, reason: 'too long' } : guard(bytes, offset))
    },
  }
})

type Place = { topic: string; partition: number; offset: number }

interface Outcome {
  readonly redriven: Readonly<Record<string, number>>
  readonly parked: number
  readonly gone: number
  readonly events: readonly { readonly offset: string; readonly result: string; readonly class?: string; readonly reason?: string }[]
}

let fixture: Fixture
let log: Log
let open: Replica[]

beforeEach(async () => {
  release.old = true
  fixture = await openFixture()
  log = await openLog(fixture)
  open = []
})
afterEach(async () => {
  await Promise.all(open.map((replica) => replica[Symbol.asyncDispose]()))
  await log[Symbol.asyncDispose]()
  await fixture[Symbol.asyncDispose]()
})

let number = 0
/** A record of its own for every test, all of one partition. */
function newRecord(): string {
  for (;;) {
    const no = `redrive-${number++}`
    if (partitionOf(`t12315/${no}`, PARTITIONS.complaint) === 1) return no
  }
}
const good = (no: string, version: number, fen?: number): Promise<Raw> => log.version({ no, version, ...(fen !== undefined && { fen }) })
const bad = (no: string, version: number, kind = 'original'): Promise<Raw> => log.version({ no, version, kind, fields: kind === 'void' ? { state: null, registeredOn: null, legalBasis: NEWER } : { state: NEWER } })
const ended = (no: string, version: number): Promise<Raw> => log.version({ no, version, kind: 'void', fields: { state: null, registeredOn: null } })

/** A replica of the older release that has these events, and then is of this release. */
async function upgraded(region: 'zj' | 'js', places: readonly Place[]): Promise<Replica> {
  const replica = await openReplica(fixture, region)
  open.push(replica)
  release.old = true
  const older = await replica.start()
  await replica.reaches(places, 60_000)
  await eventually('what it parked is told', async () => (await replica.db.query('SELECT 1 FROM parked WHERE NOT published')).rows.length === 0)
  await older[Symbol.asyncDispose]()
  release.old = false
  await replica.start()
  await eventually('it applies', async () => (await replica.db.query('SELECT 1 FROM applier WHERE lease_until > clock_timestamp()')).rows.length === 1)
  return replica
}

async function ask({ db }: Replica, { topic, partition, offset }: Partial<Place>): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `INSERT INTO redrive_request (topic, partition, log_offset, who, why) VALUES ($1, $2, $3, 'zhang', 'release 2 reads it') RETURNING id::text`, [topic ?? null, partition ?? null, offset ?? null])
  return rows[0]!.id
}

async function redrive(replica: Replica, place: Partial<Place>): Promise<Outcome> {
  const id = await ask(replica, place)
  return eventually('it is done', async () => (await replica.db.query<{ outcome: Outcome | null }>('SELECT outcome FROM redrive_request WHERE id = $1::uuid', [id])).rows[0]?.outcome ?? undefined, 60_000)
}

async function current({ db }: Replica, no: string): Promise<{ version: bigint; ended: boolean; offset: number } | undefined> {
  const { rows: [row] } = await db.query<{ version: bigint; ended: boolean; log_offset: bigint }>('SELECT version, ended, log_offset FROM complaint WHERE record_id = $1', [`t12315/${no}`])
  return row && { version: row.version, ended: row.ended, offset: Number(row.log_offset) }
}

/** The version that a reading at each of these positions gives. */
async function asOf({ db }: Replica, no: string, offsets: readonly number[]): Promise<(bigint | undefined)[]> {
  return Promise.all(offsets.map(async (offset) => (await readRecordsAsOf(db, 'complaint', 'complaint', 1, `t12315/${no}`, [{ region: 'zj', offset: BigInt(offset) }])).rows.map(({ version }) => BigInt(version as unknown as string))[0]))
}

/** What the change feed tells of a record, in its order. */
async function fed({ db }: Replica, no: string): Promise<string[]> {
  const { rows } = await readChanges(db, 'complaint', 0, 10_000, 1e8)
  return rows.filter(({ recordId }) => recordId === `t12315/${no}`).map(({ version, superseded }) => `${version}${superseded ? ' superseded' : ''}`)
}

/** Everything that two replicas which have the same of the log must have the same. */
async function provable({ db }: Replica, no: string): Promise<unknown> {
  const { rows } = await db.query(
    `SELECT from_offset, to_offset, version, ended, body FROM history WHERE record_id = $1 AND from_offset <> to_offset UNION ALL SELECT log_offset, NULL, version, ended, body FROM complaint WHERE record_id = $1 ORDER BY 1`, [`t12315/${no}`])
  return rows
}

async function classes(replica: Replica, topic: string): Promise<Record<string, bigint>> {
  const { applied, duplicate, stale, folded, parked, parked_open: parkedOpen } = (await replica.partitions(topic)).find(({ partition }) => partition === 1)!
  return { applied, duplicate, stale, folded, parked, parkedOpen }
}

/** The replica is what its log makes of it, whether the scrubber looks at rows or at the log, and finds nothing to repair. */
async function isWhole(replica: Replica, topic: string): Promise<void> {
  expect(await recount(replica)).toEqual([])
  const { rows: [request] } = await replica.db.query<{ id: bigint }>(`INSERT INTO scrub_request (kind, topic, partition, who, why) VALUES ('repair', $1, 1, 'zhang', 'a test') RETURNING id`, [topic])
  const outcome = await eventually('the scrubber is done', async () => (await replica.db.query<{ outcome: object | null }>('SELECT outcome FROM scrub_request WHERE id = $1', [request!.id])).rows[0]?.outcome ?? undefined, 60_000)
  expect(outcome).toMatchObject({ partitions: 1, equal: 1, findings: [] })
}

describe('redriven by a release that reads it, at its own place', () => {
  it('as the newest: current, in the feed, shadowed no more, noted with who and why, and told to its origin', async () => {
    const no = newRecord()
    const places = await log.append([await good(no, 1), await bad(no, 2), ...await log.heartbeats('zj', 1)])
    const replica = await upgraded('zj', places)
    const before = await classes(replica, places[0]!.topic)
    expect([await current(replica, no), before['parkedOpen']]).toEqual([{ version: 1n, ended: false, offset: places[0]!.offset }, 1n])
    expect((await replica.db.query(`SELECT 1 FROM shadowed`)).rows).toHaveLength(1)

    expect(await redrive(replica, places[1]!)).toMatchObject({ redriven: { applied: 1 }, parked: 0, gone: 0, events: [{ offset: String(places[1]!.offset), result: 'redriven', class: 'applied' }] })
    expect(await current(replica, no)).toEqual({ version: 2n, ended: false, offset: places[1]!.offset })
    expect(await asOf(replica, no, [places[0]!.offset + 1, places[1]!.offset, places[1]!.offset + 1])).toEqual([1n, 1n, 2n])
    expect(await fed(replica, no)).toEqual(['1 superseded', '2'])
    expect(await classes(replica, places[0]!.topic)).toEqual({ ...before, applied: before['applied']! + 1n, parked: before['parked']! - 1n, parkedOpen: 0n })
    expect((await replica.db.query('SELECT 1 FROM parked UNION ALL SELECT 1 FROM shadowed')).rows).toEqual([])
    const target = `${places[1]!.topic}/1/${places[1]!.offset}`
    expect((await replica.db.query('SELECT who, what, target, why, detail FROM audit')).rows).toEqual([
      { who: 'zhang', what: 'redrive redriven', target, why: 'release 2 reads it', detail: expect.objectContaining({ key: `t12315/${no}`, parkedAs: 'bounds', class: 'applied' }) },
    ])
    const told = await eventually('its origin is told', async () => {
      const { rows } = await replica.db.query<{ value: Buffer }>('SELECT value FROM outbox WHERE topic = $1 ORDER BY sequence', [log.topic('zj', 'parked')])
      const read = rows.map(({ value }) => log.codec.decode(value))
      return read.length === 2 && read.every(({ ok }) => ok) ? read : undefined
    })
    expect(told).toMatchObject([{ record: { redrivenAt: null } }, { record: { offset: places[1]!.offset, redrivenAt: expect.any(Number) } }])
    await isWhole(replica, places[0]!.topic)
  })

  it('below a newer version: into history at its place, the feed ends with the newest', async () => {
    const no = newRecord()
    const places = await log.append([await good(no, 1), await bad(no, 2), await good(no, 3), await good(no, 4)])
    const replica = await upgraded('js', places)
    expect(await asOf(replica, no, [places[1]!.offset + 1])).toEqual([1n])
    expect(await redrive(replica, places[1]!)).toMatchObject({ redriven: { applied: 1 } })
    expect(await asOf(replica, no, places.map(({ offset }) => offset + 1))).toEqual([1n, 2n, 3n, 4n])
    expect((await fed(replica, no)).slice(-2)).toEqual(['2 superseded', '4'])
    await isWhole(replica, places[0]!.topic)
  })

  it('of a record that has ended since: nothing of it is kept, and an end that was parked ends it', async () => {
    const [over, end] = [newRecord(), newRecord()]
    const places = await log.append([await good(over, 1), await bad(over, 2), await ended(over, 3), await good(end, 1), await good(end, 2), await bad(end, 3, 'void')])
    const replica = await upgraded('js', places)
    expect(await redrive(replica, { topic: places[0]!.topic })).toMatchObject({ redriven: { applied: 2 }, parked: 0 })
    expect(await provable(replica, over)).toMatchObject([{ version: 3n, ended: true, to_offset: null }])
    expect(await provable(replica, end)).toMatchObject([{ version: 3n, ended: true, to_offset: null }])
    expect((await replica.db.query('SELECT 1 FROM history WHERE record_id = ANY ($1)', [[`t12315/${over}`, `t12315/${end}`]])).rows).toEqual([])
    const { rows: [sum] } = await replica.db.query('SELECT sum(records)::int AS records, sum(ended_records)::int AS ended FROM consumer_offset WHERE topic = $1 AND partition = 1', [places[0]!.topic])
    const { rows: [rows] } = await replica.db.query('SELECT count(*)::int AS records, count(*) FILTER (WHERE ended)::int AS ended FROM complaint WHERE partition = 1')
    expect(sum).toEqual(rows)
    await isWhole(replica, places[0]!.topic)
  })

  it('not newer than what stood there: stale; and an older version that came after it was stale all along', async () => {
    const [stale, undone] = [newRecord(), newRecord()]
    const places = await log.append([await good(stale, 5), await bad(stale, 4), await good(undone, 1), await bad(undone, 5), await good(undone, 3)])
    const replica = await upgraded('zj', places)
    expect(await redrive(replica, places[1]!)).toMatchObject({ redriven: { stale: 1 } })
    expect(await current(replica, stale)).toMatchObject({ version: 5n })
    const before = await classes(replica, places[0]!.topic)
    expect(await redrive(replica, places[3]!)).toMatchObject({ redriven: { applied: 1 } })
    expect(await current(replica, undone)).toMatchObject({ version: 5n, offset: places[3]!.offset })
    expect(await asOf(replica, undone, places.slice(2).map(({ offset }) => offset + 1))).toEqual([1n, 5n, 5n])
    expect((await fed(replica, undone)).at(-1)).toBe('5')
    expect((await classes(replica, places[0]!.topic))['stale']).toBe(before['stale']! + 1n)
    // On the log the last word of both records is an older version than the newest.
    expect((await replica.db.query('SELECT record_id, version FROM shadowed WHERE record_id = ANY ($1) ORDER BY 1', [[`t12315/${stale}`, `t12315/${undone}`]])).rows)
      .toEqual([stale, undone].sort().map((no) => ({ record_id: `t12315/${no}`, version: 5n })))
    await isWhole(replica, places[0]!.topic)
  })

  it('twice: the second time there is nothing to do', async () => {
    const no = newRecord()
    const places = await log.append([await good(no, 1), await bad(no, 2)])
    const replica = await upgraded('js', places)
    const [first, second] = await Promise.all([redrive(replica, places[1]!), redrive(replica, places[1]!)])
    expect([first, second].map(({ redriven }) => redriven)).toEqual([{ applied: 1 }, {}])
    const after = await provable(replica, no)
    expect(await redrive(replica, places[1]!)).toEqual({ redriven: {}, parked: 0, gone: 0, events: [] })
    expect(await provable(replica, no)).toEqual(after)
    expect(await recount(replica)).toEqual([])
  })

  it('still bad: it stays parked, and that is said and noted', async () => {
    const no = newRecord()
    const event = await good(no, 2)
    const places = await log.append([await good(no, 1), { ...event, value: event.value.subarray(0, 20) }])
    const replica = await upgraded('js', places)
    const before = await classes(replica, places[0]!.topic)
    expect(await redrive(replica, places[1]!)).toMatchObject({ redriven: {}, parked: 1, events: [{ result: 'parked', reason: 'bounds' }] })
    expect(await classes(replica, places[0]!.topic)).toEqual(before)
    expect((await replica.db.query('SELECT who, what FROM audit')).rows).toEqual([{ who: 'zhang', what: 'redrive parked' }])
  })

  it('another log stands under the name: nothing is taken from it', async () => {
    const no = newRecord()
    const places = await log.append([await bad(no, 1)])
    const replica = await upgraded('js', places)
    await replica.db.query('UPDATE parked SET hash_hi = hash_hi # 1 WHERE log_offset = $1', [places[0]!.offset])
    expect(await redrive(replica, places[0]!)).toMatchObject({ redriven: {}, gone: 1 })
    expect(await current(replica, no)).toBeUndefined()
  })
})

it('two replicas redrive at different times: until then their parked sets differ, and then they are equal, without anything else changing', async () => {
  const records = [newRecord(), newRecord(), newRecord()]
  const beat = (n: number): Promise<Raw[]> => log.heartbeats('zj', n)
  const events = [
    ...await Promise.all(records.map((no) => good(no, 1))), ...await Promise.all(records.map((no) => bad(no, 2))), await good(records[1]!, 3), await ended(records[2]!, 3), ...await beat(30),
  ]
  const places = await log.append(events)
  const replicas = await Promise.all([openReplica(fixture, 'zj'), openReplica(fixture, 'js')])
  open.push(...replicas)
  const older = await Promise.all(replicas.map((replica) => replica.start()))
  await Promise.all(replicas.map((replica) => replica.reaches(places)))
  await Promise.all(older.map((one) => one[Symbol.asyncDispose]()))
  release.old = false
  await Promise.all(replicas.map((replica) => replica.start()))
  const { topic } = places[0]!
  const verdict = async (n: number): Promise<string> => {
    const at = await log.append(await beat(n))
    await Promise.all(replicas.map((replica) => replica.reaches(at)))
    const cuts = await Promise.all(replicas.map(async ({ db, region }) => (await db.query<{ generation: string; next_offset: bigint; digest: string; parked_digest: string }>(
      `SELECT generation, next_offset, encode(digest, 'hex') AS digest, encode(parked_digest, 'hex') AS parked_digest FROM checkpoint WHERE topic = $1 AND partition = 1 AND region = $2`, [topic, region]))
      .rows.map((cut) => ({ region, generation: cut.generation, nextOffset: Number(cut.next_offset), digest: cut.digest, parkedDigest: cut.parked_digest, at: 0 }))))
    return judgePartition(replicas.map(({ region }) => region), cuts[0]![0]!.generation, 0, cuts.flat()).verdict
  }
  expect(await verdict(60)).toBe('equal')
  await redrive(replicas[0]!, { topic })
  expect(await verdict(90)).toBe('parked sets differ')
  await redrive(replicas[1]!, { topic })
  expect(await verdict(120)).toBe('equal')
  for (const no of records) expect(await provable(replicas[0]!, no)).toEqual(await provable(replicas[1]!, no))
  for (const replica of replicas) await isWhole(replica, topic)
})

it('while events flow: each is redriven once, and everything equals a replica that never parked', { timeout: 120_000 }, async () => {
  const records = Array.from({ length: 20 }, newRecord)
  const begun = await log.append([...await Promise.all(records.map((no) => good(no, 1))), ...await Promise.all(records.map((no) => bad(no, 2)))])
  const replica = await upgraded('js', begun)
  const flowing = (async () => {
    const last: Place[] = []
    for (let version = 3; version < 40; version++) last.push(...await log.append([...await Promise.all(records.map((no) => (version % 5 === 0 ? good(no, version - 3) : good(no, version))))]))
    return last
  })()
  const outcome = await redrive(replica, { topic: begun[0]!.topic })
  expect(outcome).toMatchObject({ redriven: { applied: 20 }, parked: 0 })
  const last = await flowing
  await replica.reaches(last)
  const never = await openReplica(fixture, 'zj')
  open.push(never)
  await never.start()
  await never.reaches(last)
  for (const no of records) expect(await provable(replica, no)).toEqual(await provable(never, no))
  const digests = async (one: Replica): Promise<string[]> => (await one.partitions(begun[0]!.topic)).filter(({ partition }) => partition === 1).map(({ digest, parked_digest: parked }) => digest + parked)
  // Those that stay bad stand in both.
  expect(await digests(replica)).toEqual(await digests(never))
  await isWhole(replica, begun[0]!.topic)
})

it('far apart on the log: what lies between is not read through', { timeout: 120_000 }, async () => {
  const [first, last, between] = [newRecord(), newRecord(), newRecord()]
  const places = [...await log.append([await bad(first, 1)])]
  const filling = await Promise.all(Array.from({ length: 3_000 }, (_, n) => good(between, n + 1)))
  for (let n = 0; n < filling.length; n += 500) await log.append(filling.slice(n, n + 500))
  places.push(...await log.append([await bad(last, 1)]))
  const replica = await upgraded('js', places)
  expect(await redrive(replica, { topic: places[0]!.topic })).toMatchObject({ redriven: { applied: 2 }, parked: 0, gone: 0, events: places.map(({ offset }) => ({ offset: String(offset) })) })
  for (const no of [first, last]) expect(await current(replica, no)).toMatchObject({ version: 1n })
  expect(await recount(replica)).toEqual([])
})

it('killed in the middle: nothing of it stays, and the next process does it', { timeout: 120_000 }, async () => {
  const no = newRecord()
  const places = await log.append([await good(no, 1), await bad(no, 2), await good(no, 3)])
  const replica = await openReplica(fixture, 'js')
  open.push(replica)
  const older = await replica.start()
  await replica.reaches(places)
  await older[Symbol.asyncDispose]()
  const before = [await provable(replica, no), await classes(replica, places[0]!.topic)]
  const child = replica.spawn()
  let id = ''
  await replica.db.tx(async (c) => {
    await c.query('LOCK TABLE audit IN EXCLUSIVE MODE')
    id = await ask(replica, places[1]!)
    await eventually('it waits for its last statement', async () => (await replica.db.query(`SELECT 1 FROM pg_locks WHERE relation = 'audit'::regclass AND NOT granted`)).rows.length > 0, 60_000)
    await child[Symbol.asyncDispose]()
    await replica.db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'replicator%' AND datname = current_database()`)
    await eventually('its connections are gone', async () => (await replica.db.query(`SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'replicator%' AND datname = current_database()`)).rows.length === 0)
  })
  expect([await provable(replica, no), await classes(replica, places[0]!.topic)]).toEqual(before)
  expect((await replica.db.query('SELECT 1 FROM audit UNION ALL SELECT 1 FROM redriven')).rows).toEqual([])
  release.old = false
  await replica.start()
  const outcome = await eventually('the next one does it', async () => (await replica.db.query<{ outcome: Outcome | null }>('SELECT outcome FROM redrive_request WHERE id = $1::uuid', [id])).rows[0]?.outcome ?? undefined, 60_000)
  expect(outcome).toMatchObject({ redriven: { applied: 1 } })
  expect(await asOf(replica, no, places.map(({ offset }) => offset + 1))).toEqual([1n, 2n, 3n])
  await isWhole(replica, places[0]!.topic)
})

it('compaction has taken the bytes: that is said, and the event stays parked until its origin publishes again', { timeout: 180_000 }, async () => {
  await using compacting = await openFixture({ settings: { 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.01', 'min.compaction.lag.ms': '0', 'max.compaction.lag.ms': '500', 'delete.retention.ms': '100' } })
  await using onIt = await openLog(compacting)
  await using replica = await openReplica(compacting, 'js')
  const older = await replica.start()
  const no = newRecord()
  const places = await onIt.append([await onIt.version({ no, version: 1, fields: { state: NEWER } }), await onIt.version({ no, version: 2 })])
  await replica.reaches(places)
  await older[Symbol.asyncDispose]()
  // The older release still: it would park it again, but for the bytes.
  await replica.start()
  const outcome = await eventually('compaction has taken it', async () => {
    await replica.reaches(await onIt.append(await onIt.heartbeats('zj', 1)))
    const found = await redrive(replica, places[0]!)
    return found.gone === 1 ? found : undefined
  }, 120_000)
  expect(outcome).toMatchObject({ redriven: {}, parked: 0, gone: 1, events: [{ result: 'gone' }] })
  expect((await replica.db.query('SELECT 1 FROM parked')).rows).toHaveLength(1)
})
