import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Details } from '@hub/credit-lookup/details'
import { Holdings } from '@hub/credit-lookup/holdings'
import { Partition, type PartitionState } from '@hub/credit-lookup/partition'
import { decideShare, type CurrentRow, type Digest, type OpenParked } from '@hub/replicator/apply'
import type { ControlItem, Item, ParkedItem, RecordItem } from '@hub/schemas/log-item'
import { recordHash } from '@hub/schemas/record-rule'
import { TABLES } from '@hub/schemas/tables'

const PLACE = { topic: 'zj.credit-blacklist', partition: 1, generation: 'g', next: 0 }
const CODE = '91330100799655058B'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'partition-'))
})
afterAll(() => {
  rmSync(dir, { recursive: true })
})

const key = fc.constantFrom('a', 'b', 'c')
const event = fc.oneof(
  { weight: 8, arbitrary: fc.record({ what: fc.constant('record' as const), key, version: fc.integer({ min: 1, max: 5 }), body: fc.nat(1), ended: fc.constantFrom(false, false, false, true), gap: fc.constantFrom(0, 0, 0, 3) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('parked' as const), key: fc.constantFrom('a', 'b', 'c', 'heartbeat'), gap: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('control' as const), number: fc.integer({ min: 29, max: 31 }), gap: fc.constant(0) }) },
)

