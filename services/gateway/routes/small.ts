import type { Codec } from '@hub/runtime/codec'
import type { Db } from '@hub/runtime/db'
import type { Wakeup } from '@hub/runtime/wakeup'
import type { FastifyInstance } from 'fastify'
import type { GatewayConfig } from '../config.ts'
import type { Feed } from '../feed/feed.ts'
import type { Preparing } from '../publish/prepare.ts'
import type { Sources } from '../sources/sources.ts'
import { changeRoutes } from './changes.ts'
import { endedRoutes } from './ended.ts'
import { operateRoutes } from './operate.ts'
import { receiptRoutes } from './receipts.ts'
import { recordRoutes } from './records.ts'
import { sourceRoutes } from './sources.ts'
import { statusRoutes } from './status.ts'
import { streamRoutes } from './streams.ts'
import { verdictRoutes } from './verdicts.ts'

export interface Asked {
  readonly db: Db
  readonly codec: Codec
  readonly config: GatewayConfig
  readonly preparing: Preparing
  /** The outbox's bell. */
  readonly wakeup: Wakeup
  readonly feed: Feed
  readonly sources: Sources
}

/** Everything that is asked with small questions: records, changes, receipts, sources, what has ended, and what operators look at. */
export function smallRoutes({ db, codec, config, preparing, wakeup, feed, sources }: Asked): (app: FastifyInstance) => void {
  const { region, topicPrefix } = config
  return (app) => {
    for (const routes of [
      recordRoutes({ db, codec, region, topicPrefix, cursorSecret: config.databaseUrl }), changeRoutes(feed, region), streamRoutes({ db, ...preparing }), receiptRoutes(db, topicPrefix), operateRoutes(db, region, topicPrefix),
      verdictRoutes(db, config), statusRoutes(db, config), sourceRoutes(db, region, sources), endedRoutes({ db, codec, preparing, wakeup }),
    ]) routes(app)
  }
}
