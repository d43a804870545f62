import { serviceSources } from '../docs/errors.ts'

/** Labels that every sample has: of the process itself, and of whoever collects it. */
export const COMMON_LABELS = ['region', 'service', 'job', 'instance']

export interface DeclaredMetric {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
}

const DECLARATION = /\.(counter|gauge|histogram)\('(hub_[a-z_]+)',\s*'(?:[^'\\]|\\.)*'(?:,\s*\[([^\]]*)\])?/g

/** Every metric of the services as their code makes it, by name. */
export function declaredMetrics(): Map<string, DeclaredMetric> {
  return new Map(serviceSources().flatMap(({ text }) => [...text.matchAll(DECLARATION)].map(([, kind, name, labels]): [string, DeclaredMetric] =>
    [name!, { kind: kind as DeclaredMetric['kind'], labels: [...(labels ?? '').matchAll(/'([a-z]+)'/g)].map(([, label]) => label!) }])))
}

/** The metric that a series belongs to: a histogram has three. */
export function metricOf(series: string, declared: ReadonlyMap<string, DeclaredMetric>): string {
  const base = series.replace(/_(bucket|sum|count)$/, '')
  return declared.get(base)?.kind === 'histogram' ? base : series
}