describe('a partition of the lookup', () => {
  it('has the digests that the replicator has, after any history, stopped and started anywhere', () => {
    fc.assert(fc.property(fc.array(event, { maxLength: 80 }), fc.nat(80), (events, stop) => {
      using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
      let partition = new Partition(0, 'zj', PLACE, 0)
      const replica = new Replica()
      let offset = -1
      for (const [n, one] of events.entries()) {
        offset += 1 + one.gap
        const item = one.what === 'record' ? record(offset, one.key, one.version, one) : one.what === 'parked' ? parked(offset, one.key) : heartbeat(offset, one.number)
        if (n === stop) partition = new Partition(0, 'zj', partition.place, 0, JSON.parse(JSON.stringify(partition.state)) as PartitionState)
        partition.take(item, holdings)
        // Delivered once more, as after a rejoin.
        partition.take(item, holdings)
        replica.take(item)
        expect(partition.next).toBe(replica.next)
        expect(holdings.digest(0)).toBe(text(replica.digest))
        expect(partition.parkedDigest).toBe(text(replica.parkedDigest))
      }
      expect(partition.unreadable).toBe(replica.parked.size)
    }), { numRuns: 200 })
  })

  it('takes a redriven event in: what is current is what it would be had it been read at first', () => {
    const versions = fc.array(fc.record({ key, version: fc.integer({ min: 1, max: 4 }), body: fc.nat(1), ended: fc.boolean(), bad: fc.boolean() }), { maxLength: 30 })
    fc.assert(fc.property(versions, (events) => {
      using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
      const partition = new Partition(0, 'zj', PLACE, 0)
      const items = events.map((one, offset) => record(offset, one.key, one.version, one))
      const hashOf = (offset: number): Buffer => recordHash('parked', BigInt(offset), Buffer.alloc(0))
      for (const [n, item] of items.entries()) partition.take(events[n]!.bad ? parked(n, item.key) : item, holdings)
      const open = items.filter(({ offset }) => events[offset]!.bad && partition.hasParked(hashOf(offset).toString('hex'), offset))
      for (const item of open.toReversed()) for (let twice = 0; twice < 2; twice++) partition.redrive(item, hashOf(item.offset).toString('hex'), holdings)
      expect([partition.unreadable, partition.parkedDigest]).toEqual([0, '0'.repeat(32)])

      const read = items.filter((item) => !events[item.offset]!.bad || open.includes(item))
      const current = [...Map.groupBy(read, (item) => item.key).values()].map((all) => all.reduce((best, next) => (next.version > best.version ? next : best)))
      const digest = current.map(({ hash }) => BigInt(`0x${hash.toString('hex')}`)).reduce((sum, one) => sum ^ one, 0n)
      expect(holdings.digest(0)).toBe(digest.toString(16).padStart(32, '0'))
      expect(holdings.of(CODE).map(({ recordId }) => recordId).sort()).toEqual(current.filter(({ ended }) => !ended).map((item) => item.key).sort())
    }), { numRuns: 200 })
  })

  it('is proven by what its region had at the same offset, whichever comes first', () => {
    using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
    const partition = new Partition(0, 'zj', PLACE, 0)
    partition.take(record(0, 'a', 1), holdings)
    partition.take(heartbeat(1, 30), holdings)
    expect(partition.proof).toBe('unknown')
    const mine = { nextOffset: 2, digest: holdings.digest(0), parkedDigest: partition.parkedDigest }
    partition.compare({ ...mine, nextOffset: 9 })
    expect(partition.proof).toBe('unknown')
    partition.compare({ ...mine, digest: 'f'.repeat(32) })
    expect(partition.proof).toBe('different')
    partition.compare({ ...mine, digest: 'f'.repeat(32), parkedDigest: 'f'.repeat(32) })
    expect(partition.proof).toBe('parked sets differ')
    partition.compare({ nextOffset: 4, digest: mine.digest, parkedDigest: mine.parkedDigest })
    partition.take(parked(2, 'b'), holdings)
    partition.take(heartbeat(3, 60), holdings)
    expect(partition.proof).toBe('parked sets differ')
    partition.take(record(4, 'b', 1), holdings)
    partition.take(heartbeat(5, 90), holdings)
    partition.compare({ nextOffset: 6, digest: holdings.digest(0), parkedDigest: mine.parkedDigest })
    expect(partition.proof).toBe('equal')
  })

  it('says nothing of its digest before it has read past what compaction took', () => {
    using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
    const partition = new Partition(0, 'zj', PLACE, 0)
    partition.take({ ...record(3, 'a', 1), logEnd: 8 }, holdings)
    partition.take({ ...heartbeat(4, 30), logEnd: 8 }, holdings)
    partition.compare({ nextOffset: 5, digest: 'f'.repeat(32), parkedDigest: partition.parkedDigest })
    expect(partition.proof).toBe('unknown')
  })

  it('knows whom a bad event names, until something newer of its key comes', () => {
    using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
    const partition = new Partition(0, 'zj', PLACE, 0)
    partition.take(parked(0, 'a', CODE.toLowerCase()), holdings)
    expect([partition.isParked(CODE), partition.unreadable]).toEqual([true, 0])
    partition.take(record(1, 'a', 1), holdings)
    expect([partition.isParked(CODE), partition.unreadable]).toEqual([false, 0])
    for (const [n, subject] of ['no code', '11010519491231002X', undefined].entries()) partition.take(parked(2 + n, `p${n}`, subject), holdings)
    expect(partition.unreadable).toBe(3)
    expect(JSON.stringify(partition.state)).not.toContain('19491231')
  })

  it('remembers a bounded number of bad events, and then stays incomplete', () => {
    using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
    const partition = new Partition(0, 'zj', PLACE, 0)
    for (let n = 0; n < 2_002; n++) partition.take(parked(n, `p${n}`, CODE), holdings)
    expect(partition.state.parked.length).toBe(2_000)
    expect(partition.unreadable).toBe(1)
  })

  it('finds a lost event by its sequence, and a repeated one is none', () => {
    using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
    const partition = new Partition(0, 'zj', PLACE, 0)
    partition.take(record(0, 'a', 1), holdings)
    expect(partition.hasLost({ ...record(1, 'b', 1), sequence: 1 })).toBe(false)
    expect(partition.hasLost({ ...record(1, 'b', 1), sequence: 2 })).toBe(true)
    expect(partition.hasLost({ ...record(1, 'b', 1), sequence: 0 })).toBe(false)
    expect(partition.hasLost({ ...record(2, 'b', 1), sequence: 2 })).toBe(false)
    partition.take({ ...record(5, 'b', 1), sequence: 5, logEnd: 8 }, holdings)
    expect(partition.hasLost({ ...record(6, 'b', 2), sequence: 9 })).toBe(false)
    for (const offset of [6, 7]) partition.take(record(offset, 'b', offset), holdings)
    expect(partition.hasLost({ ...record(8, 'b', 9), sequence: 9 })).toBe(true)
  })

  it('a log that was created anew begins where its origin was, if its first event says so', () => {
    using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
    const partition = new Partition(0, 'zj', PLACE, 0)
    expect(partition.hasLost({ ...record(0, 'a', 1), sequence: 700 })).toBe(true)
    expect(partition.hasLost({ ...record(0, 'a', 1), sequence: 700 }, true)).toBe(false)
    partition.take({ ...record(0, 'a', 1), sequence: 700 }, holdings)
    expect(partition.hasLost({ ...record(1, 'b', 1), sequence: 702 }, true)).toBe(true)
  })

  it('finds the code of a record among its columns', () => {
    using holdings = new Holdings(new Details(mkdtempSync(join(dir, 'run-'))), 1)
    const partition = new Partition(0, 'zj', PLACE, 0)
    partition.take(record(0, 'a', 1), holdings)
    expect(holdings.of(CODE).map(({ recordId, offset, place }) => [recordId, offset, place])).toEqual([['a', 0, 0]])
    partition.take(record(1, 'a', 2, { ended: true }), holdings)
    expect(holdings.of(CODE)).toEqual([])
  })
})

