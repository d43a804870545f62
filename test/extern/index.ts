import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hub } from '@hub/cli'
import { PROJECT_DATA_DIR, REPO_ROOT } from '@hub/local/paths'
import { consoleProgress } from '@hub/local/progress'
import { startStack } from '@hub/local/stack'
import { stopSignal } from '@hub/local/stop-signal'
import { ROLES } from '@hub/runtime/caller'
import type { Region as RegionName } from '@hub/schemas/streams'
import { Readable } from 'node:stream'
import { openHub, type Hub } from '../bench/hub.ts'
import { alerts } from './alerts.ts'
import { announcements } from './announcements.ts'
import { pages } from './browser.ts'
import type { Check, Outcome, Target } from './check.ts'
import { followCredit, publishAndRead, readTopic } from './examples.ts'
import { PAGES } from './pages.ts'
import { schemathesis } from './schemathesis.ts'

// `npm run check:extern [-- name …]`: what programs that share nothing with the hub make of it, on a stack of its own. By hand, for it needs
// Python, Chromium and the network; its result is written to docs/extern-checks.md and committed. Ends with status 1 when a check failed.

const PAGE = join(REPO_ROOT, 'docs/extern-checks.md')
const CHECKS: readonly Check[] = [readTopic, publishAndRead, followCredit, schemathesis, alerts, pages(PAGES), announcements]

const names = process.argv.slice(2)
const chosen = names.length === 0 ? CHECKS : CHECKS.filter(({ name }) => names.includes(name))
if (chosen.length < Math.max(1, names.length)) {
  process.stderr.write(`没有这样的检查 · no such check: ${names.join(', ')}\n${CHECKS.map(({ name, proves }) => `  ${name.padEnd(20)}${proves}`).join('\n')}\n`)
  process.exitCode = 2
} else {
  process.exitCode = await runChecks(chosen)
}

async function runChecks(checks: readonly Check[]): Promise<number> {
  const signal = stopSignal()
  const dataDir = join(PROJECT_DATA_DIR, `extern-${process.pid}`)
  const stack = await startStack({ dataDir, ports: 'random', fsync: false, onProgress: consoleProgress(), signal })
  try {
    await using running = await openHub(stack)
    const target = await open(running, dataDir)
    const outcomes: [Check, Outcome][] = []
    for (const check of checks) {
      const outcome = await check.run(target).catch((error: unknown): Outcome => ({ passed: false, seen: error instanceof Error ? error.stack ?? error.message : String(error), versions: [] }))
      process.stdout.write(`${outcome.passed ? '✓' : '✗'} ${check.name.padEnd(20)} ${outcome.versions.join(', ')}\n${outcome.seen.replaceAll(/^/gm, '    ')}\n`)
      outcomes.push([check, outcome])
    }
    if (checks.length === CHECKS.length) await writeFile(PAGE, page(outcomes))
    return outcomes.every(([, { passed }]) => passed) ? 0 : 1
  } finally {
    await stack.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Two regions, a credit lookup, and a caller of zj's gateway with every role. */
async function open(running: Hub, dataDir: string): Promise<Target> {
  const [zj, sh, lookup] = [await running.start('region', 'zj'), await running.start('region', 'sh'), await running.start('credit-lookup', 'zj')]
  const region = (name: RegionName, gateway: string) => ({ gateway, keys: running.keys, kafka: running.credentials(name), databaseUrl: running.databaseUrl(name) })
  const settings = { regions: { zj: region('zj', zj.url), sh: region('sh', sh.url) }, kafka: { brokers: running.brokers }, registryUrl: running.registryUrl, topicPrefix: running.prefix }
  const settingsFile = join(dataDir, 'settings.json')
  await writeFile(settingsFile, JSON.stringify(settings), { mode: 0o600 })
  return { zj: settings.regions.zj, sh: settings.regions.sh, topicPrefix: running.prefix, settingsFile, lookup: lookup.url, everyRole: await callerWithEveryRole(running.callersFile('zj'), zj.url) }
}

async function callerWithEveryRole(file: string, gateway: string): Promise<string> {
  let said = ''
  const args = ['caller', 'add', 'extern', '--file', file, '--organisation', '外部检查', '--source', '*', '--authority', '*', ...ROLES.flatMap((role) => ['--role', role]), '--json']
  const exit = await hub(args, { env: {}, stdin: Readable.from([]), write: (text) => { said += text }, writeError: (text) => void process.stderr.write(text), onSignal() {} })
  if (exit !== 0) throw new Error(`hub caller add: ${said}`)
  const { key } = JSON.parse(said) as { key: string }
  const deadline = performance.now() + 30_000
  // The gateway looks at its file every few seconds.
  while ((await fetch(`${gateway}/v1/position`, { headers: { authorization: `Bearer ${key}` } })).status !== 200) {
    if (performance.now() > deadline) throw new Error('the gateway does not know the new caller after 30 s')
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  return key
}

function page(outcomes: readonly [Check, Outcome][]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', '<br>')
  return `# 外部检查 · External checks

<!-- 由 npm run check:extern 写入 · Written by npm run check:extern. Do not edit. -->

与本项目不共用任何代码的程序，对真实运行的枢纽所做的检查；需要网络、Python 和 Chromium，因此不在 \`npm test\` 中，由人运行并提交结果。
What programs that share no code with the hub make of a running one. They need the network, Python and Chromium and are therefore no part of \`npm test\`: run by hand, result committed.

${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${process.platform} ${process.arch}

| 检查 check | 结果 result | 证明 proves | 程序 programs | 所见 seen |
| --- | --- | --- | --- | --- |
${outcomes.map(([{ name, proves }, { passed, seen, versions }]) => `| ${name} | ${passed ? '通过 passed' : '**未通过 failed**'} | ${cell(proves)} | ${cell(versions.join(', '))} | ${cell(seen)} |`).join('\n')}
`
}
