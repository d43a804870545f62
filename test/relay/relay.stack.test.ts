import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { UnknownOutcomeError } from '@hub/runtime/kafka'
import { eventually } from '../eventually.ts'
import { openRelayHub, sequencesOf, valueOf } from './hub.ts'

let fixture: Fixture
beforeAll(async () => { fixture = await openFixture() })
afterAll(() => fixture[Symbol.asyncDispose]())

const dense = (sequences: readonly bigint[]): bigint[] => sequences.map((_, n) => BigInt(n))
const firstSeen = (sequences: readonly bigint[]): bigint[] => [...new Set(sequences)]

describe('from the outbox to the log', () => {
  it('every event of a partition is on the log once, in the order of its commits, with a dense sequence and its headers', async () => {
    await using hub = await openRelayHub(fixture, 'sh')
    const relay = await hub.relay()
    const partitions = [0, 1, 2].map((partition) => ({ topic: hub.topic('complaint'), partition }))
    for (let round = 0; round < 20; round++) await Promise.all(partitions.map((one) => hub.publish(one, Array.from({ length: 60 }, (_, n) => `k${round}-${n}`))))
    for (const one of partitions) {
      const { next_sequence: end } = (await hub.db.query<{ next_sequence: bigint }>('SELECT next_sequence FROM outbox_head WHERE topic = $1 AND partition = $2', [one.topic, one.partition])).rows[0]!
      expect(end).toBeGreaterThanOrEqual(1200n)
      await eventually('everything is sent', async () => (await hub.position(one)).last_sequence >= end - 1n)
      const log = await hub.log(one)
      const sequences = sequencesOf(log)
      expect(sequences).toEqual(dense(sequences))
      const events = log.filter(({ headers }) => headers['ce_type']?.toString() === 'test')
      expect(events.map(({ key }) => key!.toString())).toEqual(Array.from({ length: 1200 }, (_, n) => `k${Math.floor(n / 60)}-${n % 60}`))
      const { headers, value } = events[7]!
      expect(Object.fromEntries(Object.entries(headers).map(([name, bytes]) => [name, bytes.toString()]))).toEqual({
        ce_id: expect.any(String), ce_source: '/region/sh', ce_type: 'test', ce_time: '1970-01-01T00:00:00.000Z', ce_specversion: '1.0', 'content-type': 'application/avro', sequence: expect.any(String),
      })
      expect(value).toEqual(Buffer.alloc(20, 'k0-7'))
      const { rows } = await hub.db.query<{ first_sequence: bigint; last_sequence: bigint; first_offset: bigint }>('SELECT first_sequence, last_sequence, first_offset FROM sent_range WHERE topic = $1 AND partition = $2', [one.topic, one.partition])
      expect(sequences[0]).toBe(0n)
      expect(rows).toEqual([{ first_sequence: 0n, last_sequence: expect.any(BigInt), first_offset: log[0]!.offset }])
    }
    expect(relay.failures).toEqual([])
  })

  it('an event alone is on the log at once, not at the next poll', async () => {
    await using hub = await openRelayHub(fixture, 'js')
    await hub.relay()
    const one = { topic: hub.topic('recall'), partition: 1 }
    await hub.publish(one, ['first'])
    await eventually('the relay is up', async () => (await hub.position(one)).last_sequence >= 0n)
    const took: number[] = []
    for (let n = 0; n < 20; n++) {
      const [sequence] = await hub.publish(one, [`k${n}`])
      const from = performance.now()
      await eventually('sent', async () => (await hub.position(one)).last_sequence >= sequence!)
      took.push(performance.now() - from)
    }
    // Includes the write of the position, which follows the log by up to 20 ms, and the polling of this test.
    expect(took.sort((a, b) => a - b)[10]).toBeLessThan(150)
  })

  it('what is on the log leaves the outbox, and nothing else does', async () => {
    await using hub = await openRelayHub(fixture, 'zj')
    await hub.relay()
    const one = { topic: hub.topic('tally'), partition: 0 }
    await hub.publish(one, Array.from({ length: 3000 }, (_, n) => `k${n}`), 400)
    const waiting = async (): Promise<number> => Number((await hub.db.query<{ n: bigint }>('SELECT count(*) AS n FROM outbox WHERE key <> $1', ['heartbeat'])).rows[0]!.n)
    await eventually('the outbox is empty', async () => await waiting() === 0)
    expect((await hub.position(one)).last_sequence).toBeGreaterThanOrEqual(2999n)
    expect(firstSeen(sequencesOf(await hub.log(one))).length).toBeGreaterThanOrEqual(3000)
  })

  it('heartbeats carry one number on all partitions, go on after a restart, and say how long after their commit they were produced', async () => {
    await using hub = await openRelayHub(fixture, 'ah')
    const beats = async (partition: number): Promise<{ number: number; delay: number; committedAt: number }[]> => (await hub.log({ topic: hub.topic('complaint'), partition }))
      .filter(({ key }) => key?.toString() === 'heartbeat')
      .map(({ value, headers }) => ({ number: zigzag(value!, 5), delay: Number(headers['delay-ms']!.toString()), committedAt: Date.parse(headers['ce_time']!.toString()) }))
    const first = await hub.relay()
    await eventually('two heartbeats', async () => (await beats(0)).length >= 2)
    await first[Symbol.asyncDispose]()
    const before = await beats(0)
    await hub.relay()
    await eventually('a heartbeat of the next relay', async () => (await beats(0)).length > before.length)
    const all = await beats(0)
    expect(all.map(({ number }) => number)).toEqual(all.map((_, n) => n + 1))
    for (const { delay, committedAt } of all) {
      expect(delay).toBeGreaterThan(0)
      expect(delay).toBeLessThan(2_000)
      expect(Math.abs(Date.now() - committedAt)).toBeLessThan(60_000)
    }
    const other = await beats(5)
    expect(other.map(({ number }) => number).slice(0, before.length)).toEqual(before.map(({ number }) => number))
  })
})

