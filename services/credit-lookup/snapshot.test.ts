import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recordHash } from '@hub/schemas/record-rule'
import type { Holdings } from './holdings.ts'
import { load, save, type Loaded, type Place, type Skipped } from './snapshot.ts'

const PLACES = 3
const UNITS = 1024
const RECORDS = 60

let dir: string
let names: string[]

/** Two snapshots: the older one with version 1 of every record, the newer one with version 2. */
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'snapshot-'))
  using holdings = loaded().holdings
  fill(holdings, 1)
  await save(dir, holdings, placesAt(1), { parked: ['a'] })
  fill(holdings, 2)
  await save(dir, holdings, placesAt(2), { parked: ['b'] })
  // Not in any snapshot.
  fill(holdings, 3)
  names = snapshots()
})
afterEach(() => {
  rmSync(dir, { recursive: true })
})

describe('a snapshot', () => {
  it('brings back what was when it began', () => {
    const found = loaded()
    expect(found).toMatchObject({ skipped: [], places: placesAt(2), state: { parked: ['b'] } })
    expect(headOf(found.holdings)).toMatchObject({ version: 2n })
    fill(found.holdings, 3)
    expectVersion(found.holdings, 3)
  })

  it('is written while everything goes on changing', async () => {
    const { holdings } = loaded()
    const saving = save(dir, holdings, placesAt(2), null)
    for (let version = 3; version < 9; version++) {
      fill(holdings, version)
      await new Promise(setImmediate)
    }
    await saving
    holdings[Symbol.dispose]()
    const again = loaded()
    expect(again.skipped).toEqual([])
    // The tables are those of the beginning, what they refer to was replaced since, and the log brings the rest.
    expect(headOf(again.holdings)).toMatchObject({ version: 2n, wiped: true })
    fill(again.holdings, 8)
    expectVersion(again.holdings, 8)
  })

  it('is one of two that are kept, with the files that they need and no others', async () => {
    const { holdings } = loaded()
    for (let version = 3; version < 30; version++) {
      fill(holdings, version)
      while (holdings.compact(100));
      await save(dir, holdings, placesAt(version), null)
    }
    expect(snapshots().length).toBe(2)
    expect(readdirSync(dir).filter((name) => name.startsWith('details-')).length).toBeLessThan(12)
    holdings[Symbol.dispose]()
    rmSync(join(dir, snapshots()[0]!))
    const older = loaded()
    expect(older).toMatchObject({ skipped: [], places: placesAt(28) })
    fill(older.holdings, 29)
    expectVersion(older.holdings, 29)
  })

  it('leaves no trace when it is ended early', async () => {
    const { holdings } = loaded()
    await expect(save(dir, holdings, placesAt(3), null, AbortSignal.abort())).rejects.toThrow()
    expect(readdirSync(dir).filter((name) => name.startsWith('index-'))).toEqual(names.toReversed())
    await save(dir, holdings, placesAt(3), null)
    expect(snapshots().length).toBe(2)
  })

  it('that was never finished is removed', () => {
    writeFileSync(join(dir, 'index-000000000003.snapshot.new'), 'half')
    expect(loaded().skipped).toEqual([])
    expect(readdirSync(dir)).not.toContain('index-000000000003.snapshot.new')
  })
})

