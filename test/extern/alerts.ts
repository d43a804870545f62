import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PROJECT_DATA_DIR, REPO_ROOT } from '@hub/local/paths'
import { parse, stringify } from 'yaml'
import { eventually } from '../eventually.ts'
import { freePort } from '../runtime/free-port.ts'
import type { Check } from './check.ts'
import { run } from './program.ts'

const FOLDERS = [join(PROJECT_DATA_DIR, 'extern/chromium/usr/bin'), '/usr/bin', '/usr/local/bin']
const MISSING = 'Prometheus and promtool are missing: HUB_PROMETHEUS names their folder; on Debian "apt-get install --download-only prometheus" and dpkg -x, as for Chromium · 缺少 Prometheus'

interface Rules { data: { groups: { rules: { name: string, health: string, lastError?: string, state: string, labels: Record<string, string>, lastEvaluation: string }[] }[] } }

/** The alert rules in a Prometheus that collects from a region: every one is evaluated without an error, and a region that is well wakes nobody. */
export const alerts: Check = {
  name: 'alerts',
  proves: '告警规则在真实 Prometheus 中可载入、可求值，正常时不呼叫任何人 · the alert rules load and evaluate in a real Prometheus, and wake nobody while all is well',
  async run({ zj }) {
    const folder = [...(process.env['HUB_PROMETHEUS'] === undefined ? [] : [process.env['HUB_PROMETHEUS']]), ...FOLDERS].find((one) => existsSync(join(one, 'promtool')) && existsSync(join(one, 'prometheus')))
    if (folder === undefined) return { passed: false, seen: MISSING, versions: [] }
    const version = /version (\S+)/.exec(`${Object.values(await run(join(folder, 'prometheus'), ['--version'])).join(' ')}`)?.[1] ?? '?'
    const versions = [`Prometheus ${version}`]
    const checked = await run(join(folder, 'promtool'), ['check', 'config', join(REPO_ROOT, 'infra/prometheus/prometheus.yaml')])
    if (checked.status !== 0) return { passed: false, seen: `${checked.out}${checked.error}`, versions }

    const dir = join(PROJECT_DATA_DIR, `extern-prometheus-${process.pid}`)
    await mkdir(dir, { recursive: true })
    await cp(join(REPO_ROOT, 'infra/prometheus/alerts.yaml'), join(dir, 'alerts.yaml'))
    const config = parse(await readFile(join(REPO_ROOT, 'infra/prometheus/prometheus.yaml'), 'utf8')) as { global: object, scrape_configs: { static_configs: object[] }[] }
    config.global = { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' }
    config.scrape_configs[0]!.static_configs = [{ targets: [new URL(zj.gateway).host], labels: { region: 'zj' } }]
    await writeFile(join(dir, 'prometheus.yaml'), stringify(config))
    const port = await freePort()
    const child = spawn(join(folder, 'prometheus'), [`--config.file=${join(dir, 'prometheus.yaml')}`, `--storage.tsdb.path=${join(dir, 'data')}`, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
    const exited = once(child, 'exit')
    try {
      const rules = await eventually('every rule has been evaluated on what was collected', async () => {
        const up = await get<{ data: { result: { value: [number, string] }[] } }>(port, '/api/v1/query?query=up')
        const { data } = await get<Rules>(port, '/api/v1/rules')
        const all = data.groups.flatMap((group) => group.rules)
        return up.data.result[0]?.value[1] === '1' && all.length > 0 && all.every(({ health }) => health !== 'unknown') ? all : undefined
      }, 60_000)
      const broken = rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`)
      const paging = rules.filter(({ state, labels }) => state === 'firing' && labels['severity'] === 'page').map(({ name }) => `${name} would wake somebody`)
      const wrong = [...broken, ...paging]
      return { passed: wrong.length === 0, seen: wrong.length === 0 ? `${rules.length} rules` : wrong.join('\n'), versions }
    } finally {
      child.kill('SIGTERM')
      await exited
      await rm(dir, { recursive: true, force: true })
    }
  },
}

async function get<T>(port: number, path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return await response.json() as T
}
