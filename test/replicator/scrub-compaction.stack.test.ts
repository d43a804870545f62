import { expect, it } from 'vitest'
import { openFixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { COMPACT_AT_ONCE } from '../topics.ts'
import { openLog } from './log.ts'
import { openReplica, recount, type Replica } from './replica.ts'

interface Outcome {
  readonly repaired: number
  readonly different: number
  readonly reasons: readonly string[]
  readonly findings: readonly { readonly recordId: string; readonly what: string }[]
}

async function compareWithLog({ db }: Replica, topic: string): Promise<Outcome> {
  const { rows: [request] } = await db.query<{ id: bigint }>(`INSERT INTO scrub_request (kind, topic, who, why) VALUES ('repair', $1, 'wang', 'a test') RETURNING id`, [topic])
  return eventually('the scrubber is done', async () => (await db.query<{ outcome: Outcome | null }>('SELECT outcome FROM scrub_request WHERE id = $1', [request!.id])).rows[0]?.outcome ?? undefined, 60_000)
}

it('what compaction took is no difference: rows that the log can no longer decide are named and left, all others are still proven', { timeout: 180_000 }, async () => {
  await using fixture = await openFixture({ settings: COMPACT_AT_ONCE })
  await using log = await openLog(fixture)
  await using replica = await openReplica(fixture, 'sh')
  await replica.start()
  const topic = log.topic('zj', 'complaint')
  const twice = await log.version({ no: 'twice', version: 1 })
  await replica.reaches(await log.append([
    ...await Promise.all(Array.from({ length: 60 }, (_, n) => log.version({ no: `n${n % 20}`, version: 1 + Math.floor(n / 20) }))),
    // The same event again, further up: compaction keeps the second, the replica stands on the first.
    twice, await log.version({ no: 'n1', version: 9 }), twice,
    // A stale one above the newest, and a bad one above a good one: compaction keeps the wrong ones.
    await log.version({ no: 'stale', version: 3 }), await log.version({ no: 'stale', version: 2 }),
    await log.version({ no: 'buried', version: 1 }), { ...(await log.version({ no: 'buried', version: 2 })), value: Buffer.from('bad') },
  ]))
  const before = (await replica.db.query('SELECT * FROM complaint ORDER BY record_id')).rows
  expect(await compareWithLog(replica, topic)).toMatchObject({ repaired: 0, different: 0, reasons: [] })

  const outcome = await eventually('compaction has taken what stood below', async () => {
    await replica.reaches(await log.append(await log.heartbeats('zj', 1)))
    const found = await compareWithLog(replica, topic)
    expect(found).toMatchObject({ repaired: 0, different: 0 })
    return found.findings.length === 2 ? found : undefined
  }, 120_000)
  expect(outcome.findings.map(({ recordId, what }) => `${recordId} ${what}`).sort()).toEqual(['t12315/buried unverifiable', 't12315/stale unverifiable'])
  expect((await replica.db.query('SELECT * FROM complaint ORDER BY record_id')).rows).toEqual(before)
  expect((await replica.db.query('SELECT 1 FROM audit')).rows).toEqual([])

  await replica.db.query(`DELETE FROM complaint WHERE record_id IN ('t12315/n3', 't12315/twice')`)
  await replica.db.query(`UPDATE complaint SET disputed_fen = 4 WHERE record_id = 't12315/n4'`)
  const { findings, different } = await compareWithLog(replica, topic)
  expect(different).toBe(0)
  expect(findings.filter(({ what }) => what !== 'unverifiable').map(({ recordId, what }) => `${recordId} ${what}`).sort()).toEqual(['t12315/n3 missing', 't12315/n4 changed', 't12315/twice missing'])
  expect(await recount(replica)).toEqual([])

  // On the log only its older version is left: putting that in its place would part this replica from the others, and the kept digest says so.
  await replica.db.query(`DELETE FROM complaint WHERE record_id = 't12315/stale'`)
  const undecided = await compareWithLog(replica, topic)
  expect(undecided).toMatchObject({ different: 1, reasons: [expect.stringContaining('t12315/stale')] })
  expect((await replica.db.query(`SELECT 1 FROM complaint WHERE record_id = 't12315/stale'`)).rows).toEqual([])
})
