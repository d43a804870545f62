import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { PROJECT_DATA_DIR, REPO_ROOT } from '@hub/local/paths'
import { consoleProgress } from '@hub/local/progress'
import { startStack } from '@hub/local/stack'
import { stopSignal } from '@hub/local/stop-signal'
import { createDb } from '@hub/runtime/db'
import { createLog } from '@hub/runtime/log'
import { machine, versions } from '../bench/machine.ts'
import { FAULTS, type Fault } from './nemesis.ts'
import { inserted, readable, tableOf, type Line } from './report.ts'
import { runRound } from './round.ts'
import { unmountAll } from './small-disk.ts'

// `npm run faults [-- name …] [--rounds n] [--seed n] [--out file] [--write]`: timed faults on a private stack, one after the other. A line of JSON per round goes
// to the file, and a round that stands there is not run again, so that a run that was broken off goes on. `--write` puts the table into docs/reliability.md.
// Ends with status 1 when a round failed or was void.

const SEED = 20_261_125
const PAGE = join(REPO_ROOT, 'docs/reliability.md')

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' }, seed: { type: 'string' }, out: { type: 'string', default: join(REPO_ROOT, 'test/faults/results.jsonl') }, write: { type: 'boolean' }, table: { type: 'boolean' } },
})
const unknown = positionals.filter((name) => !FAULTS.some((fault) => fault.name === name))
if (unknown.length > 0) {
  say(`没有这样的故障 · no such fault: ${unknown.join(', ')}\n${FAULTS.map(({ name, zh, en }) => `  ${name.padEnd(20)}${zh} · ${en}`).join('\n')}`)
  process.exitCode = 2
} else {
  process.exitCode = await runFaults(positionals.length === 0 ? FAULTS : FAULTS.filter(({ name }) => positionals.includes(name)))
}

async function runFaults(faults: readonly Fault[]): Promise<number> {
  const out = resolve(options.out)
  await mkdir(dirname(out), { recursive: true })
  const seed = Number(options.seed ?? SEED)
  const done = await readLines(out)
  const wanted = options.table === true ? [] : faults.flatMap((fault) => Array.from({ length: Number(options.rounds ?? fault.rounds) }, (_, n) => ({ fault, round: n + 1 })))
    .filter(({ fault, round }) => !done.some((line) => line.fault === fault.name && line.round === round))
  const bad = wanted.length === 0 ? 0 : await runAll(wanted, seed, out)
  const lines = await readLines(out)
  process.stdout.write(`${readable(lines)}\n`)
  if (options.write === true) await writeFile(PAGE, inserted(await readFile(PAGE, 'utf8').catch(() => ''), tableOf(lines)))
  return bad > 0 ? 1 : 0
}

/** @returns how many rounds did not pass. */
async function runAll(wanted: readonly { fault: Fault, round: number }[], seed: number, out: string): Promise<number> {
  const signal = stopSignal()
  let bad = 0
  for (const quorum of [false, true]) {
    const rounds = wanted.filter(({ fault }) => (fault.quorum ?? false) === quorum)
    if (rounds.length > 0 && !signal.aborted) bad += await runOn(quorum, rounds, seed, out, signal)
  }
  return bad
}

/** @returns how many rounds did not pass, on one stack. */
async function runOn(quorum: boolean, rounds: readonly { fault: Fault, round: number }[], seed: number, out: string, signal: AbortSignal): Promise<number> {
  const dataDir = join(PROJECT_DATA_DIR, `faults-${process.pid}`)
  const stack = await startStack({ dataDir, ports: 'random', quorum, onProgress: consoleProgress(), signal })
  let bad = 0
  try {
    await using server = createDb({ url: stack.adminDatabaseUrl, name: 'faults', max: 1, log: createLog({ service: 'faults', level: 'silent' }) })
    const postgres = (await server.query<{ server_version: string }>('SHOW server_version')).rows[0]!.server_version
    await server.close()
    for (const { fault, round } of rounds) {
      if (signal.aborted) return 1
      say(`${fault.name} ${round}  ${fault.zh} · ${fault.en}`)
      try {
        const result = await runRound(stack, fault, round, seed + round)
        const line: Line = { ...result, at: new Date().toISOString(), machine: machine(), versions: versions(postgres) }
        await appendFile(out, `${JSON.stringify(line)}\n`)
        if (result.outcome !== 'passed') bad++
        say(`  ${result.outcome}: ${result.strikes} strikes, ${result.published} published, ready ${result.readySeconds} s, drained ${result.drainedSeconds} s${result.violations.map((text) => `\n    ${text}`).join('')}`)
      } catch (error) {
        bad++
        say(`  ${error instanceof Error ? error.stack : String(error)}`)
      }
    }
    return bad
  } finally {
    await stack.stop()
    unmountAll()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function readLines(file: string): Promise<Line[]> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Line)
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}
