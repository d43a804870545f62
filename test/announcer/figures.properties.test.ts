import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planOf } from '@hub/announcer/campaigns'
import { canonicalJson } from '@hub/announcer/canonical'
import { loadCalendar } from '@hub/announcer/calendar/load'
import { addDays } from '@hub/announcer/calendar/day'
import { beginningsOf } from '@hub/announcer/figures/beginnings'
import { together, type Cells } from '@hub/announcer/figures/cells'
import { cellsOf } from '@hub/announcer/figures/from-rollups'
import { figuresOf } from '@hub/announcer/figures/compute'
import { spansOf } from '@hub/announcer/figures/periods'
import { traderRows } from '@hub/announcer/figures/traders'
import { correctedCells } from '@hub/announcer/edition/corrections'
import { CODES } from '@hub/schemas/codes'
import { COUNTED_COLUMNS, Counting, ROLLUP_TABLES, type Countable, type RolledStream } from '@hub/schemas/rollups'
import { REGIONS, type Region } from '@hub/schemas/streams'

const calendar = loadCalendar()
const plan = planOf(calendar, 'spring-festival', 2026)
const YEAR = { from: '2025-02-25', to: '2026-02-24' }

interface Counted { readonly region: Region, readonly stream: RolledStream, readonly values: Countable }

const codes = (table: string) => fc.constantFrom(null, ...Object.keys(CODES[table]!.codes))
/** In the window, in the one of the year before, and around both. */
const days = fc.oneof(fc.nat({ max: 12 }).map((n) => addDays('2026-02-13', n)), fc.nat({ max: 12 }).map((n) => addDays('2025-01-26', n)))
const usccs = fc.constantFrom(null, '91310106MAX97QKCXB', '91320505MAY0ERAC05', '92320324991759420N')

const complaint = fc.record({
  region: fc.constantFrom(...REGIONS),
  stream: fc.constant('complaint' as const),
  values: fc.tuple(
    fc.constantFrom('original', 'follow-up', 'void', 'expiry'), days, codes('complaint-state'), codes('mediation-outcome'), fc.constantFrom(null, 'true', 'false'),
    fc.oneof(fc.constant(null), fc.maxSafeNat().map(String)), codes('object-kind'), codes('object-class'), codes('complaint-issue'), codes('channel'),
    usccs, fc.constantFrom(null, '甲公司', '乙公司'), fc.constant(null), fc.constantFrom('pending', 'published'),
  ),
})
const tally = fc.record({
  region: fc.constantFrom(...REGIONS),
  stream: fc.constant('tally' as const),
  values: fc.tuple(fc.constant('original'), days, codes('tally-type'), fc.nat({ max: 500 }).map(String)),
})
const records = fc.array(fc.oneof({ weight: 4, arbitrary: complaint }, { weight: 1, arbitrary: tally }), { maxLength: 60 })

