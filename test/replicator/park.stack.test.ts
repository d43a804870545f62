import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFixture, type Fixture } from '@hub/test/fixture'
import { eventually } from '../eventually.ts'
import { openLog, type Log, type Raw } from './log.ts'
import { openReplica, recount, type Replica } from './replica.ts'

let fixture: Fixture
let log: Log
let replicas: Replica[]

beforeAll(async () => {
  fixture = await openFixture()
  log = await openLog(fixture)
  replicas = await Promise.all([openReplica(fixture, 'zj'), openReplica(fixture, 'js')])
  await Promise.all(replicas.map((replica) => replica.start()))
})
afterAll(async () => {
  await Promise.all((replicas ?? []).map((replica) => replica[Symbol.asyncDispose]()))
  await log?.[Symbol.asyncDispose]()
  await fixture?.[Symbol.asyncDispose]()
})

const good = (no: string, version: number): Promise<Raw> => log.version({ no, version })

/** A bad event for a record, by what is wrong with it. */
const POISON: Record<string, { reason: string; make: (no: string, version: number) => Promise<Raw> }> = {
  'no Avro framing': { reason: 'not-avro-framed', make: async (no, v) => ({ ...(await good(no, v)), value: Buffer.from('{"not":"avro"}') }) },
  'an empty value': { reason: 'not-avro-framed', make: async (no, v) => ({ ...(await good(no, v)), value: Buffer.alloc(0) }) },
  'an unknown schema id': { reason: 'unknown-schema', make: async (no, v) => ({ ...(await good(no, v)), value: withId(await good(no, v), 2_000_000_000) }) },
  'a body cut short': { reason: 'bounds', make: async (no, v) => ({ ...(await good(no, v)), value: (await good(no, v)).value.subarray(0, 30) }) },
  'bytes behind the end': { reason: 'bounds', make: async (no, v) => ({ ...(await good(no, v)), value: Buffer.concat([(await good(no, v)).value, Buffer.from([0])]) }) },
  'a length of 10^15': { reason: 'bounds', make: async (no, v) => ({ ...(await good(no, v)), value: withLength((await good(no, v)).value) }) },
  'a key that is not the record id': { reason: 'wrong-key', make: async (no, v) => ({ ...(await good('other', v)), ...place(await good(no, v)) }) },
  'another region in the body': { reason: 'wrong-region', make: async (no, v) => ({ ...(await log.version({ no, version: v, fields: { region: 'ah' } })) }) },
  'another partition than its key says': { reason: 'wrong-partition', make: async (no, v) => { const event = await good(no, v); return { ...event, partition: (event.partition + 1) % 6 } } },
  'an event of another stream': { reason: 'foreign-contract', make: async (no, v) => ({ ...(await good(no, v)), value: (await log.version({ no, version: v, stream: 'tally', kind: 'void' })).value }) },
  'a kind that ends, with everything in it': { reason: 'foreign-contract', make: (no, v) => log.version({ no, version: v, fields: { kind: 'void' } }) },
  'a kind nobody knows': { reason: 'unknown-kind', make: (no, v) => log.version({ no, version: v, fields: { kind: 'guess' } }) },
  'version zero': { reason: 'bad-version', make: (no) => log.version({ no, version: 0 }) },
  'U+0000 in a text': { reason: 'unstorable', make: (no, v) => log.version({ no, version: v, fields: { state: 'a\0b' } }) },
  'a day beyond every calendar': { reason: 'unstorable', make: (no, v) => log.version({ no, version: v, fields: { registeredOn: 2_000_000_000 } }) },
  'a text no index takes': { reason: 'unstorable', make: (no, v) => log.version({ no, version: v, fields: { state: 'x'.repeat(5_000) } }) },
}

