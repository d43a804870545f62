import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Region } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log, type Raw } from './log.ts'
import { openReplica, recount, type Replica } from './replica.ts'

let fixture: Fixture
let log: Log
let replica: Replica
beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  replica = await openReplica(fixture, 'zj')
  await replica.start()
})
afterAll(async () => {
  await replica?.[Symbol.asyncDispose]()
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

const generation: string = randomUUID()

async function technical(region: Region, stream: 'checkpoint' | 'parked', name: string, key: string, record: object): Promise<Raw> {
  const { encode } = await log.codec.writer(`cn.yrd.${stream}.${name}`)
  return { topic: log.topic(region, stream), partition: 0, key, value: encode({ region, at: 1_790_000_000_000, ...record }) }
}

const position = (region: Region, version: number, partition: number, nextOffset: number, of = generation): Promise<Raw> =>
  technical(region, 'checkpoint', 'Position', 'position', { version, partitions: [{ topic: 'zj.complaint', partition, generation: of, nextOffset, parkedOpen: 0 }] })

it('of two positions of a region the newer one stands, whatever comes last', async () => {
  await replica.reaches(await log.append([await position('js', 5, 1, 40), await position('js', 4, 1, 30)]))
  await replica.reaches(await log.append([await position('js', 3, 1, 20)]))
  const { rows } = await replica.db.query('SELECT version, next_offset FROM region_position WHERE region = $1', ['js'])
  expect(rows).toEqual([{ version: 5n, next_offset: 40n }])
})

it('the log of positions has the moves that passed an event, and does not grow while idle', async () => {
  const [event] = await log.append([await log.version({ no: 'logged', version: 1 })])
  await replica.reaches([event!])
  const { topic, partition, offset } = event!
  const { rows: [own] } = await replica.db.query<{ generation: string }>('SELECT generation FROM consumer_offset WHERE topic = $1 AND partition = $2', [topic, partition])
  const here = own!.generation
  const logged = async () => (await replica.db.query<{ next_offset: bigint }>(
    'SELECT next_offset FROM position_log WHERE region = $1 AND topic = $2 AND partition = $3 ORDER BY 1', ['ah', topic, partition])).rows.map(({ next_offset: next }) => Number(next))
  await replica.reaches(await log.append([await position('ah', 1, partition, offset, here)]))
  const before = await logged()
  await replica.reaches(await log.append([await position('ah', 2, partition, offset + 1, here)]))
  expect(await logged()).toEqual([...before, offset + 1])
  for (let beat = 1; beat < 5; beat++) {
    await replica.reaches(await log.append(await log.heartbeats('zj', beat)))
    await replica.reaches(await log.append([await position('ah', 2 + beat, partition, offset + 1 + beat, here)]))
  }
  expect(await logged()).toEqual([...before, offset + 1])
  // Of a log that was created anew, or of the one before, the same offset is another event.
  await replica.reaches(await log.append([await position('ah', 20, partition, offset + 50)]))
  expect(await logged()).toEqual([...before, offset + 1])
})

it('a thirtieth heartbeat cuts a checkpoint in every partition, and it is published once', async () => {
  await replica.reaches(await log.append([...await log.heartbeats('sh', 29), await log.version({ region: 'sh', no: 'cut', version: 1 }), ...await log.heartbeats('sh', 30), ...await log.heartbeats('sh', 31)]))
  const topic = log.topic('sh', 'complaint')
  const own = await replica.db.query<{ partition: number; digest: Buffer; next_offset: bigint }>('SELECT partition, digest, next_offset FROM checkpoint WHERE region = $1 AND topic = $2 ORDER BY partition', ['zj', topic])
  expect(own.rows).toHaveLength(6)
  for (const [i, { next_offset: next }] of own.rows.entries()) expect(next).toBe((await replica.partitions(topic))[i]!.next_offset - 1n)
  await eventually('it is in the outbox', async () => (await replica.db.query(`SELECT 1 FROM outbox WHERE key = 'checkpoint'`)).rows.length > 0)
  expect((await replica.db.query('SELECT 1 FROM checkpoint WHERE NOT published')).rows).toEqual([])

  const theirs = await technical('js', 'checkpoint', 'Checkpoint', 'checkpoint', {
    version: 7, partitions: own.rows.map(({ partition, digest, next_offset: next }) => ({ topic: 'sh.complaint', partition, generation, nextOffset: Number(next), digest, parkedDigest: Buffer.alloc(16) })),
  })
  await replica.reaches(await log.append([theirs]))
  expect((await replica.db.query('SELECT 1 FROM checkpoint WHERE region = $1', ['js'])).rows).toHaveLength(6)
})

it('keeps what other regions parked of this region, and nothing of theirs', async () => {
  const parked = (topic: string, redrivenAt: number | null = null): Promise<Raw> =>
    technical('sh', 'parked', 'ParkedEvent', `${topic}/2/17`, { topic, partition: 2, generation, offset: 17, key: 'a/1', reason: 'bounds', hash: Buffer.alloc(16), redrivenAt })
  await replica.reaches(await log.append([await parked('zj.complaint'), await parked('ah.complaint'), await parked('zj.complaint')]))
  const { rows } = await replica.db.query('SELECT region, topic, partition, log_offset, reason FROM region_parked')
  expect(rows).toEqual([{ region: 'sh', topic: log.topic('zj', 'complaint'), partition: 2, log_offset: 17n, reason: 'bounds' }])
  // A newer release read it there.
  await replica.reaches(await log.append([await parked('zj.complaint', 1_790_000_000_000)]))
  expect((await replica.db.query('SELECT 1 FROM region_parked')).rows).toEqual([])
})

it('a technical event with a foreign key or region is parked, and never announced', async () => {
  const wrong = await position('js', 9, 1, 50)
  const places = await log.append([{ ...wrong, key: 'other' }, { ...(await position('ah', 99, 1, 1)), topic: wrong.topic }])
  await replica.reaches(places)
  const { rows } = await replica.db.query('SELECT reason, published FROM parked WHERE topic = $1 ORDER BY log_offset', [wrong.topic])
  expect(rows).toEqual([{ reason: 'wrong-key', published: true }, { reason: 'wrong-region', published: true }])
  expect(await recount(replica)).toEqual([])
})
