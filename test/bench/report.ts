import { holds, type Figure } from './bench.ts'
import { machine, versions } from './machine.ts'

export interface Run {
  readonly at: string
  readonly seed: number
  readonly quick: boolean
  /** Of the database server; null where none was asked. */
  readonly postgres: string | null
}

/** One line of JSON per figure: everything needed to judge it and to repeat it. */
export function jsonLine(one: Figure, run: Run): string {
  const { bench, peer, value, unit, better, floor, aim, rounds, spread, services, settings } = one
  return JSON.stringify({
    bench, ...(peer !== undefined && { peer }), value, unit, better, floor, aim, rounds, median: value, spread,
    machine: machine(), versions: versions(run.postgres), services, at: run.at, seed: run.seed, quick: run.quick, settings,
  })
}

export function readable(figures: readonly Figure[]): string {
  const rows = figures.map((one) => {
    const held = holds(one)
    return [one.bench, one.peer ?? 'hub', number(one.value), one.unit, one.floor === null ? '' : `${one.better === 'higher' ? '≥' : '≤'} ${number(one.floor)}`, held === undefined ? '' : held ? '✓' : '✗', number(one.spread)]
  })
  const all = [['bench', '', 'median', 'unit', 'floor', '', 'spread'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all.map((row) => row.map((cell, column) => (column === 2 || column === 6 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd()).join('\n')
}

function number(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en').replaceAll(',', ' ') : String(value)
}
