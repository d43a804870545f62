import type { Cell, RollupTable } from '@hub/schemas/rollups'
import type { Region } from '@hub/schemas/streams'
import type { Cells } from './cells.ts'

/** The roll-ups of a region, or of one partition of it, as the cells that figures read; a table left out has none. */
export function cellsOf(region: Region, tables: Readonly<Partial<Record<RollupTable, Iterable<Cell>>>>): Cells {
  return {
    days: Array.from(tables.complaint_day ?? [], ({ keys: [day, state, outcome, online], sums: [n], money }) => (
      { region, day: day!, state: said(state), outcome: said(outcome), online: online === 'yes' ? true : online === 'no' ? false : null, n: n!, recoveredFen: money })),
    classes: Array.from(tables.complaint_class_day ?? [], ({ keys: [day, dimension, kind, code], sums: [received, counted] }) => (
      { region, day: day!, dimension: dimension as 'object' | 'issue' | 'channel', kind: said(kind), code: said(code), received: received!, counted: counted! })),
    traders: Array.from(tables.trader_day ?? [], ({ keys: [day, uscc, name], sums: [counted, accepted, settled, terminated] }) => (
      { region, day: day!, uscc: uscc!, name: said(name), counted: counted!, accepted: accepted!, settled: settled!, terminated: terminated! })),
    tallies: Array.from(tables.tally_day ?? [], ({ keys: [day, tallyType], sums: [n] }) => ({ region, day: day!, tallyType: tallyType!, n: n! })),
  }
}

/** Roll-ups write '' where the record does not say. */
function said(key: string | undefined): string | null {
  return key === undefined || key === '' ? null : key
}
