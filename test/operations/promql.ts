import { parser } from '@prometheus-io/lezer-promql'

/** What a PromQL expression asks for: series by name with the labels that it selects by, and every label that it groups by or makes. */
export interface Asked {
  readonly series: readonly { readonly name: string; readonly labels: readonly string[] }[]
  readonly groupedBy: readonly string[]
  /** Labels that label_replace makes. */
  readonly made: readonly string[]
}

/** Reads an expression with the grammar of Prometheus. @throws Error where it is not PromQL */
export function readPromql(expression: string): Asked {
  const series: { name: string; labels: string[] }[] = []
  const groupedBy: string[] = []
  parser.parse(expression).iterate({
    enter({ name, from, to, node }) {
      const text = expression.slice(from, to)
      if (name === '⚠' || node.type.isError) throw new Error(`not PromQL at ${from} (${expression.slice(from, from + 20)}): ${expression}`)
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') series.push({ name: text, labels: [] })
      if (name === 'LabelName') (node.parent?.name === 'GroupingLabels' ? groupedBy : series.at(-1)!.labels).push(text)
    },
  })
  return { series, groupedBy, made: [...expression.matchAll(/label_replace\([^"]+"([a-z]+)"/g)].map(([, label]) => label!) }
}
