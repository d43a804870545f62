import { html, type Html } from '@hub/runtime/page'
import { scaleBand, scaleLinear } from 'd3-scale'
import { stack } from 'd3-shape'

export interface Bar {
  readonly label: string
  /** By series; `null` = there are no numbers, and `why` says so. */
  readonly values: Readonly<Record<string, number>> | null
  readonly why?: string
}

export interface Chart {
  readonly id: string
  readonly title: string
  /** What is added up in a bar, in this order. */
  readonly series: readonly { readonly key: string, readonly name: string }[]
  readonly bars: readonly Bar[]
}

/** Narrow enough that its text can be read on a phone. */
const WIDTH = 420
const ROW = 44
const TOP = 34
/** Room for the number behind the longest bar. */
const NUMBER = 64

/** Bars with their parts, as SVG: one row each, its label above it and its sum behind it, so that nothing depends on colours. */
export function chart({ id, title, series, bars }: Chart): Html {
  const keys = series.map(({ key }) => key)
  const drawn = bars.map((bar) => ({ ...bar, sum: bar.values === null ? null : keys.reduce((sum, key) => sum + (bar.values![key] ?? 0), 0) }))
  const height = TOP + ROW * bars.length
  const x = scaleLinear([0, Math.max(1, ...drawn.map(({ sum }) => sum ?? 0))], [0, WIDTH - NUMBER])
  const y = scaleBand(bars.map((_bar, at) => at), [TOP, height]).paddingInner(0.1)
  const parts = stack<Bar>().keys(keys).value(({ values }, key) => values?.[key] ?? 0)(drawn)
  const step = (WIDTH - 4) / Math.max(1, series.length)
  return html`<svg class="chart" role="img" aria-labelledby="${id}-title ${id}-text" viewBox="0 0 ${WIDTH} ${height}" xmlns="http://www.w3.org/2000/svg">
<title id="${id}-title">${title}</title>
<desc id="${id}-text">${drawn.map(({ label, sum, why }) => `${label}${sum ?? why ?? ''}`).join('，')}。数字见下表。</desc>
${series.map(({ name }, at) => html`<rect class="s${at}" x="${at * step}" y="4" width="12" height="12"/><text class="key" x="${at * step + 17}" y="15">${name}</text>
`)}${drawn.map(({ label, sum, why }, at) => {
    const top = y(at)!
    return html`<text x="0" y="${top + 14}">${short(label)}</text>
${parts.map((part, index) => {
      const [from, to] = part[at]!
      return to > from ? html`<rect class="s${index}" x="${rounded(x(from))}" y="${rounded(top + 20)}" width="${rounded(x(to) - x(from))}" height="16"/>
` : ''
    })}<text class="sum" x="${rounded(x(sum ?? 0) + (sum === null ? 0 : 6))}" y="${rounded(top + 33)}">${sum === null ? why : sum.toLocaleString('en-US')}</text>
`
  })}</svg>`
}

function short(label: string): string {
  return label.length > 26 ? `${label.slice(0, 25)}…` : label
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