describe('a bad event is parked alone, and a later good version supersedes it', () => {
  for (const [name, { reason, make }] of Object.entries(POISON)) {
    it(`${name}: ${reason}`, async () => {
      const no = `poison-${Object.keys(POISON).indexOf(name)}`
      const [first, bad, later, next] = [await good(no, 1), await make(no, 2), await good(no, 3), await good(`${no}-next`, 1)]
      const places = await log.append([first, bad, next])
      for (const replica of replicas) {
        await replica.reaches(places)
        const { rows } = await replica.db.query<{ reason: string; buried: boolean }>(
          'SELECT reason, buried_by IS NOT NULL AS buried FROM parked WHERE topic = $1 AND partition = $2 AND log_offset = $3', [places[1]!.topic, places[1]!.partition, places[1]!.offset])
        expect(rows).toEqual([{ reason, buried: false }])
        expect(await versionOf(replica, no)).toBe(1n)
        expect(await versionOf(replica, `${no}-next`)).toBe(1n)
      }
      const again = await log.append([later])
      for (const replica of replicas) {
        await replica.reaches(again)
        expect(await versionOf(replica, no)).toBe(3n)
      }
    })
  }

  it('an event without a sequence', async () => {
    const places = await log.appendBare([await good('bare', 1)])
    for (const replica of replicas) {
      await replica.reaches(places)
      expect(await versionOf(replica, 'bare')).toBeUndefined()
    }
  })

  it('all replicas park the same ones, and say so to the region they come from', async () => {
    const state = async (replica: Replica): Promise<unknown> => (await replica.db.query(
      'SELECT topic, partition, log_offset, key, reason, hash_hi, hash_lo, buried_by FROM parked ORDER BY topic, partition, log_offset')).rows
    const [one, other] = await Promise.all(replicas.map(state))
    expect(one).toEqual(other)
    expect((one as unknown[]).length).toBe(Object.keys(POISON).length + 1)
    for (const replica of replicas) expect(await recount(replica)).toEqual([])
    for (const replica of replicas) {
      await eventually('parked events wait in the outbox', async () => {
        const { rows: [row] } = await replica.db.query<{ n: bigint }>('SELECT count(*) AS n FROM outbox WHERE topic = $1', [log.topic(replica.region, 'parked')])
        return Number(row!.n) === Object.keys(POISON).length + 1
      })
    }
  })
})

describe('shadowed', () => {
  it('a stale event hides the newest version until that comes again; only the origin keeps it', async () => {
    const [newest, stale] = [await good('shadow', 5), await good('shadow', 4)]
    const shadowed = async (replica: Replica): Promise<unknown[]> => (await replica.db.query<{ version: bigint }>(`SELECT version, value FROM shadowed WHERE record_id = 't12315/shadow'`)).rows
    const hidden = await log.append([newest, stale])
    for (const replica of replicas) await replica.reaches(hidden)
    expect(await shadowed(replicas[0]!)).toEqual([{ version: 5n, value: newest.value }])
    expect(await shadowed(replicas[1]!)).toEqual([])
    await replicas[0]!.reaches(await log.append([newest]))
    expect(await shadowed(replicas[0]!)).toEqual([])
  })

  it('a parked event above a good version does the same', async () => {
    const [first, bad] = [await good('shadow-2', 1), { ...(await good('shadow-2', 2)), value: Buffer.from('bad') }]
    await replicas[0]!.reaches(await log.append([first, bad]))
    const { rows } = await replicas[0]!.db.query<{ version: bigint }>(`SELECT version FROM shadowed WHERE record_id = 't12315/shadow-2'`)
    expect(rows).toEqual([{ version: 1n }])
    await replicas[0]!.reaches(await log.append([first]))
    expect((await replicas[0]!.db.query(`SELECT 1 FROM shadowed WHERE record_id = 't12315/shadow-2'`)).rows).toEqual([])
  })
})

async function versionOf({ db }: Replica, no: string): Promise<bigint | undefined> {
  const { rows } = await db.query<{ version: bigint }>('SELECT version FROM complaint WHERE region = $1 AND record_id = $2', ['zj', `t12315/${no}`])
  return rows[0]?.version
}

function place({ topic, partition, key }: Raw): Pick<Raw, 'topic' | 'partition' | 'key'> {
  return { topic, partition, key }
}

function withId({ value }: Raw, id: number): Buffer {
  const copy = Buffer.from(value)
  copy.writeInt32BE(id, 1)
  return copy
}

/** The first string of the record claims 10^15 bytes. */
function withLength(value: Buffer): Buffer {
  let n = 2n * 10n ** 15n
  const bytes: number[] = []
  for (; n > 127n; n >>= 7n) bytes.push(Number(n & 127n) | 128)
  bytes.push(Number(n))
  return Buffer.concat([value.subarray(0, 5), Buffer.from(bytes), value.subarray(6)])
}
