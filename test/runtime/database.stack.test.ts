import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, connect as connectTo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createDb, DbError, migrate, releaseLease, renewLease, tryLease, type Db } from '@hub/runtime/db'
import { appendOutbox, byteaArray, boolArray, dateArray, ensureHeads, float8Array, int4Array, int8Array, lockHeads, migrateOutbox, notifyOutbox, OUTBOX_CHANNEL, textArray, timestamptzArray, type OutboxRow } from '@hub/runtime/db'
import { HubError } from '@hub/runtime/errors'
import { createLog } from '@hub/runtime/log'
import { openDatabase, type TestDatabase } from './database.ts'

const log = createLog({ service: 'test', level: 'silent' })
let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await openDatabase()
  db = database.db
  await migrateOutbox(db)
})
afterAll(() => database[Symbol.asyncDispose]())

describe('a transaction', () => {
  beforeAll(async () => {
    await db.query('CREATE TABLE note (id int PRIMARY KEY, deferred int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
  })
  const ids = async (): Promise<number[]> => (await db.query<{ id: number }>('SELECT id FROM note ORDER BY id')).rows.map(({ id }) => id)

  test('keeps all of its work or none', async () => {
    expect(await db.tx(async (client) => {
      await client.query('INSERT INTO note VALUES (1)')
      return 'done'
    })).toBe('done')
    await expect(db.tx(async (client) => {
      await client.query('INSERT INTO note VALUES (2)')
      throw new Error('changed my mind')
    })).rejects.toThrow('changed my mind')
    expect(await ids()).toEqual([1])
  })

  test('throws what the work threw, as it is', async () => {
    const own = new HubError('MINE', 'mine', { fields: { a: 1 } })
    await expect(db.tx(() => Promise.reject(own))).rejects.toBe(own)
    const system = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    await expect(db.tx(() => { throw system })).rejects.toBe(system)
    expect(await db.tx((client) => client.query('SELECT 1 AS one'))).toMatchObject({ rows: [{ one: 1 }] })
  })

  test('never passes for committed when a statement failed, even if the work caught that', async () => {
    await expect(db.tx(async (client) => {
      await client.query('INSERT INTO note VALUES (3)')
      await client.query('INSERT INTO note VALUES (3)').catch(() => {})
    })).rejects.toMatchObject({ name: 'DbError', class: 'other', outcomeUnknown: false })
    expect(await ids()).not.toContain(3)
  })

  test('says data for what is refused at once and at the commit: its outcome is known', async () => {
    await expect(db.tx((client) => client.query('INSERT INTO note VALUES (1)'))).rejects.toMatchObject({ class: 'data', sqlState: '23505', retriable: false, outcomeUnknown: false })
    await expect(db.tx((client) => client.query('INSERT INTO note VALUES (4, 1), (5, 1)'))).rejects.toMatchObject({ class: 'data', sqlState: '23505', outcomeUnknown: false })
    await expect(db.query('SELECT $1::text', ['\u0000'])).rejects.toMatchObject({ class: 'data', sqlState: '22021' })
    await expect(db.query('SELECT * FROM nowhere')).rejects.toMatchObject({ class: 'other', sqlState: '42P01', retriable: false })
  })

  test('says transient when its connection is lost, and the pool goes on', async () => {
    await expect(db.tx(async (client) => {
      const { rows: [me] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      await db.query('SELECT pg_terminate_backend($1)', [me!.pid])
      await client.query('SELECT 1')
    })).rejects.toMatchObject({ name: 'DbError', class: 'transient', retriable: true, outcomeUnknown: false })
    expect((await db.query<{ one: number }>('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  test('a statement that is only sent is done in its order, by the COMMIT at the latest', async () => {
    await db.tx(async (client) => {
      client.send({ text: 'INSERT INTO note VALUES ($1)', values: [20] })
      client.send({ text: 'UPDATE note SET id = id + 1 WHERE id = $1', values: [20] })
      expect((await client.query('SELECT id FROM note WHERE id = $1', [21])).rows).toEqual([{ id: 21 }])
      client.send({ text: 'UPDATE note SET id = id + 1 WHERE id = $1', values: [21] })
    })
    expect(await ids()).toContain(22)
  })

  test('a sent statement that fails fails the transaction as what it is, and nothing behind it is done', async () => {
    await expect(db.tx((client) => {
      client.send({ text: 'INSERT INTO note VALUES ($1)', values: [30] })
      client.send({ name: 'twice', text: 'INSERT INTO note VALUES ($1)', values: [30] })
      client.send({ text: 'INSERT INTO note VALUES ($1)', values: [31] })
      return Promise.resolve()
    })).rejects.toMatchObject({ class: 'data', sqlState: '23505', outcomeUnknown: false })
    expect((await ids()).filter((id) => id >= 30)).toEqual([])
    // What was prepared in a failed transaction stays prepared.
    await using one = database.open(1)
    const share = (of: number) => one.tx((client) => client.query({ name: 'share', text: 'SELECT 6 / $1::int AS share', values: [of] }))
    await expect(share(0)).rejects.toMatchObject({ sqlState: '22012' })
    expect(await share(2)).toMatchObject({ rows: [{ share: 3 }] })
  })

  test('what was sent before the work threw never reaches the server', async () => {
    await using one = database.open(1)
    await expect(one.tx(async (client) => {
      client.send({ text: 'INSERT INTO note VALUES ($1)', values: [40] })
      void client.query('INSERT INTO note VALUES ($1)', [41]).catch(() => {})
      return Promise.reject(new Error('changed my mind'))
    })).rejects.toThrow('changed my mind')
    expect((await one.query('SELECT id FROM note WHERE id >= 40')).rows).toEqual([])
    expect(await one.tx((client) => client.query('SELECT $1::int AS n', [1]))).toMatchObject({ rows: [{ n: 1 }] })
  })

  test('says that the outcome is unknown when the connection dies during COMMIT', async () => {
    await using proxy = await startProxy(database.url)
    await using through = createDb({ url: proxy.url, name: 'proxied', max: 1, log })
    const failure = await through.tx(async (client) => {
      await client.query('INSERT INTO note VALUES (6)')
      proxy.loseAnswers({ hangUp: true })
    }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(DbError)
    expect(failure).toMatchObject({ outcomeUnknown: true, class: 'transient', retriable: true })
    await vi.waitFor(async () => expect(await ids()).toContain(6), 5_000)
  })

  test('waits for no answer for ever: neither for a COMMIT nor for a statement', async () => {
    await using proxy = await startProxy(database.url)
    await using through = createDb({ url: proxy.url, name: 'proxied', max: 1, log, answerMs: 300 })
    await expect(through.query({ text: 'SELECT pg_sleep(0.5)', timeoutMs: 5_000 })).resolves.toMatchObject({ rowCount: 1 })
    await expect(through.tx((client) => client.query('SELECT pg_sleep(5)'))).rejects.toMatchObject({ class: 'transient', outcomeUnknown: false })
    await expect(through.tx(async (client) => {
      await client.query('INSERT INTO note VALUES (7)')
      proxy.loseAnswers({ hangUp: false })
    })).rejects.toMatchObject({ outcomeUnknown: true, class: 'transient' })
    await vi.waitFor(async () => expect(await ids()).toContain(7), 5_000)
  })

  test('says transient when nobody answers at all', async () => {
    await using gone = createDb({ url: 'postgres://hub@127.0.0.1:1/none', name: 'gone', max: 1, log })
    await expect(gone.query('SELECT 1')).rejects.toMatchObject({ class: 'transient', retriable: true })
    await expect(gone.tx(() => Promise.resolve())).rejects.toMatchObject({ class: 'transient', outcomeUnknown: false })
  })
})

describe('values', () => {
  test('int8 is a bigint, bytea a buffer', async () => {
    const text = 'SELECT 9007199254740993::int8 AS big, \'\\x00ff\'::bytea AS bytes, 7::int4 AS small, NULL::int8 AS none'
    expect((await db.query({ text })).rows).toEqual([{ big: 9_007_199_254_740_993n, bytes: Buffer.from([0, 255]), small: 7, none: null }])
  })

  test.each<[string, Buffer, unknown[]]>([
    ['text', textArray(['a', null, '', '浙江"\\,{}', '𠮷']), ['a', null, '', '浙江"\\,{}', '𠮷']],
    ['bytea', byteaArray([Buffer.from([0, 1]), null, Buffer.alloc(0)]), [Buffer.from([0, 1]), null, Buffer.alloc(0)]],
    ['int8', int8Array([1n, null, -(2n ** 63n), 2n ** 63n - 1n, 5]), [1n, null, -(2n ** 63n), 2n ** 63n - 1n, 5n]],
    ['int4', int4Array([1, null, -(2 ** 31), 2 ** 31 - 1]), [1, null, -(2 ** 31), 2 ** 31 - 1]],
    ['float8', float8Array([1.5, null, -0.1]), [1.5, null, -0.1]],
    ['bool', boolArray([true, null, false]), [true, null, false]],
    ['timestamptz', timestamptzArray([0, null, 1_773_538_200_250, -1]), [new Date(0), null, new Date(1_773_538_200_250), new Date(-1)]],
    ['text', textArray([]), []],
  ])('an array of %s arrives as it was', async (type, array, expected) => {
    const { rows } = await db.query<{ v: unknown }>(`SELECT v FROM unnest($1::${type}[]) WITH ORDINALITY AS u(v, n) ORDER BY n`, [array])
    expect(rows.map(({ v }) => v)).toEqual(expected)
  })

  test('dates arrive as the days they are', async () => {
    const days = ['1900-01-01', '1999-12-31', '2000-01-01', '2024-02-29', '9999-12-31']
    const { rows } = await db.query<{ v: string }>('SELECT v::text FROM unnest($1::date[]) WITH ORDINALITY AS u(v, n) ORDER BY n', [dateArray([...days, null])])
    expect(rows.map(({ v }) => v)).toEqual([...days, null])
    expect(() => dateArray(['soon'])).toThrow(RangeError)
  })
})

describe('migrations', () => {
  test('two processes that start at once apply each file once', async () => {
    await using folder = await migrations({ '0001-a.sql': 'CREATE TABLE m_a (id int); SELECT pg_sleep(0.2);', '0002-b.sql': 'INSERT INTO m_a VALUES (1);' })
    const script = `
      import { createDb, migrate } from ${JSON.stringify(import.meta.resolve('@hub/runtime/db'))}
      import { createLog } from ${JSON.stringify(import.meta.resolve('@hub/runtime/log'))}
      const db = createDb({ url: process.env.URL, name: 'migrating', max: 1, log: createLog({ service: 'test' }) })
      await migrate(db, 'm', new URL(process.env.FOLDER))
      await db.close()`
    const codes = await Promise.all([1, 2].map(async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { ...process.env, URL: database.url, FOLDER: folder.url.href }, stdio: ['ignore', 'inherit', 'inherit'] })
      return (await once(child, 'exit'))[0] as number
    }))
    expect(codes).toEqual([0, 0])
    expect((await db.query('SELECT count(*)::int AS n FROM m_a')).rows).toEqual([{ n: 1 }])
    expect((await db.query(`SELECT number FROM schema_migration WHERE component = 'm' ORDER BY number`)).rows).toEqual([{ number: 1 }, { number: 2 }])
  })

  test('a changed file is refused by name, and nothing after it is done', async () => {
    await using folder = await migrations({ '0001-a.sql': 'CREATE TABLE c_a (id int);' })
    await migrate(db, 'c', folder.url)
    await folder.write({ '0001-a.sql': 'CREATE TABLE c_a (id bigint);', '0002-b.sql': 'CREATE TABLE c_b (id int);' })
    await expect(migrate(db, 'c', folder.url)).rejects.toMatchObject({ code: 'MIGRATION_CHANGED', message: expect.stringContaining('c/0001-a.sql') })
    await expect(db.query('SELECT * FROM c_b')).rejects.toMatchObject({ sqlState: '42P01' })
  })

  test('a file that fails leaves nothing behind and is tried again', async () => {
    await using folder = await migrations({ '0001-a.sql': 'CREATE TABLE f_a (id int); SELECT 1 / 0;' })
    await expect(migrate(db, 'f', folder.url)).rejects.toBeInstanceOf(DbError)
    await folder.write({ '0001-a.sql': 'CREATE TABLE f_a (id int);' })
    await migrate(db, 'f', folder.url)
    expect((await db.query('SELECT * FROM f_a')).rows).toEqual([])
  })
})

describe('leases', () => {
  test('one owner at a time; a new one raises the epoch, and the old one can neither renew nor release it', async () => {
    const mine = await tryLease(db, 'a', 'one', 60_000)
    expect(mine).toMatchObject({ epoch: 1n })
    expect(await tryLease(db, 'a', 'two', 60_000)).toBeUndefined()
    expect(await renewLease(db, mine!, 0)).toBe(true)
    const theirs = await vi.waitUntil(() => tryLease(db, 'a', 'two', 60_000), 5_000)
    expect(theirs).toMatchObject({ epoch: 2n })
    expect(await renewLease(db, mine!, 60_000)).toBe(false)
    await releaseLease(db, mine!)
    expect(await tryLease(db, 'a', 'one', 60_000)).toBeUndefined()
    await releaseLease(db, theirs!)
    expect(await tryLease(db, 'a', 'one', 60_000)).toMatchObject({ epoch: 3n })
  })

  test('of many that ask at once one gets it', async () => {
    const pool = database.open(8)
    const leases = await Promise.all(Array.from({ length: 8 }, (_, n) => tryLease(pool, 'b', `owner-${n}`, 60_000)))
    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1)
  })
})

describe('the outbox', () => {
  const partitions = [{ topic: 't', partition: 0 }, { topic: 't', partition: 1 }]
  const row = (partition: number, sequence: bigint): OutboxRow => ({
    topic: 't', partition, sequence, key: 'k', value: Buffer.from('v'), type: 'T', eventId: null, subject: null, timeMs: 0, traceparent: null,
  })

  test('sequences are dense per partition and commit in their order, whatever happens at once', async () => {
    await ensureHeads(db, partitions)
    await ensureHeads(db, partitions)
    const pool = database.open(6)
    const publish = (n: number): Promise<void> => pool.tx(async (client) => {
      const touched = n % 3 === 0 ? partitions.toReversed() : [partitions[n % 2]!]
      const heads = await lockHeads(client, touched)
      appendOutbox(client, touched.flatMap(({ topic, partition }) => {
        const next = heads.get(`${topic}/${partition}`)!
        return [row(partition, next), row(partition, next + 1n)]
      }))
      if (n % 7 === 0) throw new Error('rolled back')
    })
    await Promise.allSettled(Array.from({ length: 60 }, (_, n) => publish(n)))
    const { rows } = await db.query<{ partition: number; low: bigint; high: bigint; n: bigint; head: bigint }>(`
      SELECT o.partition, min(sequence) AS low, max(sequence) AS high, count(*) AS n, max(h.next_sequence) AS head
        FROM outbox o JOIN outbox_head h USING (topic, partition) GROUP BY o.partition ORDER BY 1`)
    expect(rows).toHaveLength(2)
    for (const { low, high, n, head } of rows) expect([low, high + 1n, head]).toEqual([0n, n, n])
  })

  test('whoever listens hears of new rows, also after its connection was lost', async () => {
    let heard = 0
    await using _listener = await db.listen(OUTBOX_CHANNEL, () => heard++)
    const before = heard
    notifyOutbox(db)
    notifyOutbox(db)
    await vi.waitFor(() => expect(heard).toBeGreaterThan(before), 5_000)
    await db.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`)
    const lost = heard
    await vi.waitFor(() => expect(heard).toBeGreaterThan(lost), 8_000)
    const back = heard
    await vi.waitFor(() => {
      notifyOutbox(db)
      expect(heard).toBeGreaterThan(back)
    }, 5_000)
  })

  test('who cannot listen at the start is told, and nothing goes on trying behind its back', async () => {
    await using gone = createDb({ url: 'postgres://hub@127.0.0.1:1/none', name: 'gone', max: 1, log })
    await expect(gone.listen('x', () => {})).rejects.toMatchObject({ class: 'transient' })
  })
})

interface Migrations extends AsyncDisposable {
  readonly url: URL
  write(files: Record<string, string>): Promise<void>
}

async function migrations(files: Record<string, string>): Promise<Migrations> {
  const path = await mkdtemp(join(tmpdir(), 'migrations-'))
  const write = async (more: Record<string, string>): Promise<void> => {
    for (const [name, sql] of Object.entries(more)) await writeFile(join(path, name), sql)
  }
  await write(files)
  return { url: pathToFileURL(path), write, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

/** A pass-through to the database that can swallow what the server says and then hang up, as a network does. */
async function startProxy(target: string): Promise<AsyncDisposable & { url: string; loseAnswers(how: { hangUp: boolean }): void }> {
  const url = new URL(target)
  const port = Number(url.port)
  const host = url.hostname
  const pairs = new Set<{ client: Socket; upstream: Socket }>()
  const server = createServer((client) => {
    const upstream = connectTo(port, host)
    pairs.add({ client, upstream })
    client.on('error', () => {}).pipe(upstream)
    upstream.on('error', () => {}).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url.host = `127.0.0.1:${(server.address() as { port: number }).port}`
  return {
    url: url.href,
    loseAnswers({ hangUp }) {
      for (const { client, upstream } of pairs) {
        upstream.unpipe(client)
        upstream.once('data', () => {
          if (hangUp) client.destroy()
        }).resume()
      }
    },
    async [Symbol.asyncDispose]() {
      for (const { client, upstream } of pairs) {
        client.destroy()
        upstream.destroy()
      }
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
