import { Details } from '@hub/credit-lookup/details'
import { Holdings } from '@hub/credit-lookup/holdings'
import { load, save } from '@hub/credit-lookup/snapshot'
import { mustEqual } from '../bench.ts'
import { serveChild } from '../child.ts'
import { codeOf } from '../credit.ts'

/** Builds an index of `subjects`, looks codes up in it and leaves a snapshot in `dir`; `load` starts from that snapshot instead. */
export interface LookupIndexSettings { readonly what: 'build' | 'load', readonly dir: string, readonly subjects: number, readonly rounds: number, readonly seed: number }

export interface BuiltIndex {
  /** Of both tables: subjects and records. */
  readonly bytesPerEntry: number
  readonly buildSeconds: number
  /** The longest of all single insertions: a segment that grows is moved in it. */
  readonly longestInsertMs: number
  readonly lookupNanos: readonly number[]
  readonly saveSeconds: number
}

export interface LoadedIndex { readonly loadSeconds: number, readonly residentBytes: number }

const PLACES = 12
const QUERIES = 1_000_000

// A process of its own, so that its memory is the index's.
serveChild((settings: LookupIndexSettings) => (settings.what === 'build' ? build(settings) : Promise.resolve(start(settings))))

async function build({ dir, subjects: count, rounds, seed }: LookupIndexSettings): Promise<BuiltIndex> {
  let longestInsertMs = 0
  const holdings = new Holdings(new Details(dir), PLACES)
  const began = performance.now()
  for (let n = 0; n < count; n++) {
    const [code, recordId] = [codeOf(n), `js-credit/${33_102_257 + n}`]
    const before = performance.now()
    holdings.subjects.set(code, referenceOf(n))
    holdings.records.set(recordId, referenceOf(n), 0)
    longestInsertMs = Math.max(longestInsertMs, performance.now() - before)
  }
  const buildSeconds = (performance.now() - began) / 1000
  const bytesPerEntry = (holdings.subjects.table.bytes + holdings.records.table.bytes) / count

  let random = seed >>> 0 || 1
  const next = (): number => {
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    return random >>> 0
  }
  // Every other one is not there.
  const asked = Array.from({ length: QUERIES }, (_, n) => (next() % count) + (n % 2) * count)
  const codes = asked.map(codeOf)
  const lookupNanos: number[] = []
  for (let round = 0; round <= rounds; round++) {
    let sum = 0
    const start = performance.now()
    for (let n = 0; n < QUERIES; n++) sum += holdings.subjects.get(codes[n]!)
    // The first warms up.
    if (round > 0) lookupNanos.push(((performance.now() - start) * 1e6) / QUERIES)
    mustEqual('sum of what was found', sum, asked.reduce((total, n) => total + (n < count ? referenceOf(n) : 0), 0))
  }

  const saving = performance.now()
  await save(dir, holdings, [], null)
  const saveSeconds = (performance.now() - saving) / 1000
  holdings[Symbol.dispose]()
  return { bytesPerEntry, buildSeconds, longestInsertMs, lookupNanos, saveSeconds }
}

function start({ dir, subjects: count }: LookupIndexSettings): LoadedIndex {
  const began = performance.now()
  const { holdings, skipped } = load({ dir, places: PLACES, refuse: () => undefined })
  const loadSeconds = (performance.now() - began) / 1000
  mustEqual('snapshots that were of no use', skipped.length, 0)
  mustEqual('subjects in the snapshot', holdings.subjects.size, count)
  mustEqual('a subject in the snapshot', holdings.subjects.get(codeOf(count - 1)), referenceOf(count - 1))
  return { loadSeconds, residentBytes: process.memoryUsage.rss() }
}

function referenceOf(n: number): number {
  return 2 + n * 33
}
