import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { topicName } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '../fixture.ts'
import { KEYS, startGateway, type TestGateway } from './gateway.ts'

const SOURCE = { id: 'narrow', owner: '杭州市市场监督管理局信息中心', contact: '0571-12345678', streams: ['complaint'], caller: 'narrow', mode: 'full', cadence: 'P1D', versionRule: 'counter' }

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture()
})
afterAll(() => fixture?.[Symbol.asyncDispose]())

async function fileOf(...sources: object[]): Promise<string> {
  const file = join(await fixture.stateDir(), 'sources.yaml')
  await writeFile(file, JSON.stringify({ sources }))
  return file
}

async function handOver(gateway: TestGateway, key: string, source: string, body: unknown): Promise<{ status: number; code?: string }> {
  const response = await fetch(`${gateway.url}/v1/sources/${source}/hand-over`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  return { status: response.status, ...await response.json() as object }
}

const published = async (gateway: TestGateway): Promise<number> =>
  (await gateway.db.query('SELECT FROM outbox WHERE topic = $1', [topicName('zj', 'source-status', fixture.prefix)])).rowCount

test('a publisher hands over for its own sources alone, and for declared ones', async () => {
  await using gateway = await startGateway(fixture, { config: { sourcesFile: await fileOf(SOURCE, { ...SOURCE, id: 'wide', caller: 'publisher' }) } })
  expect(await handOver(gateway, KEYS.narrow, 'wide', { handOverId: '1' })).toMatchObject({ status: 403, code: 'SOURCE_NOT_ALLOWED' })
  expect(await handOver(gateway, KEYS.reader, 'narrow', { handOverId: '1' })).toMatchObject({ status: 403, code: 'ROLE_MISSING' })
  expect(await handOver(gateway, KEYS.publisher, 'nobodys', { handOverId: '1' })).toMatchObject({ status: 404, code: 'SOURCE_UNDECLARED' })
  for (const body of [{}, { handOverId: '' }, { handOverId: 'a b' }, { handOverId: '1', note: 'x' }, { handOverId: '1', rows: -1 }]) expect((await handOver(gateway, KEYS.narrow, 'narrow', body)).status).toBe(400)
  expect(await published(gateway)).toBe(2)
  expect(await handOver(gateway, KEYS.narrow, 'narrow', { handOverId: '1' })).toMatchObject({ status: 201 })
  expect(await published(gateway)).toBe(3)
})

test('many at once, by two gateways of a region: each hand-over is published once, in sequence', async () => {
  const databaseUrl = await fixture.database()
  const sourcesFile = await fileOf(SOURCE)
  await using gateway = await startGateway(fixture, { databaseUrl, config: { sourcesFile } })
  await using other = await startGateway(fixture, { databaseUrl, config: { sourcesFile } })
  const told = await Promise.all(Array.from({ length: 40 }, (_, i) => handOver(i % 2 === 0 ? gateway : other, KEYS.narrow, 'narrow', { handOverId: `h${i % 10}` })))
  expect(told.filter(({ status }) => status === 201)).toHaveLength(10)
  expect(told.filter(({ status }) => status === 200)).toHaveLength(30)
  const { rows } = await gateway.db.query<{ sequence: bigint }>('SELECT sequence FROM outbox WHERE topic = $1 ORDER BY sequence', [topicName('zj', 'source-status', fixture.prefix)])
  expect(rows.map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: 11 }, (_, i) => i))
  const { rows: ats } = await gateway.db.query<{ at: Date }>('SELECT DISTINCT at FROM hand_over')
  expect(ats).toHaveLength(10)
})

test('a hand-over names what the source had written, and nothing that came after', async () => {
  await using gateway = await startGateway(fixture, { config: { sourcesFile: await fileOf(SOURCE) } })
  await handOver(gateway, KEYS.narrow, 'narrow', { handOverId: 'empty' })
  await gateway.db.query(`UPDATE outbox_head SET next_sequence = 8 WHERE topic = $1 AND partition = 4`, [topicName('zj', 'complaint', fixture.prefix)])
  await handOver(gateway, KEYS.narrow, 'narrow', { handOverId: 'eight' })
  const { rows } = await gateway.db.query<{ id: string; partitions: object[] }>('SELECT id, partitions FROM hand_over ORDER BY at')
  expect(rows).toEqual([{ id: 'empty', partitions: [] }, { id: 'eight', partitions: [{ topic: 'zj.complaint', partition: 4, lastSequence: 7 }] }])
})

test('a gateway does not start with a broken sources.yaml, and says everything that is wrong with it', async () => {
  const started = startGateway(fixture, { config: { sourcesFile: await fileOf({ ...SOURCE, mode: 'some' }, { ...SOURCE, caller: 'reader' }) } })
  await expect(started).rejects.toThrow(/sources\[0\]\.mode[\s\S]*sources\[1\]\.id: narrow stands twice[\s\S]*sources\[1\]\.caller: reader is not a publisher/)
})
