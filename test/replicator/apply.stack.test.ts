import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RECORD_STREAMS, COMMON } from '@hub/replicator/store/columns'
import { TABLES } from '@hub/schemas/tables'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log } from './log.ts'
import { openReplica, recount, type Replica } from './replica.ts'

let fixture: Fixture
let log: Log
let replica: Replica

beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  replica = await openReplica(fixture, 'sh')
  await replica.start()
})
afterAll(async () => {
  await replica?.[Symbol.asyncDispose]()
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

it('the tables have exactly the columns that the statements write and the contracts name', async () => {
  const { rows } = await replica.db.query<{ table_name: string; column_name: string; udt_name: string }>(
    `SELECT table_name, column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position`)
  for (const stream of RECORD_STREAMS) {
    const { table, columns } = TABLES[stream]
    const found = rows.filter(({ table_name: name }) => name === table).map(({ column_name: name, udt_name: type }) => [name, type])
    expect(found.toSorted()).toEqual([...COMMON, ['applied_at', 'timestamptz'], ...columns.map(({ name, pgType }) => [name, pgType])].toSorted())
  }
})

describe('exactly one effect per event', () => {
  it('newest version wins, each event is in one class, and the counters equal a recount', async () => {
    const events = [
      await log.version({ no: 'a', version: 1 }),
      await log.version({ no: 'a', version: 3 }),
      await log.version({ no: 'a', version: 2 }),
      await log.version({ no: 'b', version: 1 }),
      await log.version({ no: 'b', version: 2, kind: 'void', fields: { state: null, registeredOn: null } }),
    ]
    const places = await log.append([...events, events[1]!, ...(await log.heartbeats('zj', 1))])
    await replica.reaches(places)
    const rows = await replica.db.query<{ record_id: string; version: bigint; ended: boolean; disputed_fen: bigint; registered_on: unknown }>(
      'SELECT record_id, version, ended, disputed_fen, registered_on FROM complaint ORDER BY 1')
    expect(rows.rows).toMatchObject([{ record_id: 't12315/a', version: 3n, ended: false, disputed_fen: 3n }, { record_id: 't12315/b', version: 2n, ended: true, registered_on: null }])
    const sums = (await replica.partitions(log.topic('zj', 'complaint'))).reduce(
      (sum, row) => ({ new: sum.new + row.applied + row.folded, stale: sum.stale + row.stale, duplicate: sum.duplicate + row.duplicate, parked: sum.parked + row.parked, control: sum.control + row.control }),
      { new: 0n, stale: 0n, duplicate: 0n, parked: 0n, control: 0n })
    expect(sums).toEqual({ new: 4n, stale: 1n, duplicate: 1n, parked: 0n, control: 12n })
    expect(await recount(replica)).toEqual([])
  })

  it('an ended record leaves no earlier version anywhere', async () => {
    const { rows } = await replica.db.query(`SELECT 1 FROM history WHERE record_id = 't12315/b'`)
    expect(rows).toEqual([])
    const kept = await replica.db.query<{ version: bigint }>(`SELECT version FROM history WHERE record_id = 't12315/a' ORDER BY 1`)
    expect(kept.rows.map(({ version }) => version)).toEqual([1n])
  })
})

it('hub_verify finds a row that somebody changed by hand', async () => {
  await replica.db.query(`UPDATE complaint SET body = body || '\\x00' WHERE record_id = 't12315/a'`)
  expect(await recount(replica)).toHaveLength(1)
  await replica.db.query(`UPDATE complaint SET body = substring(body FROM 1 FOR length(body) - 1) WHERE record_id = 't12315/a'`)
  expect(await recount(replica)).toEqual([])
})

it('tells the other regions its position, at most once a second and only on change', async () => {
  const position = async (): Promise<number> => {
    const { rows } = await replica.db.query<{ n: bigint }>(`SELECT count(*) AS n FROM outbox WHERE key = 'position'`)
    return Number(rows[0]!.n)
  }
  await eventually('a position is published', async () => (await position()) > 0)
  const before = await position()
  const began = performance.now()
  for (let i = 0; i < 20; i++) await replica.reaches(await log.append([await log.version({ no: `p${i}`, version: 1 })]))
  const seconds = (performance.now() - began) / 1000
  await eventually('the last move is published', async () => {
    const { rows } = await replica.db.query<{ key: string }>(`SELECT key FROM outbox WHERE key = 'position'`)
    return rows.length > before
  })
  expect(await position() - before).toBeLessThanOrEqual(Math.ceil(seconds) + 2)
})