describe('unknown outcomes', () => {
  it('nothing is lost when answers are lost, and consumers can tell the repeats by their sequence', async () => {
    await using hub = await openRelayHub(fixture, 'sh')
    const one = { topic: hub.topic('inspection-failure'), partition: 0 }
    const passes = { encoded: 0, acknowledged: 0 }
    const relay = await hub.relay({
      failpoint(point) {
        // Every fourth answer is lost on its way, every sixth request before it is sent.
        const pass = ++passes[point]
        if (point === 'acknowledged' && pass % 4 === 0) throw new UnknownOutcomeError(new Error('lost answer'))
        if (point === 'encoded' && pass % 6 === 1) throw new UnknownOutcomeError(new Error('lost request'))
      },
    })
    for (let round = 0; round < 15; round++) {
      const sequences = await hub.publish(one, Array.from({ length: 40 }, (_, n) => `k${round}-${n}`))
      await eventually('sent', async () => (await hub.position(one))?.last_sequence >= sequences.at(-1)!)
    }
    const sequences = sequencesOf(await hub.log(one))
    expect(firstSeen(sequences)).toEqual(dense(firstSeen(sequences)))
    expect(firstSeen(sequences).length).toBeGreaterThanOrEqual(600)
    expect(sequences.length).toBeGreaterThan(firstSeen(sequences).length)
    expect(await valueOf(relay.metrics, 'hub_relay_unknown_outcomes_total')).toBeGreaterThan(0)
  })
})

describe('a task fails', () => {
  it('while a request is under way: where its events stand is noted all the same', async () => {
    await using hub = await openRelayHub(fixture, 'ah')
    const one = { topic: hub.topic('complaint'), partition: 2 }
    const held = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    let holding = false
    const relay = await hub.relay({ failpoint: async (point) => {
      if (point !== 'encoded' || !holding) return
      held.resolve()
      await goOn.promise
    } })
    await hub.publish(one, ['a'])
    await eventually('sent', async () => (await hub.position(one)).last_sequence >= 0n)
    holding = true
    const [last] = await hub.publish(one, ['b'])
    await held.promise
    // Whoever looks for requests from now on fails for good; a sequence is not rolled back and tells.
    await hub.db.tx(async (c) => {
      await c.query('ALTER TABLE relay_request RENAME TO gone')
      await c.query('CREATE SEQUENCE asked')
      await c.query(`CREATE FUNCTION refuse() RETURNS SETOF gone LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('asked'); RAISE EXCEPTION 'gone' USING ERRCODE = '42000'; END $$`)
      await c.query('CREATE VIEW relay_request AS SELECT * FROM refuse()')
    })
    await eventually('a task has failed', async () => (await hub.db.query<{ is_called: boolean }>('SELECT is_called FROM asked')).rows[0]!.is_called)
    goOn.resolve()
    await eventually('it has failed', () => relay.failures.length === 1)
    expect((await hub.position(one)).last_sequence).toBeGreaterThanOrEqual(last!)
  })
})

