import type { Db } from '@hub/runtime/db'
import type { Region } from '@hub/schemas/streams'
import type { FastifyInstance } from 'fastify'
import { convergenceRoutes } from './convergence.ts'
import { parkedRoutes } from './parked.ts'
import { positionRoutes } from './position.ts'
import { redriveRoutes } from './redrives.ts'

/** How this region's replica stands: where it is, what it set aside, whether it is the same as the others. */
export function operateRoutes(db: Db, region: Region, topicPrefix: string): (app: FastifyInstance) => void {
  return (app) => {
    for (const routes of [positionRoutes(db, region, topicPrefix), parkedRoutes(db, region, topicPrefix), redriveRoutes(db), convergenceRoutes(db, region)]) routes(app)
  }
}
