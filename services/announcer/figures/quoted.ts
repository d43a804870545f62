import type { Text } from '@hub/schemas/codes'
import { REGIONS, type Region } from '@hub/schemas/streams'
import { refOf, type DefinitionId } from './definitions.ts'
import type { CountRow, PerRegion } from './model.ts'

/** A number taken from a bulletin as it was printed. */
export interface QuotedRow extends CountRow {
  readonly source: string
  /** Said where the bulletin gives no regions: they are not zero, they are not told. */
  readonly undivided: Text | null
}

/**
 * @param regions `null` = the bulletin prints the total alone
 * @throws RangeError when the regions do not add up to the printed total
 */
export function quoted(id: DefinitionId, source: string, regions: Readonly<Record<Region, number>> | null, total: number): QuotedRow {
  const sum = regions === null ? total : REGIONS.reduce((n, region) => n + regions[region], 0)
  if (sum !== total) throw new RangeError(`四地合计${sum}与公布的${total}不符（${source}） / the regions add up to ${sum}, ${total} is printed`)
  const counts = { ...Object.fromEntries(REGIONS.map((region) => [region, regions?.[region] ?? null])), total } as PerRegion<number>
  return { definition: refOf(id), counts, source, undivided: regions === null ? ['未分地区', 'not by region'] : null }
}
