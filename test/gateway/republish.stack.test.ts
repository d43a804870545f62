import { republishShadowed } from '@hub/gateway/publish/republish'
import { createWakeup } from '@hub/runtime/wakeup'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openFixture, type Fixture } from '../fixture.ts'
import { complaint } from './events.ts'
import { startGateway, type TestGateway } from './gateway.ts'

let fixture: Fixture
let gateway: TestGateway
let topic: string

beforeAll(async () => {
  fixture = await openFixture()
  gateway = await startGateway(fixture)
  topic = `${fixture.prefix}zj.complaint`
})

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

test('a shadowed record is published again as it is, once; where a newer version is on its way, that one counts', async () => {
  const { db } = gateway
  const publish = (version: number, recordId: string) => gateway.publish('complaint', JSON.stringify(complaint({ recordId, version })))
  await publish(1, '12315-zj/shadowed')
  await publish(1, '12315-zj/overtaken')
  await db.query(`INSERT INTO shadowed (topic, partition, record_id, version, event_id, type, subject, value, time_ms, detected_offset)
                  SELECT o.topic, o.partition, o.key, 1, o.event_id, o.type, o.subject, o.value, o.time_ms, 100 FROM outbox o`)
  await publish(2, '12315-zj/overtaken')

  expect(await republishShadowed(db, [topic], createWakeup())).toBe(2)
  expect(await republishShadowed(db, [topic], createWakeup())).toBe(0)
  const rows = async (key: string) => (await db.query<{ sequence: bigint; event_id: string; value: Buffer }>('SELECT sequence, event_id, value FROM outbox WHERE key = $1 ORDER BY sequence', [key])).rows
  const [first, again, ...more] = await rows('12315-zj/shadowed')
  expect(more).toEqual([])
  expect(again).toMatchObject({ event_id: first!.event_id, value: first!.value })
  const overtaken = await rows('12315-zj/overtaken')
  expect(overtaken).toHaveLength(2)
  const { rows: queued } = await db.query('SELECT record_id, queued_sequence FROM shadowed ORDER BY record_id')
  expect(queued).toEqual([{ record_id: '12315-zj/overtaken', queued_sequence: overtaken[1]!.sequence }, { record_id: '12315-zj/shadowed', queued_sequence: again!.sequence }])
  const { rows: heads } = await db.query('SELECT 1 FROM outbox_head h WHERE next_sequence <> (SELECT count(*) FROM outbox o WHERE (o.topic, o.partition) = (h.topic, h.partition))')
  expect(heads).toEqual([])
})
