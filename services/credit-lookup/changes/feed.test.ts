import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createLog } from '@hub/runtime/log'
import { createMetrics } from '@hub/runtime/metrics'
import { recordHash } from '@hub/schemas/record-rule'
import { Details } from '../details.ts'
import { Holdings } from '../holdings.ts'
import type { Life } from '../life.ts'
import type { Reader } from '../reader.ts'
import type { Store } from '../store.ts'
import { createChanges, type Changes } from './feed.ts'
import { Ring } from './ring.ts'
import type { Teller } from './tell.ts'

let dir: string
let life: Life & { partitions: { next: number }[] }
let changes: Changes
let closing: AbortController
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'feed-'))
  life = { holdings: new Holdings(new Details(dir), 1), partitions: [{ next: 0 }], changes: new Ring([0], undefined, 50), logs: '0123abcd', loaded: true } as unknown as typeof life
  closing = new AbortController()
  const store = { seen: () => Promise.reject(new Error('the database is down')) } as unknown as Store
  // What is told is the matter of the teller: here, the version that is current.
  const teller: Teller = { tell: ({ holdings }, _number, { recordId, offset }) => (holdings.current(recordId)!.offset === offset ? `event: put\ndata: ${recordId} ${offset} ${'x'.repeat(2_000)}\n\n` : undefined) }
  changes = createChanges({ reader: { get life() { return life }, failed: () => {} } as unknown as Reader, teller, store, log: createLog({ service: 'test', level: 'silent' }), metrics: createMetrics({}), closing: closing.signal, stallMs: 50 })
})
afterEach(() => {
  closing.abort()
  life.holdings[Symbol.dispose]()
  rmSync(dir, { recursive: true })
})

it('tells what is current of what changed, goes on where a reader was, and goes on with the database down', async () => {
  const first = connect()
  for (const id of ['a', 'b', 'a']) take(id)
  await first.until((told) => told.length === 2)
  expect(first.told()).toEqual(['b 1', 'a 2'])
  const at = first.cursor()
  first.leave()
  await first.done
  for (const id of ['c', 'b']) take(id)
  const again = connect(at)
  await again.until((told) => told.length === 2)
  expect(again.told()).toEqual(['c 3', 'b 4'])
})

it('a reader that does not take what is written is cut with its cursor, and the others are told everything', async () => {
  const slow = connect(undefined, true)
  const quick = connect()
  for (let n = 0; n < 40; n++) take(`r${n}`)
  await slow.done
  expect(slow.raw.destroyed).toBe(true)
  await quick.until((told) => told.length === 40)
  const again = connect(slow.cursor())
  await again.until((told) => told.at(-1) === 'r39 39')
  // The cursor that it has got is that of the last it was sent whole, or of one before.
  expect(slow.told().length + again.told().length).toBeGreaterThanOrEqual(40)
  expect(new Set([...slow.told(), ...again.told()]).size).toBe(40)
})

it('a cursor older than what is remembered is answered 410, and a stream that falls behind it ends', async () => {
  for (let n = 0; n < 60; n++) take(`r${n}`)
  await expect(changes.live(request(), reply(new EventEmitter() as never), { kind: 'operator' }, 'main', '0123abcd.0')).rejects.toMatchObject({ status: 410, code: 'CURSOR_GONE' })
  const whole = connect('0123abcd.a')
  await whole.until((told) => told.length === 50)
})

let caller = 0
function request(): FastifyRequest {
  return { caller: { id: `c${caller++}` } } as unknown as FastifyRequest
}

function reply(raw: unknown): FastifyReply {
  return { raw, hijack: () => {} } as unknown as FastifyReply
}

function take(recordId: string): void {
  const offset = life.partitions[0]!.next++
  const body = Buffer.from('x')
  life.holdings.apply({ recordId, version: BigInt(offset + 1), hash: recordHash(recordId, BigInt(offset), body), ended: false, place: 0, offset, code: undefined, body })
  life.changes.note({ place: 0, offset, recordId, at: offset, stops: false, late: false })
}

function connect(after?: string, stuck = false) {
  let text = ''
  const said = new EventEmitter()
  const raw = Object.assign(new Writable({
    highWaterMark: 4_096,
    write(bytes: Buffer, _encoding, done) {
      text += bytes.toString()
      said.emit('more')
      // A socket whose other end reads nothing: what is written stays.
      if (!stuck || text.length < 4_096) done()
    },
  }), { headersSent: false, writeHead() { raw.headersSent = true } }) as Writable & { headersSent: boolean }
  const done = changes.live(request(), reply(raw), { kind: 'operator' }, 'main', after)
  const told = (): string[] => [...text.matchAll(/^data: (r?\w+ \d+) x/gm)].map(([, one]) => one!)
  return {
    raw, done, told,
    cursor: () => [...text.matchAll(/^id: (.+)$/gm)].at(-1)![1]!,
    leave: () => raw.destroy(),
    async until(enough: (told: string[]) => boolean) {
      while (!enough(told())) await once(said, 'more')
    },
  }
}
