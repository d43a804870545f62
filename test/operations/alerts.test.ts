import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { COMMON_LABELS, declaredMetrics, metricOf } from './metrics.ts'
import { readPromql } from './promql.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const declared = declaredMetrics()
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

interface Rule {
  alert: string
  expr: string
  for: string
  labels: { severity: string }
  annotations: { summary: string; description: string; runbook_url: string }
}
interface Panel {
  id: number
  type: string
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  datasource?: { uid: string }
  fieldConfig?: { defaults: { unit: string } }
  targets?: { expr: string; refId: string; datasource: { uid: string } }[]
}

const groups = (parse(read('infra/prometheus/alerts.yaml')) as { groups: { name: string; rules: Rule[] }[] }).groups
const rules = groups.flatMap((group) => group.rules)
const dashboard = JSON.parse(read('infra/grafana/hub.json')) as { uid: string; title: string; schemaVersion: number; panels: Panel[]; templating: { list: { name: string; type: string; query: string | { query: string } }[] } }
const panels = dashboard.panels.filter(({ type }) => type !== 'row')

/** What is wrong with an expression: no PromQL, or a metric or a label that no service has. */
function faults(expression: string): string[] {
  const { series, groupedBy, made } = readPromql(expression)
  const labelsOf = (name: string): readonly string[] => {
    const metric = declared.get(metricOf(name, declared))
    return [...COMMON_LABELS, ...made, ...(metric?.labels ?? []), ...(metric?.kind === 'histogram' && name.endsWith('_bucket') ? ['le'] : [])]
  }
  return series.flatMap(({ name, labels }) => {
    const metric = declared.get(metricOf(name, declared))
    if (metric === undefined && name !== 'up') return [`no service has ${name}`]
    if (metric?.kind === 'histogram' && metricOf(name, declared) === name) return [`${name} is a histogram: ask for _bucket, _sum or _count`]
    return labels.filter((label) => !labelsOf(name).includes(label)).map((label) => `${name} has no label ${label}`)
  }).concat(groupedBy.filter((label) => !series.some(({ name }) => labelsOf(name).includes(label))).map((label) => `nothing has the label ${label}`))
}

test('what is wrong with an expression is found', () => {
  expect(faults('sum by (region) (rate(hub_relay_events_total[5m])) > 0')).toEqual([])
  expect(() => faults('sum by (region (hub_relay_events_total)')).toThrow('not PromQL')
  expect(faults('hub_relay_events')).toEqual(['no service has hub_relay_events'])
  expect(faults('hub_relay_events_total{reason="x"}')).toEqual(['hub_relay_events_total has no label reason'])
  expect(faults('sum by (reason) (hub_relay_events_total)')).toEqual(['nothing has the label reason'])
  expect(faults('hub_gateway_commit_seconds > 1')).toEqual(['hub_gateway_commit_seconds is a histogram: ask for _bucket, _sum or _count'])
  expect(faults('sum by (le) (rate(hub_gateway_commit_seconds_bucket[5m]))')).toEqual([])
})

describe('alerts', () => {
  test.each(rules.map((rule) => [rule.alert, rule] as const))('%s asks for what there is, speaks both languages and has its runbook', (_name, { expr, for: since, annotations }) => {
    expect(faults(expr)).toEqual([])
    expect(since).toMatch(/^\d+m$/)
    for (const text of [annotations.summary, annotations.description]) expect(text).toMatch(/\p{Script=Han}.* · .*[a-z]/su)
    for (const [, label] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) expect(readPromql(expr).groupedBy.concat(COMMON_LABELS)).toContain(label)
    expect(existsSync(join(ROOT, annotations.runbook_url))).toBe(true)
  })

  test('only what needs a person at night pages', () => {
    expect(rules.filter(({ labels }) => labels.severity === 'page').map(({ alert }) => alert).sort()).toEqual(['HubEventsUnpublished', 'HubGatewayNotAccepting', 'HubPartitionPaused', 'HubReplicasDiffer'])
    expect(new Set(rules.map(({ labels }) => labels.severity))).toEqual(new Set(['page', 'ticket']))
    expect(rules.filter(({ expr, labels }) => labels.severity === 'page' && /parked|waiting-confirmation|open_imports/.test(expr))).toEqual([])
  })

  test('names are unique', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length)
  })
})

