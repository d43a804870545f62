import type { Codec } from '@hub/runtime/codec'
import { type Db, OutboxClosedError } from '@hub/runtime/db'
import { within } from '@hub/runtime/deadline'
import type { Log } from '@hub/runtime/log'
import type { Metrics } from '@hub/runtime/metrics'
import { sharedReading } from '@hub/runtime/shared-reading'
import type { Wakeup } from '@hub/runtime/wakeup'
import type { GatewayConfig } from '../config.ts'
import { readDeclarations } from './declaration.ts'
import { createSources, SOURCE_STATUS, type Sources } from './sources.ts'
import { standingOf } from './standing.ts'
import { readSources } from './store.ts'

const METRICS_MS = 2_000
const CLOSED_AGAIN_MS = 5_000

/** Publishes what is new in the region's declarations, and measures the age of every source. @throws Error with every problem of the file at once */
export async function startSources(config: GatewayConfig, { db, codec, wakeup, log, metrics }: { db: Db; codec: Codec; wakeup: Wakeup; log: Log; metrics: Metrics }): Promise<Sources> {
  const declarations = await readDeclarations(config.sourcesFile, config.callersFile)
  const sources = createSources({ db, writer: await codec.writer(SOURCE_STATUS), region: config.region, topicPrefix: config.topicPrefix, wakeup })
  await declare()
  measureSources(db, metrics)
  return sources

  /** While the outbox is closed the gateway runs all the same: it answers readers. */
  async function declare(): Promise<void> {
    try {
      const published = await sources.declare(declarations)
      if (published.length > 0) log.info({ sources: published }, 'declared sources published')
    } catch (error) {
      if (!(error instanceof OutboxClosedError)) throw error
      setTimeout(() => { declare().catch((again: unknown) => log.warn({ err: again }, 'declared sources not published; they are at the next start')) }, CLOSED_AGAIN_MS).unref()
    }
  }
}

function measureSources(db: Db, metrics: Metrics): void {
  const read = sharedReading(() => within(readSources(db), METRICS_MS))
  metrics.gauge('hub_source_age_seconds', 'Since the last complete hand-over of a source that this replica has seen whole; a source without one is absent', ['origin', 'source'], async (gauge) => {
    const rows = await read()
    gauge.reset()
    for (const row of rows) {
      const { ageSeconds } = standingOf(row, Date.now())
      if (ageSeconds !== null) gauge.set({ origin: row.region, source: row.source }, ageSeconds)
    }
  })
  metrics.gauge('hub_source_overdue_seconds', 'Since an office owes the next hand-over of a source; 0 while it owes none', ['origin', 'source'], async (gauge) => {
    const rows = await read()
    gauge.reset()
    for (const row of rows) {
      const { overdueSince } = standingOf(row, Date.now())
      gauge.set({ origin: row.region, source: row.source }, overdueSince === null ? 0 : (Date.now() - overdueSince.getTime()) / 1000)
    }
  })
}
