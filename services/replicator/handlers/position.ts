import type { Position } from '@hub/schemas/generated/position'
import { writeRegionPosition } from '../store/region-position.ts'
import type { TechnicalHandler } from './handler.ts'

/** How far a region's replica is: the newest of each region in the batch says it all. */
export const positionHandler: TechnicalHandler<Position> = {
  contract: 'cn.yrd.checkpoint.Position',
  key: () => 'position',
  apply(c, here, records) {
    const newest = new Map<string, Position>()
    for (const record of records) {
      const known = newest.get(record.region)
      if (known === undefined || record.version > known.version) newest.set(record.region, record)
    }
    for (const position of newest.values()) writeRegionPosition(c, here, position)
  },
}
