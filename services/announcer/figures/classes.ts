import { CODES, type Text } from '@hub/schemas/codes'
import type { Region } from '@hub/schemas/streams'
import type { Cells, ClassCell } from './cells.ts'
import { refOf } from './definitions.ts'
import type { ClassTable } from './model.ts'
import { perRegion } from './per-region.ts'

export type ClassTableId = 'goods' | 'services' | 'issues'

const UNCLASSIFIED: Text = ['未分类', 'unclassified']

const TABLES: Readonly<Record<ClassTableId, { readonly names: Readonly<Record<string, Text>>, takes(cell: ClassCell): boolean }>> = {
  goods: { names: CODES['object-class']!.codes, takes: ({ dimension, kind }) => dimension === 'object' && kind === 'goods' },
  services: { names: CODES['object-class']!.codes, takes: ({ dimension, kind }) => dimension === 'object' && kind === 'services' },
  issues: { names: CODES['complaint-issue']!.codes, takes: ({ dimension }) => dimension === 'issue' },
}

/**
 * Counted complaints by class, every class that occurs: what is small in one region is shown as well, for a class names nobody.
 * Ties stand by code.
 */
export function classTable(id: ClassTableId, cells: Cells, present: readonly Region[]): ClassTable {
  const { names, takes } = TABLES[id]
  const byCode = new Map<string | null, ClassCell[]>()
  const among: ClassCell[] = []
  for (const cell of cells.classes) {
    if (!takes(cell) || cell.counted === 0 || !present.includes(cell.region)) continue
    among.push(cell)
    const same = byCode.get(cell.code)
    if (same === undefined) byCode.set(cell.code, [cell])
    else same.push(cell)
  }
  const rows = [...byCode].map(([code, found]) => ({
    code,
    name: code === null ? UNCLASSIFIED : names[code] ?? ([code, code] as const),
    counts: perRegion(present, (regions) => sum(found, regions)),
  }))
    .filter(({ counts }) => counts.total > 0)
  rows.sort((a, b) => Number(a.code === null) - Number(b.code === null) || b.counts.total - a.counts.total || (a.code! < b.code! ? -1 : 1))
  return { definition: refOf(id), of: perRegion(present, (regions) => sum(among, regions)), rows }
}

function sum(cells: readonly ClassCell[], regions: ReadonlySet<Region>): number {
  let n = 0
  for (const { region, counted } of cells) if (regions.has(region)) n += counted
  return n
}
