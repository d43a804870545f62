import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Counts, type CurrentRow, decideShare, type Digest, type OpenParked, xor } from './apply.ts'
import type { Item, ParkedItem, RecordItem } from '@hub/schemas/log-item'
import { endsShare } from '@hub/schemas/log-item'

describe('decideShare', () => {
  it('applies the newest version and folds the older one of the same share', () => {
    const [first, second] = [record(0, 'a', 1), record(1, 'a', 2)]
    const decision = decideShare({ own: true, next: 0, items: [first, second], current: new Map(), openParked: new Map() })
    expect(decision.counts).toMatchObject({ applied: 1, folded: 1, stale: 0 })
    expect(decision.puts).toEqual([{ item: second, over: undefined }])
    expect(decision.folded).toEqual([{ item: first, to: 1 }])
  })

  it('leaves no earlier version of an ended record', () => {
    const items = [record(7, 'a', 2), record(8, 'a', 3, { ended: true })]
    const current = new Map([['a', { version: 1n, hash: hashOf('a', 1, 0), offset: 3, ended: false }]])
    const decision = decideShare({ own: false, next: 7, items, current, openParked: new Map() })
    expect(decision).toMatchObject({ folded: [], superseded: [], erased: ['a'], endedRecords: 1, records: 0 })
  })

  it('counts missing offsets as absent and is complete only from the log end of that moment', () => {
    const decision = decideShare({ own: false, next: 2, items: [record(5, 'a', 1)], current: new Map(), openParked: new Map() })
    expect(decision.counts).toMatchObject({ absent: 3, applied: 1 })
    expect(decision.completeFrom).toBe(1000)
  })

  it('puts a record that a stale event hides into shadowed, and its return at the same version takes it out', () => {
    const current = new Map([['a', { version: 5n, hash: hashOf('a', 5, 0), offset: 3, ended: false }]])
    const stale = decideShare({ own: true, next: 4, items: [record(4, 'a', 4)], current, openParked: new Map() })
    expect(stale).toMatchObject({ shadowed: [{ key: 'a', offset: 4 }], unshadowed: [] })
    const back = decideShare({ own: true, next: 5, items: [record(5, 'a', 5)], current, openParked: new Map() })
    expect(back).toMatchObject({ counts: { duplicate: 1 }, shadowed: [], unshadowed: ['a'] })
  })

  it('gives the same replica in any split into shares as one event at a time', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.integer({ min: 1, max: 12 })), fc.boolean(), (events, sizes, own) => {
        const items = placed(events)
        const expected = new Tables(own)
        for (const item of items) applyOne(expected, item)
        const tables = new Tables(own)
        for (const share of shares(items, sizes)) applyShare(tables, share)
        const { applied, folded, ...others } = tables.counts
        expect({ ...others, applied: applied + folded, folded: 0 }).toEqual(expected.counts)
        expect(Object.values(tables.counts).reduce((sum, n) => sum + n)).toBe(tables.next)
        expect(plain(tables)).toEqual(plain(expected))
        const open = [...expected.parked.values()].filter(({ buriedBy }) => buriedBy === undefined)
        expect(tables.digest).toEqual(recount([...expected.rows.values()].map(({ hash }) => hash)))
        expect(tables.parkedDigest).toEqual(recount(open.map(({ item }) => item.hash)))
        expect(tables.parkedOpen).toBe(open.length)
        expect(tables.records).toBe(expected.rows.size)
        expect(tables.endedRecords).toBe([...expected.rows.values()].filter(({ ended }) => ended).length)
      }),
      { numRuns: 1000 },
    )
  })
})

/** What both ways of applying fill: the replica's tables in memory. */
class Tables {
  readonly own: boolean
  readonly rows = new Map<string, RecordItem>()
  readonly past = new Set<string>()
  readonly parked = new Map<number, { item: ParkedItem; buriedBy: number | undefined }>()
  readonly shadows = new Map<string, number>()
  readonly counts: Counts = { applied: 0, duplicate: 0, stale: 0, folded: 0, parked: 0, control: 0, absent: 0 }
  next = 0
  digest: Digest = { hi: 0n, lo: 0n }
  parkedDigest: Digest = { hi: 0n, lo: 0n }
  parkedOpen = 0
  records = 0
  endedRecords = 0

  constructor(own: boolean) {
    this.own = own
  }

  erase(key: string): void {
    for (const entry of this.past) if (entry.startsWith(`${key}@`)) this.past.delete(entry)
  }
}

/** The rule itself, one event at a time, written for reading. */
function applyOne(tables: Tables, item: Item): void {
  tables.counts.absent += item.offset - tables.next
  tables.next = item.offset + 1
  if (item.what === 'control') {
    tables.counts.control++
  }
  for (const parking of tables.parked.values()) {
    if (parking.item.key === item.key && parking.buriedBy === undefined) parking.buriedBy = item.offset
  }
  if (item.what === 'parked') {
    tables.counts.parked++
    tables.parked.set(item.offset, { item, buriedBy: undefined })
    if (tables.own && tables.rows.has(item.key)) tables.shadows.set(item.key, item.offset)
  } else if (item.what === 'record') {
    applyRecord(tables, item)
  }
}

