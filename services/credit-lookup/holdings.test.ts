import fc from 'fast-check'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordHash } from '@hub/schemas/record-rule'
import { Details } from './details.ts'
import { Holdings, type Incoming } from './holdings.ts'
import { load, save } from './snapshot.ts'

const PLACES = 12
/** Files of 16 KiB: many of them are filled and rewritten. */
const UNITS = 1024

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdings-'))
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

/** Everything the holdings promise, in the plainest way. */
class Reference {
  readonly current = new Map<string, Incoming>()
  apply(incoming: Incoming): string {
    const before = this.current.get(incoming.recordId)
    if (before !== undefined && before.version > incoming.version) return 'stale'
    if (before !== undefined && before.version === incoming.version) return before.hash.equals(incoming.hash) ? 'duplicate' : 'stale'
    this.current.set(incoming.recordId, incoming)
    return 'apply'
  }
  of(code: string): string[] {
    return [...this.current.values()].filter((one) => !one.ended && one.code === code).map(shown).sort()
  }
  digest(place: number): string {
    const sum = Buffer.alloc(16)
    for (const one of this.current.values()) if (one.place === place) for (let n = 0; n < 16; n++) sum[n]! ^= one.hash[n]!
    return sum.toString('hex')
  }
}

const event = fc.record({ id: fc.nat(60), version: fc.integer({ min: 1, max: 40 }), ended: fc.constantFrom(false, false, false, true), code: fc.nat(12), size: fc.nat(900) })
const step = fc.oneof({ weight: 40, arbitrary: event }, { weight: 1, arbitrary: fc.constantFrom('compact' as const, 'restart' as const, 'save' as const) })

describe('holdings', () => {
  it('answer, count and digest as a plain Map would, through rewrites, snapshots and restarts', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 3000, size: 'max' }), async (steps) => {
      const here = mkdtempSync(join(dir, 'run-'))
      let holdings = new Holdings(new Details(here, [], UNITS), PLACES)
      const log: Incoming[] = []
      const reference = new Reference()
      for (const one of steps) {
        if (one === 'compact') while (holdings.compact(7));
        else if (one === 'save') await save(here, holdings, placesAt(log.length), null)
        else if (one === 'restart') {
          // What was not in the snapshot is read from the log again.
          holdings[Symbol.dispose]()
          const loaded = load({ dir: here, places: PLACES, unitsPerFile: UNITS, refuse: () => undefined })
          expect(loaded.skipped).toEqual([])
          holdings = loaded.holdings
          for (const again of log.slice(loaded.places[0]?.next ?? 0)) holdings.apply(again)
        } else {
          const incoming = incomingOf(one, log.length)
          log.push(incoming)
          expect(holdings.apply(incoming)).toBe(reference.apply(incoming))
          expect(shownOf(holdings, codeOf(one.code))).toEqual(reference.of(codeOf(one.code)))
        }
      }
      for (let code = 0; code <= 12; code++) expect(shownOf(holdings, codeOf(code))).toEqual(reference.of(codeOf(code)))
      for (let place = 0; place < PLACES; place++) expect(holdings.digest(place)).toBe(reference.digest(place))
      expect(holdings.records.size).toBe(reference.current.size)
      expect(holdings.tallies.withoutCode).toBe([...reference.current.values()].filter((one) => !one.ended && one.code === undefined).length)
      holdings[Symbol.dispose]()
    }), { numRuns: 5 })
  })

  it('keep nothing of what was replaced or has ended in the files', () => {
    using holdings = new Holdings(new Details(dir), PLACES)
    for (let version = 1; version <= 3; version++) holdings.apply(incomingOf({ id: 1, version, ended: false, code: 1, size: 40 }, version))
    const [held] = holdings.of(codeOf(1))
    const reference = holdings.subjects.get(codeOf(1))
    expect(held?.body.length).toBeGreaterThan(40)
    holdings.apply(incomingOf({ id: 1, version: 4, ended: true, code: 1, size: 40 }, 4))
    expect(holdings.of(codeOf(1))).toEqual([])
    expect(() => holdings.details.read(reference)).toThrow('was replaced')
    expect(holdings.details.head(reference)).toMatchObject({ wiped: true, version: 3n })
  })

  it('win the room of what was replaced back, and let old files go when no snapshot needs them', async () => {
    using holdings = new Holdings(new Details(dir, [], UNITS), PLACES)
    let offset = 0
    for (let version = 1; version <= 200; version++) {
      for (let id = 0; id < 10; id++) holdings.apply(incomingOf({ id, version, ended: false, code: id % 3 + 1, size: 300 }, offset++))
      while (holdings.compact(50));
    }
    await save(dir, holdings, placesAt(offset), null)
    await save(dir, holdings, placesAt(offset), null)
    expect(holdings.details.files.length).toBeLessThan(4)
    expect(holdings.details.bytes.used).toBeLessThan(5 * UNITS * 16)
    for (let code = 1; code <= 3; code++) expect(holdings.of(codeOf(code)).length).toBeGreaterThan(2)
  })

  it('say so when a file is not what was written, and answer nothing from it', async () => {
    using holdings = new Holdings(new Details(dir), PLACES)
    holdings.apply(incomingOf({ id: 1, version: 1, ended: false, code: 1, size: 5000 }, 0))
    const [file] = holdings.details.files
    await using handle = await open(join(dir, `details-0000-${file!.id}`), 'r+')
    await handle.write(Buffer.from('?'), 0, 1, 4000)
    expect(() => holdings.of(codeOf(1))).toThrow('the body is not what was written')
    await handle.write(Buffer.from('?'), 0, 1, 32 + 60)
    expect(() => holdings.of(codeOf(1))).toThrow('the head is not what was written')
  })

  it('take no entry that is too long', () => {
    using holdings = new Holdings(new Details(dir), PLACES)
    expect(() => holdings.apply(incomingOf({ id: 1, version: 1, ended: false, code: 1, size: 1024 * 1024 }, 0))).toThrow(RangeError)
  })
})

function codeOf(code: number): string {
  return `91310000MA1K0000${code.toString().padStart(2, '0')}`
}

function incomingOf({ id, version, ended, code, size }: { id: number; version: number; ended: boolean; code: number; size: number }, offset: number): Incoming {
  const recordId = `zj-credit/${id}`
  const body = ended ? Buffer.from('stub') : Buffer.from(`${version}-${code}-${'x'.repeat(size)}`)
  // Code 0 stands for a record without one.
  return { recordId, version: BigInt(version), hash: recordHash(recordId, BigInt(version), body), ended, place: id % PLACES, offset, code: ended || code === 0 ? undefined : codeOf(code), body }
}

function shown({ recordId, offset, body }: { recordId: string; offset: number; body: Buffer }): string {
  return `${recordId} ${offset} ${body.toString()}`
}

function shownOf(holdings: Holdings, code: string): string[] {
  return holdings.of(code).map(shown).sort()
}

function placesAt(next: number): { topic: string; partition: number; generation: string; next: number }[] {
  return [{ topic: 'zj.credit-blacklist', partition: 0, generation: 'g', next }]
}
