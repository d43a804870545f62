import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prepareDatabase } from '@hub/gateway/database'
import { publishBatch } from '@hub/gateway/publish/publisher'
import { createWakeup } from '@hub/runtime/wakeup'
import { isEnding } from '@hub/schemas/record-rule'
import { between, seeded } from '../data/random.ts'
import { openDatabase, type TestDatabase } from '../runtime/database.ts'
import { eventOf } from './events.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openDatabase()
  await prepareDatabase(database.db, { region: 'sh', topicPrefix: '' })
})
afterAll(() => database?.[Symbol.asyncDispose]())

test('gateways that publish the same records at once: every told version is in the outbox once, sequences are dense, and versions rise with them', { timeout: 60_000 }, async () => {
  const random = seeded(20_261_125)
  const number = (): number => between(random, 0, 255)
  const told: { recordId: string; version: number; eventId: string }[] = []
  const publishing = Array.from({ length: 4 }, async () => {
    const db = database.open(2)
    for (let batch = 0; batch < 40; batch++) {
      const events = Array.from({ length: between(random, 1, 4) }, () => eventOf('sh.complaint', { id: randomUUID(), record: number(), version: number(), body: number(), kind: number() }))
      const outcomes = await publishBatch(db, events, isEnding, createWakeup())
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.verdict === 'accepted' || outcome.verdict === 'new-version') told.push({ recordId: events[i]!.recordId, version: outcome.version, eventId: outcome.eventId! })
      }
    }
  })
  await Promise.all(publishing)

  const { rows } = await database.db.query<{ partition: number; sequence: bigint; key: string; event_id: string; version: bigint }>(
    `SELECT o.partition, o.sequence, o.key, o.event_id, p.version FROM outbox o JOIN published p ON p.topic = o.topic AND p.partition = o.partition AND p.sequence = o.sequence AND p.record_id = o.key ORDER BY o.partition, o.sequence`)
  expect(rows.map(({ key, version, event_id: eventId }) => `${key} v${version} ${eventId}`).sort()).toEqual(told.map(({ recordId, version, eventId }) => `${recordId} v${version} ${eventId}`).sort())
  const { rows: heads } = await database.db.query<{ partition: number; next_sequence: bigint }>(`SELECT partition, next_sequence FROM outbox_head WHERE topic = 'sh.complaint' AND next_sequence > 0 ORDER BY partition`)
  expect(heads).toHaveLength(2)
  for (const { partition, next_sequence: next } of heads) {
    expect(rows.filter((row) => row.partition === partition).map(({ sequence }) => Number(sequence))).toEqual(Array.from({ length: Number(next) }, (_, n) => n))
  }
  for (const [key, versions] of Map.groupBy(rows, (row) => row.key)) {
    const numbers = versions.map(({ version }) => Number(version))
    expect(numbers, key).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  }
  expect(told.length).toBeGreaterThan(50)
})
