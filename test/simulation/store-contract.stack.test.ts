import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { transact } from '@hub/replicator/applier'
import { acquireLease } from '@hub/replicator/store/lease'
import { beginPosition, fenced, loadPositions, type Move } from '@hub/replicator/store/positions'
import { readShadowing } from '@hub/replicator/store/shadowed'
import { migrate, migrateOutbox, type Db } from '@hub/runtime/db'
import { openDatabase, type TestDatabase } from '../runtime/database.ts'
import { history, memoryStore, play, sorted, type Store } from './store-contract.ts'

const RUNS = Number(process.env['SEEDS'] ?? 60)
const SEED = Number(process.env['SEED'] ?? 20_261_125)
const HERE = { region: 'sh', topicPrefix: '' }
const LEASE_MS = 60_000

let database: TestDatabase
beforeAll(async () => {
  database = await openDatabase()
  await migrateOutbox(database.db)
  await migrate(database.db, 'replicator', new URL('../../services/replicator/migrations/', import.meta.url))
})
afterAll(() => database?.[Symbol.asyncDispose]())

test(`the applier's transactions on PostgreSQL do what the memory store does (${RUNS} histories, seed ${SEED})`, { timeout: 120_000 + RUNS * 500 }, async () => {
  const seen = { refused: 0, shadowed: 0, buried: 0, checkpoints: 0 }
  await fc.assert(fc.asyncProperty(history, async (one) => {
    const expected = await play(memoryStore(), one)
    expect(await play(await emptyStore(database.db), one)).toEqual(expected)
    for (const line of expected) {
      if (line.endsWith(': refused')) seen.refused++
      if (line.startsWith('shadowed ')) seen.shadowed++
      if (line.startsWith('parked ') && !line.endsWith(' null')) seen.buried++
      if (line.startsWith('checkpoint ')) seen.checkpoints++
    }
  }), { numRuns: RUNS, seed: SEED, endOnFailure: process.env['SHRINK'] === 'no' })
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(0)
})

/** The product's own statements on an emptied database. */
async function emptyStore(db: Db): Promise<Store> {
  await db.query('TRUNCATE consumer_offset, complaint, tally, history, parked, shadowed, checkpoint')
  await db.query('UPDATE applier SET epoch = 0, next_change = 1')
  return {
    async acquire() {
      await db.query(`UPDATE applier SET lease_until = '-infinity'`)
      return (await acquireLease(db, 'contract', LEASE_MS))!.epoch
    },
    begin: (place, generation) => beginPosition(db, place, generation, 0),
    load: () => loadPositions(db),
    isShadowing: async ({ topic, partition }) => (await readShadowing(db)).has(`${topic}/${partition}`),
    async transact(epoch, parts, end) {
      let moves: Move[] = []
      try {
        await db.tx(async (c) => {
          moves = await transact(c, { epoch, replicaId: '' }, { here: HERE, leaseMs: LEASE_MS }, parts)
          if (end === 'commit') return
          await c.query('SELECT 1')
          throw new RollBack()
        })
      } catch (error) {
        if (error instanceof RollBack) return moves
        throw fenced(error)
      }
      return moves
    },
    state: () => stateOf(db),
  }
}

class RollBack extends Error {}

async function stateOf(db: Db): Promise<string[]> {
  const lines = async (sql: string): Promise<string[]> => sorted((await db.query<{ line: string }>(sql)).rows.map(({ line }) => line))
  const record = (table: string): string => `SELECT format('row %s.${table}/%s %s v%s %s %s @%s %s %s %s change %s', region, partition, record_id, version, kind, ended::text, log_offset, event_id,
    encode(int8send(hash_hi) || int8send(hash_lo), 'hex'), encode(body, 'hex'), change_no) AS line FROM ${table}`
  return [
    ...await lines(`SELECT format('applier epoch %s next change %s', epoch, next_change) AS line FROM applier`),
    ...await lines(`SELECT format('position %s/%s %s %s-%s applied %s duplicate %s stale %s folded %s parked %s control %s absent %s records %s/%s digest %s parked %s %s complete %s sequence %s event %s heartbeat %s',
      topic, partition, generation, first_offset, next_offset, applied, duplicate, stale, folded, parked, control, absent, records, ended_records, encode(int8send(digest_hi) || int8send(digest_lo), 'hex'),
      parked_open, encode(int8send(parked_hi) || int8send(parked_lo), 'hex'), complete_from, last_sequence, last_event, coalesce(heartbeat_number::text, 'null')) AS line FROM consumer_offset`),
    ...sorted([...await lines(record('complaint')), ...await lines(record('tally'))]),
    ...await lines(`SELECT format('history %s.%s/%s %s v%s %s %s @%s %s %s to %s change %s', region, stream, partition, record_id, version, kind, ended::text, from_offset, event_id, encode(body, 'hex'), to_offset,
      coalesce(change_no::text, 'null')) AS line FROM history`),
    ...await lines(`SELECT format('parked %s/%s@%s %s %s %s sequence %s buried %s', topic, partition, log_offset, key, reason, encode(int8send(hash_hi) || int8send(hash_lo), 'hex'), sequence,
      coalesce(buried_by::text, 'null')) AS line FROM parked`),
    ...await lines(`SELECT format('shadowed %s/%s %s v%s %s %s by %s queued %s', topic, partition, record_id, version, event_id, encode(value, 'hex'), detected_offset, coalesce(queued_sequence::text, 'null')) AS line FROM shadowed`),
    ...await lines(`SELECT format('checkpoint %s/%s %s %s %s %s', topic, partition, generation, next_offset, encode(digest, 'hex'), encode(parked_digest, 'hex')) AS line FROM checkpoint`),
  ]
}
