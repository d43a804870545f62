import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { check } from '@hub/test/check/check'
import type { HistoryLine } from '@hub/test/check/history'
import { readReplicaState } from '@hub/test/check/replica-state'
import type { Region } from '@hub/schemas/streams'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log, type Raw } from './log.ts'
import { openReplica, recount, type Replica, type Spawned } from './replica.ts'

let fixture: Fixture
let log: Log
beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
})
afterAll(async () => {
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

type Place = { topic: string; partition: number; offset: number }

describe('two processes on one replica', () => {
  it('killed at random moments: lost 0, doubled 0, counters equal a recount, digests equal', { timeout: 120_000 }, async () => {
    const seed = Number(process.env['HUB_TEST_SEED'] ?? Date.now() % 1_000_000)
    console.log(`HUB_TEST_SEED=${seed}`)
    const random = mulberry32(seed)
    await using raced = await openReplica(fixture, 'sh')
    await using calm = await openReplica(fixture, 'js')
    await calm.start()
    let processes: Spawned[] = [raced.spawn(), raced.spawn()]
    await eventually('one of them applies', async () => (await raced.partitions()).length > 0, 30_000)

    const places: Place[] = []
    const history: HistoryLine[] = []
    let killed = 0
    let writing = true
    const writer = (async () => {
      for (let round = 0; round < 40; round++) {
        const sent = await versions(random, round, history)
        places.push(...await log.append(sent))
        if (round % 5 === 4) places.push(...await log.append(await log.heartbeats('zj', 25 + round)))
        await new Promise((resolve) => setTimeout(resolve, random() * 250))
      }
      writing = false
    })()
    while (writing) {
      await new Promise((resolve) => setTimeout(resolve, 300 + random() * 900))
      const holder = await holderOf(raced)
      const victim = processes.find(({ process: { pid } }) => pid === holder) ?? processes[Math.floor(random() * 2)]!
      victim.process.kill('SIGKILL')
      killed++
      // What a machine would do; a test does not wait for the ten seconds of a dead process's lease.
      if (random() < 0.7) await raced.db.query(`UPDATE applier SET lease_until = '-infinity' WHERE id = 1`)
      processes = [...processes.filter((one) => one !== victim), raced.spawn()]
    }
    await writer
    await Promise.all([raced, calm].map((replica) => replica.reaches(places, 40_000)))

    expect(killed).toBeGreaterThan(3)
    for (const replica of [raced, calm]) {
      expect(await recount(replica)).toEqual([])
      expect(check(history, [await readReplicaState(replica.region, replica.db, fixture.prefix)])).toEqual([])
    }
    const outcome = async (replica: Replica) => (await replica.partitions(log.topic('zj', 'complaint')))
      .map((row) => ({ next: row.next_offset, taken: row.applied + row.folded, stale: row.stale, duplicate: row.duplicate, records: row.records, digest: row.digest, last: row.last_sequence }))
    expect(await outcome(raced)).toEqual(await outcome(calm))
    const cuts = async ({ db, region }: Replica): Promise<unknown> => (await db.query('SELECT topic, partition, next_offset, digest, parked_digest FROM checkpoint WHERE region = $1 ORDER BY 1, 2, 3', [region])).rows
    expect(await cuts(raced)).toEqual(await cuts(calm))
  })

  it('one that stood still and wakes up again is fenced: its write is refused', { timeout: 90_000 }, async () => {
    await using replica = await openReplica(fixture, 'ah')
    const sleeper = replica.spawn()
    const before = await log.append(await Promise.all(Array.from({ length: 20 }, (_, n) => log.version({ no: `s${n}`, version: 1 }))))
    await replica.reaches(before, 30_000)
    expect(await holderOf(replica)).toBe(sleeper.process.pid)
    sleeper.process.kill('SIGSTOP')
    const successor = replica.spawn()
    await eventually('the other one has taken over', async () => (await holderOf(replica)) === successor.process.pid, 30_000)
    const during = await log.append(await Promise.all(Array.from({ length: 20 }, (_, n) => log.version({ no: `s${n}`, version: 2 }))))
    await replica.reaches(during)
    sleeper.process.kill('SIGCONT')
    await eventually('it is fenced', () => sleeper.lines.some((line) => line.includes('fenced, nothing of this is kept')))
    const after = await log.append(await Promise.all(Array.from({ length: 20 }, (_, n) => log.version({ no: `s${n}`, version: 3 }))))
    await replica.reaches(after)
    expect(await holderOf(replica)).toBe(successor.process.pid)
    expect(await recount(replica)).toEqual([])
    const { rows } = await replica.db.query<{ n: bigint }>(`SELECT count(*) AS n FROM complaint WHERE record_id LIKE 't12315/s%' AND version = 3`)
    expect(rows[0]!.n).toBe(20n)
  })

  it('one that ends in order hands over at once', { timeout: 60_000 }, async () => {
    await using replica = await openReplica(fixture, 'sh')
    const first = replica.spawn()
    await eventually('the first one applies', async () => (await holderOf(replica)) === first.process.pid, 30_000)
    const second = replica.spawn()
    await eventually('the second one is joined', async () => second.lines.length >= 0 && (await backends(replica)) >= 2, 30_000)
    const began = performance.now()
    first.process.kill('SIGTERM')
    await eventually('handed over', async () => (await holderOf(replica)) === second.process.pid)
    await replica.reaches(await log.append([await log.version({ no: 'handed', version: 1 })]))
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})

async function versions(random: () => number, round: number, history: HistoryLine[]): Promise<Raw[]> {
  const sent: Raw[] = []
  const region: Region = 'zj'
  for (let n = 0; n < 40; n++) {
    const no = `r${Math.floor(random() * 200)}`
    const key = `t12315/${no}`
    const last = history.filter((line) => line.key === key).length
    const event = await log.version({ region, no, version: last + 1, fen: round })
    history.push({ topic: log.topic(region, 'complaint'), key, ver: last + 1, outcome: 'ok' })
    sent.push(event)
  }
  return sent
}

async function holderOf({ db }: Replica): Promise<number | undefined> {
  const { rows } = await db.query<{ owner: string | null }>('SELECT owner FROM applier').catch(() => ({ rows: [] }))
  const pid = rows[0]?.owner?.split('/')[1]
  return pid === undefined ? undefined : Number(pid)
}

async function backends({ db }: Replica): Promise<number> {
  const { rows } = await db.query<{ n: bigint }>(`SELECT count(DISTINCT client_port) AS n FROM pg_stat_activity WHERE application_name = 'replicator' AND datname = current_database()`)
  return Number(rows[0]!.n)
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