function applyRecord(tables: Tables, item: RecordItem): void {
  const row = tables.rows.get(item.key)
  const same = row !== undefined && item.version === row.version && item.hash.equals(row.hash)
  if (row !== undefined && item.version <= row.version && !same) {
    tables.counts.stale++
    if (tables.own) tables.shadows.set(item.key, item.offset)
    return
  }
  tables.shadows.delete(item.key)
  if (same) {
    tables.counts.duplicate++
    return
  }
  tables.counts.applied++
  if (row !== undefined) tables.past.add(`${item.key}@${row.offset}-${item.offset}`)
  if (item.ended) tables.erase(item.key)
  tables.rows.set(item.key, item)
}

/** The tables changed only by what decideShare says. */
function applyShare(tables: Tables, items: readonly Item[]): void {
  const current = new Map<string, CurrentRow>([...tables.rows])
  const openParked = new Map<string, OpenParked>()
  for (const { item, buriedBy } of tables.parked.values()) if (buriedBy === undefined) openParked.set(item.key, item)
  const decision = decideShare({ own: tables.own, next: tables.next, items, current, openParked })
  tables.next = decision.next
  for (const name of Object.keys(tables.counts) as (keyof Counts)[]) tables.counts[name] += decision.counts[name]
  add(tables.digest, decision.digest)
  add(tables.parkedDigest, decision.parkedDigest)
  tables.parkedOpen += decision.parkedOpen
  tables.records += decision.records
  tables.endedRecords += decision.endedRecords
  for (const { key, to } of decision.superseded) tables.past.add(`${key}@${tables.rows.get(key)?.offset}-${to}`)
  for (const key of decision.erased) tables.erase(key)
  for (const { item, to } of decision.folded) tables.past.add(`${item.key}@${item.offset}-${to}`)
  for (const { item, over } of decision.puts) {
    expect(over).toBe(tables.rows.get(item.key)?.offset)
    tables.rows.set(item.key, item)
  }
  for (const { offset, by } of decision.buried) tables.parked.get(offset)!.buriedBy = by
  for (const parking of decision.parked) tables.parked.set(parking.item.offset, parking)
  for (const { key, offset } of decision.shadowed) tables.shadows.set(key, offset)
  for (const key of decision.unshadowed) tables.shadows.delete(key)
}

function add(sum: Digest, delta: Digest): void {
  sum.hi ^= delta.hi
  sum.lo ^= delta.lo
}

function recount(hashes: Iterable<Buffer>): Digest {
  const digest: Digest = { hi: 0n, lo: 0n }
  for (const hash of hashes) xor(digest, hash)
  return digest
}

type Event =
  | { what: 'record'; key: string; version: number; body: number; ended: boolean; gap: number }
  | { what: 'parked'; key: string; gap: number }
  | { what: 'control'; gap: number; number: number }

const key = fc.constantFrom('a', 'b', 'c')
const gap = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }) })
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      what: fc.constant('record' as const),
      key,
      gap,
      version: fc.integer({ min: 0, max: 5 }),
      body: fc.integer({ min: 0, max: 1 }),
      ended: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('parked' as const), key: fc.constantFrom('a', 'b', 'c', 'heartbeat'), gap }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('control' as const), gap, number: fc.integer({ min: 29, max: 31 }) }) },
)
const history = fc.array(event, { maxLength: 60 })

function placed(events: readonly Event[]): Item[] {
  let offset = -1
  return events.map((e) => {
    offset += 1 + e.gap
    const consumed = { offset, sequence: offset, logEnd: 1000, size: 1 }
    if (e.what === 'record') return record(offset, e.key, e.version, e)
    if (e.what === 'parked') return { ...consumed, what: 'parked', key: e.key, reason: 'bounds', subject: undefined, hash: hashOf('parked', offset, 0) }
    return { ...consumed, what: 'control', key: 'heartbeat', heartbeat: { number: e.number, committedAt: 0, delayMs: 0 } }
  })
}

function* shares(items: readonly Item[], sizes: Iterator<number>): Generator<Item[]> {
  let share: Item[] = []
  let size = sizes.next().value ?? 1
  for (const item of items) {
    share.push(item)
    if (share.length < size && !endsShare(item)) continue
    yield share
    share = []
    size = sizes.next().value ?? 1
  }
  if (share.length > 0) yield share
}

function record(offset: number, key: string, version: number, more: { body?: number; ended?: boolean } = {}): RecordItem {
  const body = (more.body ?? 0) * 2 + (more.ended ? 1 : 0)
  return {
    what: 'record',
    offset,
    sequence: offset,
    logEnd: 1000,
    size: 1,
    key,
    version: BigInt(version),
    hash: hashOf(key, version, body),
    kind: more.ended ? 'expiry' : 'original',
    ended: more.ended ?? false,
    eventId: `${key}-${version}`,
    body: Buffer.from([body]),
    columns: [],
  }
}

function hashOf(key: string, version: number, body: number): Buffer {
  const hash = Buffer.alloc(16)
  hash.write(key, 0)
  hash.writeInt32BE(version, 8)
  hash.writeInt32BE(body + 1, 12)
  return hash
}

function plain(tables: Tables) {
  return {
    rows: [...tables.rows].map(([k, row]) => `${k} v${row.version} @${row.offset} ${row.hash.toString('hex')}`).sort(),
    past: [...tables.past].sort(),
    parked: [...tables.parked].map(([offset, { buriedBy }]) => `${offset} ${buriedBy}`).sort(),
    shadows: [...tables.shadows].sort(),
    next: tables.next,
  }
}