describe('whatever the records are', () => {
  test('the columns that this test writes are those that are counted', () => {
    expect([COUNTED_COLUMNS.complaint.length, COUNTED_COLUMNS.tally.length]).toEqual([14, 4])
  })

  test('order, partitions and cells per record do not change a byte', () => {
    fc.assert(fc.property(records, fc.array(fc.nat({ max: 5 }), { minLength: 60, maxLength: 60 }), fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), (all, partitions, places) => {
      const whole = cellsOfRecords(all)
      const split = together([0, 1, 2, 3, 4, 5].map((partition) => cellsOfRecords(all.filter((_, at) => partitions[at] === partition))))
      const single = together(all.map((one) => cellsOfRecords([one])))
      const shuffled = cellsOfRecords(all.map((one, at) => [places[at]!, one] as const).sort(([a], [b]) => a - b).map(([, one]) => one))
      expect([split, single, shuffled].map((cells) => bytesOf(cells))).toEqual(Array(3).fill(bytesOf(whole)))
    }), { numRuns: 150 })
  })

  test('regions add up to the total, and the parts to the headline', () => {
    fc.assert(fc.property(records, (all) => {
      const figures = figuresOf(cellsOfRecords(all), plan, calendar, REGIONS)
      for (const { counts } of [...figures.counts, ...figures.issues.rows, ...figures.goods.rows, ...figures.services.rows]) expect(REGIONS.reduce((sum, region) => sum + counts[region]!, 0)).toBe(counts.total)
      for (const { of, rows } of [figures.goods, figures.services, figures.issues]) expect(rows.reduce((sum, { counts }) => sum + counts.total, 0)).toBe(of.total)
      const total = Object.fromEntries(figures.counts.map(({ definition, counts }) => [definition, counts.total]))
      const unknown = all.filter(({ stream, values }) => stream === 'complaint' && values[0] !== 'void' && values[2] === null && values[1]! >= plan.window.from && values[1]! <= plan.window.to).length
      expect(total['counted@1']! + total['pending@1']! + total['transferred@1']! + unknown).toBe(total['received@1'])
      expect(total['accepted@1']! + total['refused@1']!).toBe(total['counted@1'])
      expect(figures.issues.of.total).toBe(total['counted@1'])
      expect(figures.online.shares.total.stated + figures.online.shares.total.unstated).toBe(total['counted@1'])
      for (const { open, accepted, withheld, recoveredFen, success } of [...REGIONS.map((region) => figures.mediation.values[region]!), figures.mediation.values.total]) {
        expect(open).toBeLessThanOrEqual(accepted)
        if (withheld) expect({ recoveredFen, success }).toEqual({ recoveredFen: null, success: null })
      }
    }), { numRuns: 150 })
  })

  test('a region that is missing is null, and in no total', () => {
    fc.assert(fc.property(records, fc.constantFrom(...REGIONS), (all, missing) => {
      const present = REGIONS.filter((region) => region !== missing)
      const figures = figuresOf(cellsOfRecords(all), plan, calendar, present)
      expect(figures.counts.every(({ counts }) => counts[missing] === null)).toBe(true)
      expect(bytesOf(cellsOfRecords(all), present)).toBe(bytesOf(cellsOfRecords(all.filter(({ region }) => region !== missing)), present))
      expect(traderRows(cellsOfRecords(all), YEAR, 1, present).every(({ regions }) => !regions.includes(missing))).toBe(true)
    }), { numRuns: 100 })
  })

  test('voided records count nowhere, sole traders are not named', () => {
    fc.assert(fc.property(records, (all) => {
      const cells = cellsOfRecords(all)
      expect(bytesOf(cells)).toBe(bytesOf(cellsOfRecords(all.filter(({ stream, values }) => stream !== 'complaint' || values[0] !== 'void'))))
      expect(traderRows(cells, YEAR, 0, REGIONS).some(({ uscc }) => uscc.startsWith('92'))).toBe(false)
    }), { numRuns: 100 })
  })

  test('a correction that takes a record away and puts another in its place gives what the other records give', () => {
    const spans = spansOf(plan, calendar)
    const inWindow = complaint.map((one) => ({ ...one, values: ['original', '2026-02-16', ...one.values.slice(2)] }))
    fc.assert(fc.property(records, inWindow, complaint, (all, wrong, right) => {
      const moved = { ...right, region: wrong.region }
      const corrected = correctedCells(cellsOfRecords([...all, wrong]), [{ region: wrong.region, reason: 'wrong-trader', recordId: 'a/1', before: cellsOfRecords([wrong]), after: cellsOfRecords([moved]) }], spans)
      const begin = beginningsOf(cellsOfRecords([...all, moved]))
      expect(bytesOf(corrected, REGIONS, begin)).toBe(bytesOf(cellsOfRecords([...all, moved]), REGIONS, begin))
    }), { numRuns: 100 })
  })
})

function bytesOf(cells: Cells, present: readonly Region[] = REGIONS, begin = beginningsOf(cells)): string {
  return canonicalJson([figuresOf(cells, plan, calendar, present, begin), traderRows(cells, YEAR, 1, present)])
}

function cellsOfRecords(records: readonly Counted[]): Cells {
  return together(REGIONS.map((region) => {
    const counting = new Counting()
    for (const { stream, values } of records.filter((one) => one.region === region)) counting.change(stream, undefined, values)
    return cellsOf(region, Object.fromEntries(ROLLUP_TABLES.map((table) => [table, counting.cells(table)])))
  }))
}
