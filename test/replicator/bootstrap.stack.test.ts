import { expect, it } from 'vitest'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { COMPACT_AT_ONCE } from '../topics.ts'
import { openLog, type Log, type Raw } from './log.ts'
import { openReplica, recount, type Partition, type Replica } from './replica.ts'

it('a fifth replica made from the log alone equals the others', async () => {
  await using fixture = await openFixture()
  await using log = await openLog(fixture)
  await using first = await openReplica(fixture, 'sh')
  await first.start()
  const places = [...await log.append(await many(log, 300)), ...await log.append([{ ...(await log.version({ no: '7', version: 99 })), value: Buffer.from('bad') }])]
  await first.reaches(places)
  await using fifth = await openReplica(fixture, 'ah')
  await fifth.start()
  await fifth.reaches(places)
  expect(essence(await fifth.partitions(log.topic('zj', 'complaint')))).toEqual(essence(await first.partitions(log.topic('zj', 'complaint'))))
  expect(await recount(fifth)).toEqual([])
})

it('so does one made after compaction; it says from where on it is complete', { timeout: 120_000 }, async () => {
  await using fixture = await openFixture({ settings: COMPACT_AT_ONCE })
  await using log = await openLog(fixture)
  await using first = await openReplica(fixture, 'sh')
  await first.start()
  const bad = { ...(await log.version({ no: '3', version: 2 })), value: Buffer.from('bad') }
  const places = await log.append([...await many(log, 200), bad, ...await many(log, 200, 10)])
  await first.reaches(places)

  const topic = log.topic('zj', 'complaint')
  const late = await eventually('a late replica meets an offset gap', () => lateReplica(fixture, log, first, topic), 60_000)
  await using replica = late
  const partitions = await replica.partitions(topic)
  expect(essence(partitions)).toEqual(essence(await first.partitions(topic)))
  expect(partitions.some(({ absent }) => absent > 0n)).toBe(true)
  for (const { absent, complete_from: from, next_offset: next } of partitions) expect(from > 0n && from <= next).toBe(absent > 0n)
  expect(await recount(replica)).toEqual([])
  expect(await recount(first)).toEqual([])
})

/** Moves the log on, so that its segments roll, and replays it; undefined when nothing was missing yet. */
async function lateReplica(fixture: Fixture, log: Log, first: Replica, topic: string): Promise<Replica | undefined> {
  const places = await log.append(await log.heartbeats('zj', 1))
  await first.reaches(places)
  const replica = await openReplica(fixture, 'ah')
  await replica.start()
  await replica.reaches(places)
  if ((await replica.partitions(topic)).some(({ absent }) => absent > 0n)) return replica
  await replica[Symbol.asyncDispose]()
  return undefined
}

async function many(log: Log, count: number, from = 1): Promise<Raw[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => log.version({ no: String(n % 40), version: from + Math.floor(n / 40), kind: n % 13 === 12 ? 'expiry' : 'original' })))
}

/** What two replicas at the same offsets must have in common. */
function essence(partitions: readonly Partition[]): unknown {
  return partitions.map(({ partition, next_offset: next, records, ended_records: ended, digest, parked_digest: parked, parked_open: open }) => ({ partition, next, records, ended, digest, parked, open }))
}