/** What the replicator would have of the partition, by its own decisions. */
class Replica {
  next = 0
  readonly digest: Digest = { hi: 0n, lo: 0n }
  readonly parkedDigest: Digest = { hi: 0n, lo: 0n }
  readonly rows = new Map<string, CurrentRow>()
  readonly parked = new Map<string, OpenParked>()

  take(item: Item): void {
    const decision = decideShare({ own: false, next: this.next, items: [item], current: this.rows, openParked: this.parked })
    this.next = decision.next
    for (const [sum, by] of [[this.digest, decision.digest], [this.parkedDigest, decision.parkedDigest]] as const) [sum.hi, sum.lo] = [sum.hi ^ by.hi, sum.lo ^ by.lo]
    for (const { offset } of decision.buried) for (const [name, one] of this.parked) if (one.offset === offset) this.parked.delete(name)
    for (const { item: one, buriedBy } of decision.parked) if (buriedBy === undefined) this.parked.set(one.key, one)
    for (const { item: one } of decision.puts) this.rows.set(one.key, one)
  }
}

function text({ hi, lo }: Digest): string {
  return [hi, lo].map((half) => BigInt.asUintN(64, half).toString(16).padStart(16, '0')).join('')
}

function record(offset: number, recordId: string, version: number, { body = 0, ended = false }: { body?: number; ended?: boolean } = {}): RecordItem {
  const bytes = Buffer.from(`${recordId} ${version} ${body}`)
  const columns = TABLES['credit-blacklist'].columns.map(({ name }) => (name === 'uscc' && !ended ? CODE : null))
  return { what: 'record', offset, sequence: offset, logEnd: 1000, size: 1, key: recordId, version: BigInt(version), hash: recordHash(recordId, BigInt(version), bytes), kind: ended ? 'removal' : 'original', ended, eventId: 'e', body: bytes, columns }
}

function parked(offset: number, parkedKey: string, subject?: string): ParkedItem {
  return { what: 'parked', offset, sequence: offset, logEnd: 1000, size: 1, key: parkedKey, reason: 'bounds', subject, hash: recordHash('parked', BigInt(offset), Buffer.alloc(0)) }
}

function heartbeat(offset: number, number: number): ControlItem {
  return { what: 'control', offset, sequence: offset, logEnd: 1000, size: 1, key: 'heartbeat', heartbeat: { number, committedAt: 0, delayMs: 0 } }
}
