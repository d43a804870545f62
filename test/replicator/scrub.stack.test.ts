import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log } from './log.ts'
import { openReplica, recount, type Replica } from './replica.ts'

interface Finding {
  readonly recordId: string
  readonly what: string
  readonly fields: readonly { readonly field: string; readonly here: string | null; readonly log: string | null }[]
}

interface Outcome {
  readonly partitions: number
  readonly rows: number
  readonly equal: number
  readonly repaired: number
  readonly different: number
  readonly reasons: readonly string[]
  readonly findings: readonly Finding[]
}

let fixture: Fixture
let log: Log
let replica: Replica
let topic: string

beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  replica = await openReplica(fixture, 'js')
  topic = log.topic('zj', 'complaint')
  await replica.start()
  const events = []
  for (let no = 0; no < 60; no++) events.push(await log.version({ no: `r${no}`, version: 1 }))
  for (let no = 0; no < 20; no++) events.push(await log.version({ no: `r${no}`, version: 2, fen: 700 }))
  for (let no = 20; no < 25; no++) events.push(await log.version({ no: `r${no}`, version: 2, kind: 'void', fields: { state: null, registeredOn: null } }))
  await replica.reaches(await log.append([...events, ...await log.heartbeats('zj', 1)]))
})
afterAll(async () => {
  await replica?.[Symbol.asyncDispose]()
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  await replica.db.query('DELETE FROM audit')
})

/** Asks the scrubber and waits for what it did. */
async function ask(kind: 'scrub' | 'repair' = 'scrub', place: { topic: string; partition: number } | undefined = undefined, on = replica): Promise<Outcome> {
  const { rows: [request] } = await on.db.query<{ id: bigint }>(
    'INSERT INTO scrub_request (kind, topic, partition, who, why) VALUES ($1, $2, $3, $4, $5) RETURNING id', [kind, place?.topic ?? null, place?.partition ?? null, 'zhang', 'a test'])
  return eventually('the scrubber is done', async () => (await on.db.query<{ outcome: Outcome | null }>('SELECT outcome FROM scrub_request WHERE id = $1', [request!.id])).rows[0]?.outcome ?? undefined, 60_000)
}

const row = async (no: string) => (await replica.db.query<Record<string, unknown> & { change_no: bigint; log_offset: bigint; partition: number }>('SELECT * FROM complaint WHERE record_id = $1', [`t12315/${no}`])).rows[0]
const offsetless = (found: Awaited<ReturnType<typeof row>>) => ({ ...found, change_no: undefined, applied_at: undefined })

describe('a replica that nobody touched', () => {
  it('is equal in every partition, and every row was looked at', async () => {
    const outcome = await ask()
    expect(outcome).toMatchObject({ rows: 60, repaired: 0, different: 0, findings: [], reasons: [] })
    expect(outcome.equal).toBe(outcome.partitions)
    expect((await replica.db.query('SELECT 1 FROM audit')).rows).toEqual([])
  })

  it('is what the log makes of it, when that is asked for', async () => {
    const { partition } = (await row('r1'))!
    expect(await ask('repair', { topic, partition })).toMatchObject({ partitions: 1, equal: 1, findings: [] })
  })
})

