import type { ParkedEvent } from '@hub/schemas/generated/parked-event'
import { dropRegionParked, writeRegionParked } from '../store/region-parked.ts'
import type { TechnicalHandler } from './handler.ts'

/** Which events of this region's own topics a region parked, and parks no more: receipts say so. */
export const parkedEventHandler: TechnicalHandler<ParkedEvent> = {
  contract: 'cn.yrd.parked.ParkedEvent',
  key: ({ topic, partition, offset }) => `${topic}/${partition}/${offset}`,
  apply(c, here, records) {
    const own = records.filter(({ topic }) => topic.startsWith(`${here.region}.`))
    writeRegionParked(c, here.topicPrefix, own.filter(({ redrivenAt }) => redrivenAt === null))
    // An event that was redriven is never parked again.
    dropRegionParked(c, here.topicPrefix, own.filter(({ redrivenAt }) => redrivenAt !== null))
  },
}
