import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  readonly registry: Registry
  counter<L extends string>(name: string, help: string, labels?: readonly L[]): Counter<L>
  /** `collect` fills the gauge when somebody reads; when it fails, the gauge is empty and the others are read all the same. */
  gauge<L extends string>(name: string, help: string, labels?: readonly L[], collect?: (gauge: Gauge<L>) => void | Promise<void>): Gauge<L>
  /** Buckets and observations in seconds. */
  histogram<L extends string>(name: string, help: string, labels?: readonly L[], buckets?: readonly number[]): Histogram<L>
}

/** One registry per process. Asking twice for a name gives the same instrument, so services composed in one process can share it. */
export function createMetrics(defaultLabels: Record<string, string>): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels(defaultLabels)
  const once = <T>(name: string, make: () => T): T => (registry.getSingleMetric(name) as T | undefined) ?? make()
  const metrics: Metrics = {
    registry,
    counter: (name, help, labels = []) => once(name, () => new Counter({ name, help, labelNames: [...labels], registers: [registry] })),
    gauge: (name, help, labels = [], collect) => once(name, () => {
      const gauge: Gauge<(typeof labels)[number]> = new Gauge({ name, help, labelNames: [...labels], registers: [registry], ...(collect === undefined ? {} : { collect: () => fill(gauge, collect) }) })
      return gauge
    }),
    histogram: (name, help, labels = [], buckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]) =>
      once(name, () => new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] })),
  }
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  metrics.gauge('hub_event_loop_delay_seconds', 'Longest time the event loop was held since the last reading', [], (gauge) => {
    gauge.set(Math.max(0, delay.max / 1e9 - 0.02))
    delay.reset()
  })
  metrics.gauge('hub_resident_memory_bytes', 'Resident memory of this process', [], (gauge) => gauge.set(process.memoryUsage.rss()))
  return metrics
}

async function fill<L extends string>(gauge: Gauge<L>, collect: (gauge: Gauge<L>) => void | Promise<void>): Promise<void> {
  try {
    await collect(gauge)
  } catch {
    gauge.reset()
  }
}