describe('a row changed by hand is found, named field by field, and put right from the log', () => {
  const cases: { name: string; no: string; sql: string; what: string; fields: string[]; values?: Record<string, [string | null, string | null]> }[] = [
    { name: 'a typed column', no: 'r3', sql: `UPDATE complaint SET disputed_fen = 1 WHERE record_id = $1`, what: 'changed', fields: ['disputed_fen'], values: { disputed_fen: ['1', '700'] } },
    { name: 'a column that has no value', no: 'r4', sql: `UPDATE complaint SET trader_name = '某某' WHERE record_id = $1`, what: 'changed', fields: ['trader_name'] },
    { name: 'the body alone', no: 'r5', sql: `UPDATE complaint SET body = body || '\\x00' WHERE record_id = $1`, what: 'changed', fields: ['body'] },
    { name: 'the version', no: 'r6', sql: `UPDATE complaint SET version = 9 WHERE record_id = $1`, what: 'changed', fields: ['version'], values: { version: ['9', '2'] } },
    { name: 'the hash', no: 'r7', sql: `UPDATE complaint SET hash_hi = hash_hi # 1 WHERE record_id = $1`, what: 'changed', fields: ['hash'] },
    { name: 'the place on the log', no: 'r8', sql: `UPDATE complaint SET log_offset = log_offset - 1 WHERE record_id = $1`, what: 'changed', fields: [] },
    { name: 'that it ended', no: 'r20', sql: `UPDATE complaint SET ended = false WHERE record_id = $1`, what: 'changed', fields: ['ended'], values: { ended: ['false', 'true'] } },
    { name: 'a row deleted', no: 'r9', sql: `DELETE FROM complaint WHERE record_id = $1`, what: 'missing', fields: [] },
    { name: 'a row of an ended record deleted', no: 'r21', sql: `DELETE FROM complaint WHERE record_id = $1`, what: 'missing', fields: [] },
  ]
  for (const { name, no, sql, what, fields, values = {} } of cases) {
    it(name, async () => {
      const before = (await row(no))!
      const last = (await replica.db.query<{ n: bigint }>('SELECT next_change AS n FROM applier')).rows[0]!.n
      await replica.db.query(sql, [`t12315/${no}`])
      // An offset is no matter of the row itself: only a comparison with the log tells.
      const outcome = await ask(name === 'the place on the log' ? 'repair' : 'scrub', name === 'the place on the log' ? { topic, partition: before.partition } : undefined)
      expect(outcome).toMatchObject({ repaired: 1, different: 0 })
      expect(outcome.findings).toMatchObject([{ recordId: `t12315/${no}`, what }])
      const found = new Map(outcome.findings[0]!.fields.map((one) => [one.field, one]))
      expect([...found.keys()]).toEqual(expect.arrayContaining(fields))
      for (const [field, [here, there]] of Object.entries(values)) expect(found.get(field)).toEqual({ field, here, log: there })
      const after = (await row(no))!
      expect(offsetless(after)).toEqual(offsetless(before))
      // The feed brings the correction to whoever has read the wrong row.
      expect(after.change_no).toBeGreaterThanOrEqual(last)
      expect(await recount(replica)).toEqual([])
      const { rows: acts } = await replica.db.query('SELECT who, what, target, why FROM audit')
      expect(acts).toEqual([{ who: 'zhang', what: `repair ${what}`, target: `${topic}/${before.partition}/t12315/${no}`, why: 'a test' }])
    })
  }

  it('and once only', async () => {
    expect(await ask()).toMatchObject({ repaired: 0, different: 0 })
  })

  it('a value that may tell of a person stands nowhere', async () => {
    await replica.db.query(`UPDATE complaint SET trader_name = '张三丰' WHERE record_id = 't12315/r10'`)
    await ask()
    const { rows } = await replica.db.query<{ text: string }>(`SELECT (SELECT string_agg(detail::text, '') FROM audit) || (SELECT string_agg(outcome::text, '') FROM scrub_request) || (SELECT string_agg(findings::text, '') FROM scrub) AS text`)
    expect(rows[0]!.text).toContain('trader_name')
    expect(rows[0]!.text).not.toContain('张三丰')
  })

  it('a row that the log never had is taken out', async () => {
    const { partition } = (await row('r11'))!
    await replica.db.query(`INSERT INTO complaint (region, record_id, version, kind, ended, partition, log_offset, change_no, event_id, hash_hi, hash_lo, body)
      SELECT region, 't12315/nobody', version, kind, ended, partition, log_offset, -1, event_id, hash_hi, hash_lo, body FROM complaint WHERE record_id = 't12315/r11'`)
    expect(await ask()).toMatchObject({ repaired: 1, different: 0, findings: [{ recordId: 't12315/nobody', what: 'surplus', fields: [] }] })
    expect((await replica.db.query(`SELECT 1 FROM complaint WHERE record_id = 't12315/nobody'`)).rows).toEqual([])
    expect((await replica.db.query('SELECT target FROM audit')).rows).toEqual([{ target: `${topic}/${partition}/t12315/nobody` }])
    expect(await recount(replica)).toEqual([])
  })

  it('body, hash and columns together, as a careful hand would: the digest tells, the log says what was there', async () => {
    const forged = await log.version({ no: 'r12', version: 2, fen: 1, fields: { eventId: (await row('r12'))!['event_id'] } })
    await replica.db.query(
      `UPDATE complaint SET body = $2, disputed_fen = 1, hash_hi = substring(hub_record_hash(record_id, version, $2) FROM 1 FOR 8)::bigint, hash_lo = substring(hub_record_hash(record_id, version, $2) FROM 9 FOR 8)::bigint
        WHERE record_id = $1`, ['t12315/r12', forged.value])
    const { findings, repaired } = await ask()
    expect(repaired).toBe(1)
    expect(findings[0]!.fields.map(({ field }) => field).sort()).toEqual(['body.disputedFen', 'disputed_fen', 'hash'])
    expect(findings[0]!.fields).toContainEqual({ field: 'body.disputedFen', here: '1', log: '700' })
    expect(await recount(replica)).toEqual([])
  })

  it('a digest and counts changed by hand become those of the rows', async () => {
    const { partition } = (await row('r13'))!
    await replica.db.query('UPDATE consumer_offset SET digest_hi = digest_hi # 5, records = records + 2, ended_records = ended_records - 1 WHERE topic = $1 AND partition = $2', [topic, partition])
    expect(await ask()).toMatchObject({ repaired: 1, different: 0 })
    expect(await recount(replica)).toEqual([])
    expect((await replica.db.query('SELECT what, detail FROM audit')).rows).toEqual([{ what: 'correct digest', detail: { records: -2, ended: 1 } }])
  })
})

