import { expect, test } from 'vitest'
import { verifyReplicas } from '@hub/cli/verify'
import type { Region } from '@hub/schemas/streams'
import { complaints } from '../data/generate.ts'
import { eventually } from '../eventually.ts'
import { openHub } from '../hub.ts'

/** Compaction within a second instead of days. The active segment is never compacted: heartbeats begin new ones. */
const EAGER = {
  'segment.ms': '100', 'segment.bytes': '1048576', 'min.cleanable.dirty.ratio': '0.01', 'min.compaction.lag.ms': '0', 'max.compaction.lag.ms': '500', 'delete.retention.ms': '100',
}

test('an older version that a zombie sends late does not survive compaction: the origin publishes the newest again, and a fresh replica has it', { timeout: 60_000 }, async () => {
  await using hub = await openHub({ regions: ['zj', 'sh'], settings: EAGER })
  const [event] = complaints(1, 31, 'zj')
  const { recordId } = event!
  await hub.publishOne('zj', 'complaint', event!)
  await hub.publishOne('zj', 'complaint', { ...event, version: 2, kind: 'follow-up', state: 'accepted' })
  await hub.settled()

  const topic = `${hub.fixture.prefix}zj.complaint`
  const { rows: [old] } = await hub.db('zj').query<{ body: Buffer, partition: number, event_id: string, sequence: bigint }>(
    'SELECT h.body, h.partition, h.event_id, p.sequence FROM history h JOIN published p ON p.record_id = h.record_id AND p.version = h.version WHERE h.record_id = $1 AND h.version = 1', [recordId])
  await using zombie = hub.fixture.kafka('zj').producer()
  const [late] = await zombie.send([{ topic, partition: old!.partition, messages: [{ key: recordId, value: old!.body, headers: { ce_id: old!.event_id, sequence: String(old!.sequence) } }] }])

  for (const region of ['zj', 'sh'] as const) await eventually(`${region} has counted the late version stale and its newest again as duplicate`, async () => (await counters(region)) === '1 stale, 1 duplicate')
  expect((await hub.db('zj').query('SELECT 1 FROM shadowed')).rows).toEqual([])
  expect(await versionIn('sh')).toBe(2n)

  await eventually('compaction has removed the late version', async () => (await offsetsOfKey()).every((offset) => offset > late!.baseOffset))
  await hub.start('js')
  await hub.settled()
  expect(await versionIn('js')).toBe(2n)
  expect((await verifyReplicas(hub.replicas())).filter(({ verdict }) => verdict !== 'equal')).toEqual([])

  async function counters(region: Region): Promise<string> {
    const { rows } = await hub.db(region).query<{ stale: bigint, duplicate: bigint }>('SELECT stale, duplicate FROM partition_state WHERE topic = $1 AND partition = $2', [topic, old!.partition])
    return `${rows[0]!.stale} stale, ${rows[0]!.duplicate} duplicate`
  }

  async function versionIn(region: Region): Promise<bigint | undefined> {
    const { rows } = await hub.db(region).query<{ version: bigint }>('SELECT version FROM complaint WHERE record_id = $1', [recordId])
    return rows[0]?.version
  }

  /** Where the log still has events of the record. */
  async function offsetsOfKey(): Promise<bigint[]> {
    const kafka = hub.fixture.kafka('sh')
    await using admin = await kafka.admin()
    const { low, high } = (await admin.offsets(topic)).find(({ partition }) => partition === old!.partition)!
    const found: bigint[] = []
    const { promise: done, resolve, reject } = Promise.withResolvers<void>()
    await using _reading = await kafka.subscribe({
      groupId: `sh.test-${hub.fixture.prefix}${crypto.randomUUID()}`,
      topics: [topic],
      load: () => Promise.resolve([{ topic, partition: old!.partition, offset: low }]),
      onBatch({ messages }) {
        for (const { key, offset } of messages) if (key?.toString() === recordId) found.push(offset)
        if (messages.at(-1)!.offset + 1n >= high) resolve()
      },
      onLogChanged: () => reject(new Error('the log changed')),
      onFatal: reject,
    })
    await done
    return found
  }
})
