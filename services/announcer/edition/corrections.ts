import type { Region } from '@hub/schemas/streams'
import { digestOf } from '../canonical.ts'
import { type Cells, type ClassCell, type DayCell, type TallyCell, type TraderCell } from '../figures/cells.ts'
import type { Spans } from '../figures/periods.ts'
import { isIn } from '../figures/windows.ts'
import type { CorrectionReason, StatedCorrection } from './model.ts'

/**
 * What an origin states to be wrong in its first copy, among the bureaus. Of a record: what it counted for and what it should have; of a returned
 * region or a definition nothing, for the copies and the definitions tell.
 */
export interface Correction {
  readonly region: Region
  readonly reason: CorrectionReason
  readonly recordId: string | null
  readonly before: Cells | null
  readonly after: Cells | null
}

/**
 * The cells with what was wrong put right. What a record counted for on days that this announcement does not read is left out, and traders are added up
 * over their twelve months: copies may be read so.
 * @throws RangeError when a correction takes away what is not there, is of another region, or of nothing that this announcement reads
 */
export function correctedCells(cells: Cells, corrections: readonly Correction[], spans: Spans): Cells {
  const changes = corrections.flatMap(({ region, before, after }) => {
    const parts = [before, after].map((part) => (part === null ? null : inside(part, spans)))
    for (const part of [before, after]) {
      const foreign = part === null ? undefined : [...part.days, ...part.classes, ...part.tallies, ...part.traders].find((cell) => cell.region !== region)
      if (foreign !== undefined) throw new RangeError(`更正只能由来源地区提出 / ${region} cannot correct a cell of ${foreign.region}`)
    }
    if (before !== null || after !== null) {
      const read = parts.some((part) => part !== null && part.days.length + part.classes.length + part.tallies.length + part.traders.length > 0)
      if (!read) throw new RangeError('所更正的记录不在本公示的统计范围内 / the record is of no day that this announcement reads')
    }
    const [was, is] = parts
    return [...(was == null ? [] : [negative(was)]), ...(is == null ? [] : [is])]
  })
  const all = [inside(cells, spans), ...changes]
  return {
    days: merge<DayCell>(all.map(({ days }) => days), ({ region, day, state, outcome, online }) => [region, day, state, outcome, online]),
    classes: merge<ClassCell>(all.map(({ classes }) => classes), ({ region, day, dimension, kind, code }) => [region, day, dimension, kind, code]),
    tallies: merge<TallyCell>(all.map(({ tallies }) => tallies), ({ region, day, tallyType }) => [region, day, tallyType]),
    traders: merge<TraderCell>(all.map(({ traders }) => traders), ({ region, uscc, name }) => [region, uscc, name]),
  }
}

/** What of it an edition shows: how many records of which region and why, bound by a digest over all that is known among the bureaus. */
export function stated(corrections: readonly (Correction | WrittenCorrection)[]): StatedCorrection[] {
  const groups = Map.groupBy(corrections, ({ region, reason }) => `${region} ${reason}`)
  return [...groups.values()].map((group) => ({
    region: group[0]!.region,
    reason: group[0]!.reason,
    records: new Set(group.flatMap(({ recordId }) => recordId ?? [])).size,
    digest: digestOf(group.map(written)),
  })).sort((a, b) => (`${a.region} ${a.reason}` < `${b.region} ${b.reason}` ? -1 : 1))
}

/** The cells that an announcement reads, each day as the first of its period; all days of a trader are the first of the twelve months. */
function inside(cells: Cells, { periods, traders }: Spans): Cells {
  const first = new Map(periods.flatMap(({ days }) => days.map((day) => [day, days[0]!] as const)))
  const onFirst = <T extends { readonly day: string }>(all: readonly T[]): T[] => all.flatMap((cell) => (first.has(cell.day) ? [{ ...cell, day: first.get(cell.day)! }] : []))
  return { days: onFirst(cells.days), classes: onFirst(cells.classes), tallies: onFirst(cells.tallies), traders: cells.traders.filter(({ day }) => isIn(traders, day)).map((cell) => ({ ...cell, day: traders.from })) }
}

/** A correction as JSON writes it: amounts are decimal digits. */
export type WrittenCorrection = Omit<Correction, 'before' | 'after'> & { readonly before: unknown, readonly after: unknown }

export function written(correction: Correction | WrittenCorrection): WrittenCorrection {
  return JSON.parse(JSON.stringify(correction, (_name, one) => (typeof one === 'bigint' ? one.toString() : one))) as WrittenCorrection
}

function negative({ days, classes, tallies, traders }: Cells): Cells {
  return { days: days.map(minus), classes: classes.map(minus), tallies: tallies.map(minus), traders: traders.map(minus) }
}

/** Numbers and amounts are what is added up; everything else tells cells apart. */
function minus<T extends object>(cell: T): T {
  return Object.fromEntries(Object.entries(cell).map(([name, value]) => [name, typeof value === 'number' || typeof value === 'bigint' ? -value : value])) as T
}

function merge<T extends object>(parts: readonly (readonly T[])[], keyOf: (cell: T) => readonly unknown[]): T[] {
  const merged = new Map<string, Record<string, unknown>>()
  for (const cell of parts.flat()) {
    const key = JSON.stringify(keyOf(cell))
    const sum = merged.get(key)
    if (sum === undefined) {
      merged.set(key, { ...cell } as Record<string, unknown>)
      continue
    }
    for (const [name, value] of Object.entries(cell)) {
      if (typeof value === 'number') sum[name] = (sum[name] as number) + value
      else if (typeof value === 'bigint') sum[name] = (sum[name] as bigint) + value
    }
  }
  const amounts = (cell: Record<string, unknown>) => Object.values(cell).filter((value) => typeof value === 'number' || typeof value === 'bigint')
  for (const [key, cell] of merged) if (amounts(cell).some((value) => value < 0)) throw new RangeError(`更正所减去的数不在截数内 / a correction takes away what is not in the cut: ${key}`)
  return [...merged.values()].filter((cell) => amounts(cell).some((value) => value > 0)) as T[]
}