it('looks by itself at every partition within a pass, and says who repaired', async () => {
  const other = await openReplica(fixture, 'ah')
  try {
    await other.start({ scrubMinutes: 0.05 })
    await eventually('the rows are there', async () => (await other.db.query<{ n: bigint }>('SELECT count(*) AS n FROM complaint')).rows[0]!.n === 60n)
    await other.db.query(`UPDATE complaint SET state = 'refused' WHERE record_id = 't12315/r30'`)
    await eventually('it is repaired', async () => (await other.db.query(`SELECT 1 FROM audit WHERE who = 'scrub' AND target LIKE '%/t12315/r30'`)).rows.length > 0, 30_000)
    expect((await other.db.query(`SELECT state FROM complaint WHERE record_id = 't12315/r30'`)).rows).toEqual([{ state: 'accepted' }])
    expect(await recount(other)).toEqual([])
  } finally {
    await other[Symbol.asyncDispose]()
  }
})

it('while events pour in: no false difference, a wrong row is repaired, nothing is lost or doubled, and feed numbers stay one each', async () => {
  const versions = 3_000
  const pouring = (async () => {
    for (let from = 0; from < versions; from += 100) {
      const events = []
      for (let n = from; n < from + 100; n++) events.push(await log.version({ no: `p${n % 500}`, version: 1 + Math.floor(n / 500) }))
      await log.append([...events, ...await log.heartbeats('zj', 2 + from / 100)])
    }
  })()
  let looks = 0
  let wrong = 0
  let over = false
  void pouring.finally(() => { over = true })
  while (!over || looks < 4) {
    const spoil = looks % 2 === 1
    if (spoil) await replica.db.query(`UPDATE complaint SET disputed_fen = -5 WHERE record_id = 't12315/r2'`)
    const outcome = await ask()
    expect(outcome).toMatchObject({ different: 0, repaired: spoil ? 1 : 0 })
    expect(outcome.findings.map(({ recordId }) => recordId)).toEqual(spoil ? ['t12315/r2'] : [])
    looks++
    if (spoil) wrong++
  }
  await pouring
  const places = await log.append(await log.heartbeats('zj', 99))
  await replica.reaches(places)
  expect((await replica.db.query('SELECT 1 FROM audit')).rows).toHaveLength(wrong)
  const { rows: [count] } = await replica.db.query<{ current: bigint; history: bigint; numbers: bigint }>(
    `SELECT (SELECT count(*) FROM complaint WHERE record_id LIKE 't12315/p%') AS current, (SELECT count(*) FROM history WHERE record_id LIKE 't12315/p%') AS history,
            (SELECT count(DISTINCT change_no) FROM complaint) - (SELECT count(*) FROM complaint) AS numbers`)
  expect(count).toEqual({ current: 500n, history: BigInt(versions - 500), numbers: 0n })
  expect(await ask()).toMatchObject({ repaired: 0, different: 0 })
  expect(await recount(replica)).toEqual([])
})

it('killed in the middle of a repair: nothing of it stays, and the next process does it', async () => {
  const killed = await openReplica(fixture, 'sh')
  try {
    const first = killed.spawn()
    await eventually('the rows are there', async () => (await killed.db.query<{ n: bigint }>(`SELECT count(*) AS n FROM complaint WHERE record_id LIKE 't12315/r%'`)).rows[0]!.n === 60n, 60_000)
    await killed.db.query(`DELETE FROM complaint WHERE record_id = 't12315/r40'`)
    await killed.db.tx(async (c) => {
      await c.query('LOCK TABLE audit IN EXCLUSIVE MODE')
      await killed.db.query(`INSERT INTO scrub_request (kind, who, why) VALUES ('scrub', 'li', 'a test')`)
      await eventually('the repair waits for its last statement', async () => (await killed.db.query(`SELECT 1 FROM pg_locks WHERE relation = 'audit'::regclass AND NOT granted`)).rows.length > 0, 60_000)
      await first[Symbol.asyncDispose]()
      // What it sent last, the COMMIT included, would still be done: its machine is gone with it.
      await killed.db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'replicator%' AND datname = current_database()`)
      await eventually('its connections are gone', async () => (await killed.db.query(`SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'replicator%' AND datname = current_database()`)).rows.length === 0)
    })
    const { rows } = await killed.db.query(`SELECT 1 FROM complaint WHERE record_id = 't12315/r40' UNION ALL SELECT 1 FROM audit`)
    expect(rows).toEqual([])
    await killed.start()
    await eventually('the next one repairs it', async () => (await killed.db.query(`SELECT 1 FROM complaint WHERE record_id = 't12315/r40'`)).rows.length === 1, 60_000)
    expect((await killed.db.query('SELECT who, what FROM audit')).rows).toEqual([{ who: 'li', what: 'repair missing' }])
    expect(await recount(killed)).toEqual([])
  } finally {
    await killed[Symbol.asyncDispose]()
  }
})
