import type { Checkpoint } from '@hub/schemas/generated/checkpoint'
import { writeRegionCheckpoints } from '../store/checkpoints.ts'
import type { TechnicalHandler } from './handler.ts'

/** What the other replicas are at given offsets. This one's own stand here from when they were cut, whatever an earlier life of it has published. */
export const checkpointHandler: TechnicalHandler<Checkpoint> = {
  contract: 'cn.yrd.checkpoint.Checkpoint',
  key: () => 'checkpoint',
  apply(c, here, records) {
    writeRegionCheckpoints(c, here.topicPrefix, records.filter(({ region }) => region !== here.region))
  },
}