describe('runbooks', () => {
  const files = readdirSync(join(ROOT, 'docs/runbooks')).filter((name) => name !== 'README.md')
  const index = read('docs/runbooks/README.md')

  test('each stands in the index, names the alerts that lead to it, and is written in Chinese first', () => {
    for (const file of files) {
      expect([file, index.includes(`](${file})`)]).toEqual([file, true])
      const text = read(`docs/runbooks/${file}`)
      for (const { alert } of rules.filter(({ annotations }) => annotations.runbook_url === `docs/runbooks/${file}`)) expect([file, text.includes(alert)]).toEqual([file, true])
      expect([file, /^# \p{Script=Han}/u.test(text), text.indexOf('**English.**') > text.search(/\p{Script=Han}/u)]).toEqual([file, true, true])
    }
  })

  test('every link leads somewhere, and every command of hub exists', () => {
    const commands = new Set(readdirSync(join(ROOT, 'services/cli/commands')).map((name) => name.replace('.ts', '').split('-')[0]!))
    for (const file of [...files, 'README.md']) {
      const text = read(`docs/runbooks/${file}`)
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) expect([file, target, existsSync(join(ROOT, 'docs/runbooks', target!))]).toEqual([file, target, true])
      for (const [, name] of text.matchAll(/npm run hub -- ([a-z]+)/g)) expect([file, name, commands.has(name!)]).toEqual([file, name, true])
      for (const [name] of text.matchAll(/\bhub_[a-z_]+_[a-z]+\b/g)) expect([file, name, declared.has(metricOf(name, declared)) || /^hub_(verify|record_hash)$/.test(name)]).toEqual([file, name, true])
    }
  })
})

describe('the dashboard', () => {
  test.each(panels.map((panel) => [panel.title, panel] as const))('%s asks for what there is, with a unit and a title in both languages', (title, { targets, fieldConfig, datasource }) => {
    expect(title).toMatch(/\p{Script=Han}.* · [A-Z]/u)
    expect(fieldConfig!.defaults.unit).toMatch(/^[a-z]+$/)
    expect(new Set(targets!.map(({ refId }) => refId)).size).toBe(targets!.length)
    for (const target of targets!) {
      expect(faults(target.expr.replaceAll('$region', '.*'))).toEqual([])
      expect([target.datasource.uid, datasource!.uid]).toEqual(['${datasource}', '${datasource}'])
    }
  })

  test('loads without edits: ids are unique, nothing lies over anything, its variables are those it asks by', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`))
    expect(new Set(cells).size).toBe(cells.length)
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([['datasource', 'datasource'], ['region', 'query']])
    expect(JSON.stringify(dashboard).match(/\$\{?[a-z]+/gi)!.map((use) => use.replace(/[${]/g, ''))).toSatisfy((uses: string[]) => uses.every((use) => use === 'datasource' || use === 'region'))
    expect([dashboard.uid, dashboard.schemaVersion >= 39]).toEqual(['yrd-event-hub', true])
  })

  test('shows everything that an alert goes by', () => {
    const shown = new Set(panels.flatMap(({ targets }) => targets!.flatMap(({ expr }) => readPromql(expr.replaceAll('$region', '.*')).series.map(({ name }) => name))))
    const missing = rules.flatMap(({ expr }) => readPromql(expr).series.map(({ name }) => name)).filter((name) => !shown.has(name) && name !== 'up' && name !== 'hub_callers_file_broken')
    expect(missing).toEqual([])
  })
})

test('compose starts Prometheus and Grafana with these files, and collects every gateway', () => {
  const compose = parse(read('infra/compose.yaml'), { merge: true }) as { services: Record<string, { profiles?: string[]; volumes?: string[]; environment?: Record<string, string> }>; volumes: Record<string, unknown> }
  const scraped = parse(read('infra/prometheus/prometheus.yaml')) as { rule_files: string[]; scrape_configs: { job_name: string; honor_labels: boolean; static_configs: { targets: string[]; labels: { region: string } }[] }[] }
  for (const name of ['prometheus', 'grafana']) {
    const { profiles, volumes } = compose.services[name]!
    expect(profiles).toEqual(['monitoring'])
    for (const [from] of volumes!.map((volume) => volume.split(':'))) expect([from, from!.startsWith('./') ? existsSync(join(ROOT, 'infra', from!)) : from! in compose.volumes]).toEqual([from, true])
  }
  expect(scraped.rule_files.every((file) => existsSync(join(ROOT, 'infra/prometheus', file)))).toBe(true)
  const [job] = scraped.scrape_configs
  expect([job!.job_name, job!.honor_labels]).toEqual(['hub', true])
  const regions = Object.entries(compose.services).flatMap(([name, { environment }]) => (environment?.['HUB_HTTP_PORT'] === undefined ? [] : [[`${name}:${environment['HUB_HTTP_PORT']}`, name]]))
  expect(job!.static_configs.map(({ targets: [target], labels }) => [target, labels.region])).toEqual(regions)
})
