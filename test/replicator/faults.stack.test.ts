import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyTopics } from '@hub/cli/topics'
import { DATA_STREAMS, REGIONS, type Region } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openTcpProxy, type Connection } from '../tcp-proxy.ts'
import { openLog, type Log, type Raw } from './log.ts'
import { openReplica, recount, type Replica } from './replica.ts'

let fixture: Fixture
let log: Log
beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
})
afterAll(async () => {
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

let series = 0
/** New records, some of them in two versions. */
async function events(count: number): Promise<Raw[]> {
  const name = `f${series++}`
  return Promise.all(Array.from({ length: count }, (_, n) => log.version({ no: `${name}-${n >> 1}`, version: 1 + (n & 1) })))
}

describe('the database fails', () => {
  it('connections cut while work goes on: nothing lost, nothing twice', async () => {
    await using replica = await openReplica(fixture, 'sh')
    const running = await replica.start()
    const places: { topic: string; partition: number; offset: number }[] = []
    for (let round = 0; round < 15; round++) {
      places.push(...await log.append(await events(60)))
      await replica.db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'replicator' AND datname = current_database()`)
    }
    await replica.reaches(places, 30_000)
    expect(await recount(replica)).toEqual([])
    expect(running.failed).toEqual([])
  })

  it('the answer of a COMMIT is lost: positions are read again, nothing is applied twice', async () => {
    await using replica = await openReplica(fixture, 'js')
    await using proxy = await openCommitProxy(replica.databaseUrl)
    const running = await replica.start({ databaseUrl: proxy.url })
    await replica.reaches(await log.append(await events(20)))
    for (let round = 0; round < 3; round++) {
      const before = proxy.lost
      proxy.losing = true
      const places = await log.append(await events(20))
      await eventually('an answer was lost', () => proxy.lost > before)
      proxy.losing = false
      await replica.reaches(places, 30_000)
    }
    expect(await recount(replica)).toEqual([])
    expect(await counted(replica)).toEqual(await counted(await reference()))
    expect(running.failed).toEqual([])
  })

  it('an event that the database refuses stops its partition alone, visibly; once mended it goes on by itself', async () => {
    await using replica = await openReplica(fixture, 'ah')
    const running = await replica.start()
    await replica.reaches(await log.append(await events(4)))
    await replica.db.query(`ALTER TABLE complaint ADD CONSTRAINT refuse CHECK (record_id <> 't12315/refused')`)
    const bad = await log.version({ no: 'refused', version: 1 })
    const around = (await events(40)).filter(({ partition }) => partition !== bad.partition)
    const behind = (await events(80)).filter(({ partition }) => partition === bad.partition)
    const places = await log.append([...around, ...behind.slice(0, 3), bad, ...behind.slice(3)])
    await replica.reaches(places.slice(0, around.length + 3))
    const stuck = await eventually('the partition is paused', async () => (await replica.partitions()).find(({ paused_reason: reason }) => reason?.startsWith('database-refused')))
    expect(stuck).toMatchObject({ topic: bad.topic, partition: bad.partition, next_offset: BigInt(places[around.length + 3]!.offset) })
    expect(stuck.paused_reason).toContain('23514')
    expect((await running.health()).find(({ name }) => name === 'replica partitions')).toMatchObject({ ok: false, detail: expect.stringContaining('23514') })
    expect(await recount(replica)).toEqual([])
    await replica.db.query('ALTER TABLE complaint DROP CONSTRAINT refuse')
    await using again = await replica.start()
    await running[Symbol.asyncDispose]()
    await replica.reaches(places)
    await eventually('it is not paused', async () => (await replica.partitions()).every(({ paused_reason: reason }) => reason === null))
    expect(again.failed).toEqual([])
  })
})

describe('the registry is silent', () => {
  it('what is known goes on; an unknown schema pauses its partition alone and resumes by itself', async () => {
    await using replica = await openReplica(fixture, 'zj')
    await using proxy = await openProxy(new URL(fixture.registryUrl))
    const registryUrl = `${proxy.url}${new URL(fixture.registryUrl).pathname}`
    const running = await replica.start({ registryUrl })
    await replica.reaches(await log.append(await events(30)))

    proxy.open = false
    const evolved = await evolvedVersion('evolved', 1)
    const around = (await events(40)).filter(({ partition }) => partition !== evolved.partition)
    const places = await log.append([evolved, ...around])
    await replica.reaches(places.slice(1))
    const paused = await eventually('it is paused', async () => (await replica.partitions(evolved.topic)).find(({ partition, paused_reason: reason }) => partition === evolved.partition && reason))
    expect(paused.paused_reason).toMatch(/^registry-silent/)
    expect(Number(paused.next_offset)).toBe(places[0]!.offset)

    proxy.open = true
    await replica.reaches(places)
    await eventually('it is not paused', async () => (await replica.partitions()).every(({ paused_reason: reason }) => reason === null))
    const { rows } = await replica.db.query(`SELECT version FROM complaint WHERE record_id = 't12315/evolved'`)
    expect(rows).toEqual([{ version: 1n }])
    expect(await recount(replica)).toEqual([])
    expect(running.failed).toEqual([])
  })

  it('a replica starts and goes on from its disk', async () => {
    await using replica = await openReplica(fixture, 'zj')
    await using proxy = await openProxy(new URL(fixture.registryUrl))
    const registryUrl = `${proxy.url}${new URL(fixture.registryUrl).pathname}`
    const first = await replica.start({ registryUrl })
    await replica.reaches(await log.append(await events(10)))
    await first[Symbol.asyncDispose]()
    proxy.open = false
    await replica.start({ registryUrl })
    await replica.reaches(await log.append(await events(10)))
  })
})

describe('a log that changed', () => {
  it('a position beyond the log stops its partition and is not reset; the others go on', async () => {
    await using replica = await openReplica(fixture, 'sh')
    const first = await replica.start()
    const places = await log.append(await events(60))
    await replica.reaches(places)
    await first[Symbol.asyncDispose]()
    const topic = log.topic('zj', 'complaint')
    await replica.db.query('UPDATE consumer_offset SET next_offset = next_offset + 1000000, absent = absent + 1000000 WHERE topic = $1 AND partition = 2', [topic])
    const before = (await replica.partitions(topic))[2]!.next_offset

    const running = await replica.start()
    const more = await log.append(await events(60))
    await replica.reaches(more.filter(({ partition }) => partition !== 2))
    const state = (await replica.partitions(topic))[2]!
    expect(state.next_offset).toBe(before)
    expect(state.paused_reason).toMatch(/^offset-outside-log/)
    expect((await running.health()).find(({ name }) => name === 'replica partitions')?.ok).toBe(false)
  })

  it('events that never reached the log stop their partition before anything behind them is applied', async () => {
    await using replica = await openReplica(fixture, 'ah')
    await replica.start()
    const topic = log.topic('js', 'recall')
    const at = (sequence: string, no: string) => log.version({ region: 'js', stream: 'recall', no, version: 1, kind: 'void' }).then((event) => ({ ...event, partition: 0, headers: { sequence } }))
    const no = (await numbersOf('js', 'recall', 0, 5))
    const places = await log.appendBare([await at('0', no[0]!), await at('1', no[1]!), await at('1', no[1]!), await at('4', no[2]!), await at('5', no[3]!)])
    const state = await eventually('it is paused', async () => (await replica.partitions(topic)).find(({ partition, paused_reason: reason }) => partition === 0 && reason))
    expect(state.paused_reason).toMatch(/^sequence-lost/)
    await replica.reaches(places.slice(0, 3))
    expect(Number((await replica.partitions(topic))[0]!.next_offset)).toBe(places[3]!.offset)
  })

  it('a topic made anew stops its partitions: another generation', async () => {
    await using replica = await openReplica(fixture, 'sh')
    const first = await replica.start()
    const topic = log.topic('ah', 'tally')
    await eventually('its partitions have begun', async () => (await replica.partitions(topic)).filter(({ next_offset: next }) => next === 1n).length === 3)
    await first[Symbol.asyncDispose]()
    await using admin = await fixture.kafka('admin').admin()
    await admin.deleteTopics([topic])
    await eventually('it is gone', async () => !(await admin.topics()).some((one) => one.topic === topic))
    await applyTopics({
      kafka: fixture.kafka('admin'), registryUrl: fixture.registryUrl, cacheDir: await fixture.stateDir(), topicPrefix: fixture.prefix,
      principals: Object.fromEntries(REGIONS.map((region) => [region, `User:${fixture.credentials(region).username}`])) as Record<Region, string>,
    })
    await replica.start()
    await replica.reaches(await log.append(await events(10)))
    const states = await eventually('they are paused', async () => {
      const rows = await replica.partitions(topic)
      return rows.every(({ paused_reason: reason }) => reason !== null) && rows
    })
    for (const { paused_reason: reason, next_offset: next } of states) {
      expect(reason).toMatch(/^other-generation/)
      expect(next).toBe(1n)
    }
  })
})

/** A replica of the same log that nobody disturbs. */
async function reference(): Promise<Replica> {
  const replica = await openReplica(fixture, 'sh')
  const running = await replica.start()
  await using admin = await fixture.kafka('admin').admin()
  const ends = (await Promise.all(REGIONS.flatMap((region) => DATA_STREAMS.map(async (stream) => {
    const topic = log.topic(region, stream)
    return (await admin.offsets(topic)).map(({ partition, high }) => ({ topic, partition, offset: Number(high) - 1 }))
  })))).flat()
  await replica.reaches(ends)
  await running[Symbol.asyncDispose]()
  return replica
}

/** What must be equal in all replicas, however their transactions were cut. */
async function counted(replica: Replica): Promise<unknown> {
  return (await replica.partitions(log.topic('zj', 'complaint'))).map((row) => ({
    partition: row.partition, next: row.next_offset, taken: row.applied + row.folded, duplicate: row.duplicate, stale: row.stale, parked: row.parked, records: row.records, digest: row.digest,
  }))
}

async function numbersOf(region: Region, stream: 'recall', partition: number, count: number): Promise<string[]> {
  const found: string[] = []
  for (let n = 0; found.length < count; n++) if ((await log.version({ region, stream, no: `n${n}`, version: 1, kind: 'void' })).partition === partition) found.push(`n${n}`)
  return found
}

/** A complaint by a later contract, with a schema id that no replica has seen. */
async function evolvedVersion(no: string, version: number): Promise<Raw> {
  const { contractByName } = await import('@hub/schemas/contracts')
  const plain = await log.version({ no, version })
  const { schema } = contractByName('cn.yrd.complaint.Complaint')!
  const later = { ...schema, fields: [...schema.fields, { name: `added${fixture.prefix.replace(/\W/g, '')}`, type: ['null', 'string'], default: null }] }
  const response = await fetch(`${fixture.registryUrl}/subjects/${fixture.prefix}evolved/versions`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ schema: JSON.stringify(later), schemaType: 'AVRO' }),
  })
  const { id } = (await response.json()) as { id: number }
  const value = Buffer.concat([plain.value, Buffer.from([0])])
  value.writeInt32BE(id, 1)
  return { ...plain, value }
}

interface Proxy extends AsyncDisposable {
  readonly url: string
  open: boolean
}

/** A TCP proxy that can be shut: connections are cut and refused. */
async function openProxy(target: URL): Promise<Proxy> {
  let open = true
  const proxy = await openTcpProxy({ host: target.hostname, port: Number(target.port), refuses: () => !open })
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    get open() { return open },
    set open(value) {
      open = value
      if (!value) proxy.cut()
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  }
}

/** Lets every COMMIT through and, while `losing`, cuts the connection before its answer. */
async function openCommitProxy(databaseUrl: string): Promise<AsyncDisposable & { url: string; losing: boolean; lost: number }> {
  const state = { losing: false, lost: 0 }
  const committing = new WeakSet<Connection>()
  const url = new URL(databaseUrl)
  const proxy = await openTcpProxy({
    host: url.hostname,
    port: Number(url.port),
    toServer(bytes, connection) {
      if (state.losing && bytes.indexOf('COMMIT\0') >= 0) {
        state.lost++
        committing.add(connection)
        setTimeout(() => connection.upstream.destroy(), 200).unref()
      }
      return bytes
    },
    toClient(bytes, connection) {
      if (!committing.has(connection)) return bytes
      connection.client.destroy()
      return undefined
    },
  })
  url.port = String(proxy.port)
  return Object.assign(state, { url: url.href, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() })
}
