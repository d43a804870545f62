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
  const classes = classCounts(id, cells, present, 'counted')
  const among = classes.flatMap(({ cells }) => cells)
  return {
    definition: refOf(id),
    of: perRegion(present, (regions) => sum(among, regions, 'counted')),
    rows: classes.map(({ code, name, cells }) => ({ code, name, counts: perRegion(present, (regions) => sum(cells, regions, 'counted')) })),
  }
}

interface ClassCount {
  readonly code: string | null
  readonly name: Text
  readonly total: number
  readonly cells: readonly ClassCell[]
}

/** Classes that occur, most complaints first, those without a class last. */
export function classCounts(id: ClassTableId, cells: Cells, present: readonly Region[], what: 'counted' | 'received'): ClassCount[] {
  const { names, takes } = TABLES[id]
  const regions = new Set(present)
  const byCode = new Map<string | null, ClassCell[]>()
  for (const cell of cells.classes) {
    if (!takes(cell) || !regions.has(cell.region)) continue
    const same = byCode.get(cell.code)
    if (same === undefined) byCode.set(cell.code, [cell])
    else same.push(cell)
  }
  return [...byCode]
    .map(([code, found]) => ({ code, name: code === null ? UNCLASSIFIED : names[code] ?? ([code, code] as const), total: sum(found, regions, what), cells: found }))
    .filter(({ total }) => total > 0)
    .sort((a, b) => Number(a.code === null) - Number(b.code === null) || b.total - a.total || (a.code! < b.code! ? -1 : 1))
}

function sum(cells: readonly ClassCell[], regions: ReadonlySet<Region>, what: 'counted' | 'received'): number {
  let n = 0
  for (const cell of cells) if (regions.has(cell.region)) n += cell[what]
  return n
}
