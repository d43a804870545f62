import type { ParkedEvent } from '@hub/schemas/generated/parked-event'
import { writeRegionParked } from '../store/region-parked.ts'
import type { TechnicalHandler } from './index.ts'

/** Which events of this region's own topics a region parked: receipts say so. */
export const parkedEventHandler: TechnicalHandler<ParkedEvent> = {
  contract: 'cn.yrd.parked.ParkedEvent',
  key: ({ topic, partition, offset }) => `${topic}/${partition}/${offset}`,
  apply(c, here, records) {
    const own = records.filter(({ topic }) => topic.startsWith(`${here.region}.`))
    writeRegionParked(c, here.topicPrefix, own)
  },
}
