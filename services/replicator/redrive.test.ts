import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CurrentRow, decideShare, type Decision } from './apply.ts'
import type { Item, RecordItem } from '@hub/schemas/log-item'
import { decideRedrive, type KeptVersion } from './redrive.ts'

const hashOf = (version: number, body: number): Buffer => Buffer.from(`${version}.${body}`.padEnd(16, '-'))
const event = (offset: number, version: number, { ended = false, body = 0 } = {}): RecordItem => ({
  what: 'record', offset, sequence: offset, logEnd: 100, size: 1, key: 'r', version: BigInt(version), hash: hashOf(version, body), kind: ended ? 'void' : 'original', ended, eventId: String(offset), body: Buffer.alloc(0), columns: [],
})
const parked = (offset: number): Item => ({ what: 'parked', offset, sequence: offset, logEnd: 100, size: 1, key: 'r', reason: 'bounds', subject: undefined, hash: hashOf(offset, 9) })

/** A replica of one record: its versions in the order of the log, the current one last, and the counters. */
interface Model {
  kept: (KeptVersion & { readonly item: RecordItem })[]
  counts: Record<string, number>
}

/** Applies the items in transactions of these sizes. */
function replay(items: readonly Item[], sizes: readonly number[]): Model {
  const model: Model = { kept: [], counts: {} }
  let change = 1n
  for (let from = 0, turn = 0; from < items.length; turn++) {
    const share = items.slice(from, from + sizes[turn % sizes.length]!)
    from += share.length
    const current = model.kept.find(({ to }) => to === undefined)
    const rows = new Map<string, CurrentRow>(current === undefined ? [] : [['r', { version: current.version, hash: current.hash, offset: current.offset, ended: current.ended }]])
    const decision: Decision = decideShare({ own: false, next: share[0]!.offset, items: share, current: rows, openParked: new Map() })
    for (const [name, number] of Object.entries(decision.counts)) model.counts[name] = (model.counts[name] ?? 0) + number
    if (decision.puts.length === 0) continue
    if (decision.superseded[0] === undefined) model.kept = model.kept.filter(({ to }) => to !== undefined)
    else model.kept = model.kept.map((one) => (one.to === undefined ? { ...one, to: decision.superseded[0]!.to } : one))
    if (decision.erased.length > 0) model.kept = []
    for (const { item, to } of decision.folded) model.kept.push({ ...of(item), to, change: undefined })
    model.kept.push({ ...of(decision.puts[0]!.item), to: undefined, change: change++ })
  }
  return model
}

function of(item: RecordItem) {
  return { item, offset: item.offset, version: item.version, hash: item.hash, ended: item.ended }
}

function redrive(model: Model, item: RecordItem): Model {
  const { counts, place, ends, forgotten } = decideRedrive(item, model.kept)
  const kept = model.kept.filter((one) => !forgotten.includes(one)).map((one) => ({ ...one, to: ends.find(({ version }) => version === one)?.to ?? one.to }))
  if (place !== 'none') kept.push({ ...of(item), to: place === 'current' ? undefined : place.to, change: 1_000n + BigInt(item.offset) })
  kept.sort((a, b) => a.offset - b.offset)
  return { kept, counts: Object.fromEntries(Object.entries(model.counts).map(([name, number]) => [name, number + (counts[name as keyof typeof counts] ?? 0)])) }
}

/** Which version was current at each offset, as a reading says it. */
const timeline = ({ kept }: Model): unknown[] => kept.filter(({ offset, to }) => to !== offset).map(({ offset, to, version, ended }) => [offset, to, version, ended])

const events = fc.array(fc.record({ version: fc.integer({ min: 1, max: 6 }), ended: fc.integer({ max: 5, min: 0 }).map((n) => n === 0), body: fc.integer({ min: 0, max: 1 }), bad: fc.boolean() }), { minLength: 1, maxLength: 9 })
const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })

