import { appendFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { PROJECT_DATA_DIR } from '@hub/local/paths'
import { consoleProgress } from '@hub/local/progress'
import { startStack, type Stack } from '@hub/local/stack'
import { stopSignal } from '@hub/local/stop-signal'
import { createDb } from '@hub/runtime/db'
import { createLog } from '@hub/runtime/log'
import { announcement } from './announcement.ts'
import { VoidRun, type Bench, type Figure } from './bench.ts'
import { drain } from './drain.ts'
import { feed } from './feed.ts'
import { importFiles } from './import.ts'
import { latency } from './latency.ts'
import { lookup } from './lookup.ts'
import { lookupGone } from './lookup-gone.ts'
import { lookupIndex } from './lookup-index.ts'
import { lookupLarge } from './lookup-large.ts'
import { memory } from './memory.ts'
import { publishNdjson } from './publish-ndjson.ts'
import { publishSingle } from './publish-single.ts'
import { read } from './read.ts'
import { jsonLine, readable, type Run } from './report.ts'
import { scrub } from './scrub.ts'
import { start } from './start.ts'
import { wave } from './wave.ts'

// `npm run bench [-- name …] [--quick] [--out file] [--profile folder]`: benches one after the other on a private stack with honest durability. One JSON
// line per figure on standard output; what a reader wants on standard error. Ends with status 1 when a run was void, never for a slow one.

const BENCHES: readonly Bench[] = [start, drain, publishSingle, publishNdjson, latency, feed, memory, read, scrub, lookupIndex, lookup, lookupLarge, lookupGone, importFiles, wave, announcement]
const SEED = 20_261_124

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, out: { type: 'string' }, profile: { type: 'string' }, seed: { type: 'string' } },
})
const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name))
if (unknown.length > 0) {
  say(`没有这样的测试 · no such bench: ${unknown.join(', ')}\n${BENCHES.map(({ name, what }) => `  ${name.padEnd(16)}${what}`).join('\n')}`)
  process.exitCode = 2
} else {
  process.exitCode = await runBenches(positionals.length === 0 ? BENCHES : BENCHES.filter(({ name }) => positionals.includes(name)))
}

async function runBenches(benches: readonly Bench[]): Promise<number> {
  const signal = stopSignal()
  const dataDir = join(PROJECT_DATA_DIR, `bench-${process.pid}`)
  const quick = options.quick === true
  const seed = Number(options.seed ?? SEED)
  let starting: Promise<Stack> | undefined
  const stack = (): Promise<Stack> => (starting ??= startStack({ dataDir, ports: 'random', onProgress: consoleProgress(), signal }))
  const figures: Figure[] = []
  let voided = 0
  try {
    for (const bench of benches) {
      say(`\n${bench.name}  ${bench.what}`)
      try {
        const found = await bench.run({ quick, seed, profileDir: options.profile === undefined ? undefined : resolve(options.profile), signal, stack, say: (text) => say(`  ${text}`) })
        const run: Run = { at: new Date().toISOString(), seed, quick, postgres: starting === undefined ? null : await postgresVersion(await starting) }
        const lines = found.map((one) => `${jsonLine(one, run)}\n`).join('')
        process.stdout.write(lines)
        if (options.out !== undefined) await appendFile(options.out, lines)
        figures.push(...found)
      } catch (error) {
        if (signal.aborted) return 130
        voided++
        say(`  ✗ 作废 · void: ${error instanceof VoidRun ? error.message : error instanceof Error ? error.stack : String(error)}`)
      }
    }
  } finally {
    await starting?.then((running) => running.stop(), () => {})
    await rm(dataDir, { recursive: true, force: true })
  }
  if (figures.length > 0) say(`\n${readable(figures)}`)
  if (voided > 0) say(`\n${voided} 项作废 · ${voided} void`)
  return voided > 0 ? 1 : 0
}

async function postgresVersion(stack: Stack): Promise<string | null> {
  await using db = createDb({ url: stack.adminDatabaseUrl, name: 'bench', max: 1, log: createLog({ service: 'bench', level: 'silent' }) })
  const { rows: [row] } = await db.query<{ server_version: string }>('SHOW server_version')
  return row?.server_version ?? null
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
