import type { Metrics } from './metrics.ts'

/**
 * Notes when `what` was last forgotten down to its limit, as `hub_retention_done_timestamp_seconds{what}` (Unix time). Begins with now, so that forgetting which never
 * succeeds is seen as well.
 */
export function markRetention(metrics: Metrics, what: string): () => void {
  const gauge = metrics.gauge('hub_retention_done_timestamp_seconds', 'When what is kept for a time only was last deleted down to its limit, or when this process began', ['what'])
  const done = (): void => gauge.set({ what }, Date.now() / 1000)
  done()
  return done
}
