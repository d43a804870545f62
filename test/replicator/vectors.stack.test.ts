import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordVector, thinVectors } from '@hub/replicator/store/vectors'
import { DATA_STREAMS } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log } from './log.ts'
import { openReplica, type Replica } from './replica.ts'

let fixture: Fixture
let log: Log
let replica: Replica

beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  replica = await openReplica(fixture, 'sh')
})

afterAll(async () => {
  await replica?.[Symbol.asyncDispose]()
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

const vectors = async () => (await replica.db.query<{ number: bigint; at: Date; vector: Record<string, [string, number]> }>('SELECT * FROM replica_vector ORDER BY number')).rows

test('the process that applies writes down where the replica is, with nobody asking', async () => {
  await replica.start()
  const events = [await log.version({ no: '1', version: 1 }), await log.version({ no: '2', version: 1 })]
  await replica.reaches(await log.append(events))
  const [first] = await eventually('a vector', async () => {
    const found = await vectors()
    return found.length > 0 ? found : undefined
  })
  expect(first!.number).toBe(1n)
  expect(Object.keys(first!.vector).filter((name) => !isOfRecords(name.slice(0, name.indexOf('/'))))).toEqual([])
})

test('a vector is one snapshot of all partitions of the data streams; a replica that stands still writes none', async () => {
  await recordVector(replica.db, 0)
  const [newest] = (await vectors()).slice(-1)
  for (const { topic, partition, next_offset: next } of (await replica.partitions()).filter(({ topic }) => isOfRecords(topic))) expect(newest!.vector[`${topic}/${partition}`]?.[1]).toBe(Number(next))
  const before = (await vectors()).length
  await recordVector(replica.db, 0)
  expect((await vectors()).length).toBe(before)
  await replica.reaches(await log.append([await log.version({ no: '3', version: 1 })]))
  await recordVector(replica.db, 3_600)
  expect((await vectors()).length).toBe(before)
  await recordVector(replica.db, 0)
  expect((await vectors()).length).toBe(before + 1)
})

test('after two days the first of each hour stays, and nothing that history is about to forget', async () => {
  await replica.db.query('TRUNCATE replica_vector')
  const { rows: [hour] } = await replica.db.query<{ at: Date }>(`SELECT date_trunc('hour', now()) AS at`)
  // All ages hold whatever minute of the hour it is.
  await replica.db.query(`INSERT INTO replica_vector (at, vector) SELECT $2::timestamptz - ago, '{}' FROM unnest($1::text[]::interval[]) WITH ORDINALITY AS t (ago, n) ORDER BY n`, [
    ['25 months 30 days', '3 days', '71 hours 59 minutes', '71 hours 1 minute', '71 hours', '70 hours 30 minutes', '46 hours 50 minutes', '46 hours 40 minutes'], hour!.at,
  ])
  await thinVectors(replica.db, 24)
  const { rows } = await replica.db.query<{ ago: string }>('SELECT ($1::timestamptz - at)::text AS ago FROM replica_vector ORDER BY number', [hour!.at])
  expect(rows.map(({ ago }) => ago)).toEqual(['3 days', '2 days 23:00:00', '1 day 22:50:00', '1 day 22:40:00'])
})

function isOfRecords(topic: string): boolean {
  return DATA_STREAMS.some((stream) => topic.endsWith(`.${stream}`))
}
