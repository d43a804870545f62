import { REGIONS, type Region } from '@hub/schemas/streams'
import type { PerRegion } from './model.ts'

/**
 * One value for each region that is in, `null` for the others, and the total of those that are in.
 * @param of the value over the regions named
 */
export function perRegion<T>(present: readonly Region[], of: (regions: ReadonlySet<Region>) => T): PerRegion<T> {
  const values = Object.fromEntries(REGIONS.map((region) => [region, present.includes(region) ? of(new Set([region])) : null])) as Record<Region, T | null>
  return { ...values, total: of(new Set(present)) }
}