describe('a replica that parked and redrove, in any order, is the one that never parked', () => {
  it('the same version is current, nothing is counted twice, and every offset has one version where the record never ended', () => {
    fc.assert(fc.property(events, sizes, fc.infiniteStream(fc.nat()), (made, turns, shuffle) => {
      const good = made.map(({ version, ended, body }, offset) => event(offset, version, { ended, body }))
      const never = replay(good, turns)
      let late = replay(good.map((item, offset) => (made[offset]!.bad ? parked(offset) : item)), turns)
      const order = good.filter(({ offset }) => made[offset]!.bad).map((item) => ({ item, at: shuffle.next().value as number })).sort((a, b) => a.at - b.at)
      for (const { item } of order) late = redrive(late, item)
      const currentOf = (model: Model): unknown => timeline(model).at(-1)
      expect(currentOf(late)).toEqual(currentOf(never))
      expect(late.counts['parked'] ?? 0).toBe(0)
      expect(Object.values(late.counts).reduce((sum, n) => sum + n, 0)).toBe(made.length)
      expect(Math.min(...Object.values(late.counts))).toBeGreaterThanOrEqual(0)
      if (made.some(({ ended }) => ended)) return
      expect(timeline(late)).toEqual(timeline(never))
    }), { numRuns: 2_000 })
  })

  it('of a record that ended no earlier version is kept, whatever is redriven', () => {
    fc.assert(fc.property(events, sizes, (made, turns) => {
      const good = made.map(({ version, ended, body }, offset) => event(offset, version, { ended, body }))
      let late = replay(good.map((item, offset) => (made[offset]!.bad ? parked(offset) : item)), turns)
      for (const item of good.filter(({ offset }) => made[offset]!.bad)) late = redrive(late, item)
      const end = late.kept.findLastIndex(({ ended, offset, to }) => ended && to !== offset)
      if (end > 0) expect(late.kept.slice(0, end).filter(({ version, ended }) => !ended && version < late.kept[end]!.version)).toEqual([])
    }), { numRuns: 2_000 })
  })
})

describe('by cases', () => {
  const first = { ...of(event(1, 1)), to: undefined, change: 1n } satisfies KeptVersion
  it('the newest: becomes current, what was current ends at its offset', () => {
    expect(decideRedrive(event(5, 2), [first])).toEqual({ class: 'applied', counts: { applied: 1, duplicate: 0, stale: 0, folded: 0, parked: -1, control: 0, absent: 0 }, place: 'current', ends: [{ version: first, to: 5 }], forgotten: [] })
  })
  it('below a newer one: takes its part of the range', () => {
    const kept = [{ ...first, to: 9 }, { ...of(event(9, 3)), to: undefined, change: 2n }]
    expect(decideRedrive(event(5, 2), kept)).toMatchObject({ place: { to: 9 }, ends: [{ version: kept[0], to: 5 }], forgotten: [] })
  })
  it('not newer than what was there: counted, nothing changes', () => {
    expect(decideRedrive(event(5, 1), [first])).toMatchObject({ class: 'duplicate', place: 'none', ends: [] })
    expect(decideRedrive(event(5, 1, { body: 1 }), [first])).toMatchObject({ class: 'stale', counts: { parked: -1, stale: 1 }, place: 'none' })
  })
  it('an older version that came later was stale all along', () => {
    const kept = [{ ...first, to: 9 }, { ...of(event(9, 2)), to: undefined, change: 2n }]
    expect(decideRedrive(event(5, 3), kept)).toMatchObject({ counts: { applied: 0, stale: 1, parked: -1 }, place: 'current', ends: [{ version: kept[0], to: 5 }, { version: kept[1], to: 9 }] })
  })
  it('before an end: leaves nothing behind', () => {
    expect(decideRedrive(event(5, 2), [{ ...of(event(9, 3, { ended: true })), to: undefined, change: 2n }])).toMatchObject({ class: 'applied', place: 'none', ends: [] })
  })
  it('an end itself: nothing earlier is kept', () => {
    expect(decideRedrive(event(5, 2, { ended: true }), [first])).toMatchObject({ place: 'current', ends: [], forgotten: [first] })
  })
})