describe('two relays at once', () => {
  it('one that stops between read and send loses nothing when another takes over and it sends late', async () => {
    await using hub = await openRelayHub(fixture, 'js')
    const one = { topic: hub.topic('complaint'), partition: 2 }
    const stopped = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    let stopping = false
    await hub.relay({ failpoint: async (point) => {
      if (point !== 'encoded' || !stopping) return
      stopped.resolve()
      await goOn.promise
    } })
    await hub.publish(one, ['a', 'b'])
    await eventually('the first relay sends', async () => (await hub.position(one)).last_sequence >= 1n)
    stopping = true
    const [, , last] = await hub.publish(one, ['c', 'd', 'e'])
    await stopped.promise
    // What a process that is stopped for longer than its lease looks like to the others.
    await hub.db.query(`UPDATE lease SET until = '-infinity' WHERE name = 'relay'`)
    const second = await hub.relay()
    await eventually('the second relay sends', async () => (await hub.position(one)).last_sequence >= last!)
    const end = (await hub.publish(one, ['f', 'g'])).at(-1)!
    await eventually('the second relay goes on', async () => (await hub.position(one)).last_sequence >= end)
    const before = sequencesOf(await hub.log(one)).length
    goOn.resolve()
    await eventually('the late send', async () => sequencesOf(await hub.log(one)).length > before)
    const final = (await hub.publish(one, ['h'])).at(-1)!
    await eventually('the second relay still goes on', async () => (await hub.position(one)).last_sequence >= final)
    const sequences = sequencesOf(await hub.log(one))
    expect(firstSeen(sequences)).toEqual(dense(firstSeen(sequences)))
    expect(sequences.length).toBeGreaterThan(firstSeen(sequences).length)
    // The stored ranges name the first place of each event, and cover all.
    const { rows } = await hub.db.query<{ first: bigint; last: bigint }>('SELECT first_sequence AS first, last_sequence AS last FROM sent_range WHERE topic = $1 AND partition = $2 ORDER BY 1', [one.topic, one.partition])
    expect(rows.map(({ first }, n) => (n === 0 ? first === 0n : first === rows[n - 1]!.last + 1n))).toEqual(rows.map(() => true))
    expect(second.failures).toEqual([])
  })

  it('the second waits, and takes over at once when the first stops', async () => {
    await using hub = await openRelayHub(fixture, 'zj')
    const one = { topic: hub.topic('complaint'), partition: 0 }
    const first = await hub.relay()
    await eventually('the first leads', () => active(first))
    const second = await hub.relay()
    await hub.publish(one, ['a'])
    await eventually('sent', async () => (await hub.position(one)).last_sequence >= 0n)
    expect(await active(second)).toBe(false)
    await first[Symbol.asyncDispose]()
    await eventually('the second leads', () => active(second), 1_500)
    const [b] = await hub.publish(one, ['b'])
    await eventually('sent', async () => (await hub.position(one)).last_sequence >= b!)
    const logged = sequencesOf(await hub.log(one))
    expect(firstSeen(logged)).toEqual(logged)

    async function active(relay: { metrics: Parameters<typeof valueOf>[0] }): Promise<boolean> {
      return await valueOf(relay.metrics, 'hub_relay_active') === 1
    }
  })
})

/** An Avro long. */
function zigzag(bytes: Buffer, at: number): number {
  let value = 0n
  for (let shift = 0n; ; shift += 7n, at++) {
    value |= BigInt(bytes[at]! & 0x7f) << shift
    if (bytes[at]! < 0x80) return Number((value >> 1n) ^ -(value & 1n))
  }
}