describe('a damaged snapshot gives way to the older one', () => {
  const damages: readonly (readonly [what: string, damage: (path: string) => void, reason: string])[] = [
    ['empty', (path) => truncateSync(path, 0), 'ends too early'],
    ['cut in the header', (path) => truncateSync(path, 40), 'header'],
    ['cut in the tables', (path) => truncateSync(path, statSync(path).size >> 1), 'bytes instead of'],
    ['cut by its last byte', (path) => truncateSync(path, statSync(path).size - 1), 'bytes instead of'],
    ['longer than it was', (path) => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('x')])), 'bytes instead of'],
    ['something else', (path) => writeFileSync(path, 'not a snapshot, but of some length at least'), 'no snapshot'],
    ['one bit in the header', (path) => flip(path, 30), ''],
    ['one bit in the sizes', (path) => flip(path, headerEnd(path) + 9), ''],
    ['one bit in a table', (path) => flip(path, statSync(path).size - 1000), 'checksum'],
    ['one bit in the checksum', (path) => flip(path, statSync(path).size - 2), 'checksum'],
  ]
  it.each(damages)('%s', (_, damage, reason) => {
    damage(join(dir, names[0]!))
    const found = loaded()
    expect(found.skipped).toEqual([{ name: names[0], error: expect.objectContaining({ message: expect.stringContaining(reason) }) }])
    expect(found.places).toEqual(placesAt(1))
    fill(found.holdings, 3)
    expectVersion(found.holdings, 3)
    expect(snapshots()).toEqual([names[1]])
  })

  it('whose file of details is missing, and the older one needs it too: nothing is left', () => {
    rmSync(join(dir, detailsFiles()[0]!))
    const found = loaded()
    expect(found.skipped.map(({ error }) => error.message)).toEqual([expect.stringContaining('cannot be opened'), expect.stringContaining('cannot be opened')])
    expect(found.places).toEqual([])
    expect(found.holdings.records.size).toBe(0)
    expect(readdirSync(dir)).toEqual([])
  })

  it('whose last file of details is too short, or missing: the older one does not need it', () => {
    const { files } = JSON.parse(readFileSync(join(dir, names[0]!)).subarray(16, headerEnd(join(dir, names[0]!))).toString()) as { files: { slot: number }[] }
    const last = join(dir, detailsFiles().find((name) => name.startsWith(`details-000${files.at(-1)!.slot}`))!)
    truncateSync(last, 64)
    const found = loaded()
    expect(found.skipped.map(({ error }) => error.message)).toEqual([expect.stringContaining('shorter')])
    expect(found.places).toEqual(placesAt(1))
  })

  it('whose file of details is another one', () => {
    const [file] = detailsFiles()
    writeFileSync(join(dir, file!), Buffer.alloc(statSync(join(dir, file!)).size, 7))
    expect(loaded().skipped[0]!.error.message).toContain('another file')
  })
})

describe('a snapshot of another topic', () => {
  it('gives way to the older one, and that to nothing', () => {
    const found = loaded((places) => (places[0]!.next === 2 ? 'the topic was created anew' : undefined))
    expect(found.skipped).toEqual([{ name: names[0], error: expect.objectContaining({ message: 'the topic was created anew' }) }])
    expect(found.places).toEqual(placesAt(1))
    found.holdings[Symbol.dispose]()
    const nothing = loaded(() => 'the topic was created anew')
    expect(nothing.places).toEqual([])
    expect(nothing.holdings.subjects.size).toBe(0)
    expect(snapshots()).toEqual([])
  })

  it('of other places is refused', () => {
    expect(load({ dir, places: 5, unitsPerFile: UNITS, refuse: () => undefined }).skipped.map(({ error }) => error.message)).toEqual(['is of other topics', 'is of other topics'])
  })

  it('copied over from a folder without its details is refused', () => {
    const other = mkdtempSync(join(tmpdir(), 'snapshot-'))
    copyFileSync(join(dir, names[0]!), join(other, names[0]!))
    try {
      expect(load({ dir: other, places: PLACES, unitsPerFile: UNITS, refuse: () => undefined }).skipped.length).toBe(1)
    } finally {
      rmSync(other, { recursive: true })
    }
  })
})

function loaded(refuse: (places: readonly Place[]) => string | undefined = () => undefined): Loaded & { skipped: readonly Skipped[] } {
  return load({ dir, places: PLACES, unitsPerFile: UNITS, refuse })
}

function fill(holdings: Holdings, version: number): void {
  for (let id = 0; id < RECORDS; id++) {
    const recordId = `zj-credit/${id}`
    const body = Buffer.from(`${version} ${'x'.repeat(id * 5)}`)
    holdings.apply({ recordId, version: BigInt(version), hash: recordHash(recordId, BigInt(version), body), ended: false, place: id % PLACES, offset: id, code: codeOf(id % 40), body })
  }
}

function expectVersion(holdings: Holdings, version: number): void {
  for (let id = 0; id < 40; id++) {
    const held = holdings.of(codeOf(id))
    expect(held.length).toBe(id < RECORDS - 40 ? 2 : 1)
    for (const { body } of held) expect(body.toString()).toMatch(new RegExp(`^${version} x*$`))
  }
}

/** Of a subject with a single record. */
function headOf(holdings: Holdings): unknown {
  return holdings.details.head(holdings.subjects.get(codeOf(30)))
}

function codeOf(id: number): string {
  return `91310000MA1K0000${id.toString().padStart(2, '0')}`
}

function placesAt(next: number): Place[] {
  return [{ topic: 'zj.credit-blacklist', partition: 0, generation: 'g', next }]
}

function snapshots(): string[] {
  return readdirSync(dir).filter((name) => name.endsWith('.snapshot')).sort().reverse()
}

function detailsFiles(): string[] {
  return readdirSync(dir).filter((name) => name.startsWith('details-')).sort()
}

function headerEnd(path: string): number {
  return 16 + readFileSync(path).readUInt32LE(8)
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at]! ^= 4
  writeFileSync(path, bytes)
}
