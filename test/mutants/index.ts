import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MUTANTS, type Mutant } from './mutants.ts'

/**
 * Takes out one guard after the other in a copy of the tree and runs the test that must notice; prints a table for docs/reliability.md.
 * Arguments: words of the guards to try, all without. Tests on the stack need HUB_TEST_STACK_FILE.
 */
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** Names of tests and files, source lines and stacks: what a failure is about, not what it says. */
const UNSAID = /^\s*(✓|×|❯|FAIL|at |\d*\|)|^\{ seed/
const SKIPPED = new Set(['.git', '.hub'])

type Outcome = { readonly killed: true; readonly said: string } | { readonly killed: false; readonly why: string }

const wanted = process.argv.slice(2)
const mutants = MUTANTS.filter(({ guard }) => wanted.every((word) => guard.includes(word)))
const copy = copyTree()
try {
  requireGreen(copy, mutants)
  const rows = mutants.map((mutant) => {
    const outcome = tryMutant(copy, mutant)
    console.error(`${outcome.killed ? 'killed  ' : 'SURVIVED'} ${mutant.guard}: ${outcome.killed ? outcome.said : outcome.why}`)
    return { mutant, outcome }
  })
  console.log('| guard taken out | keeps | test that fails | and says |\n| --- | --- | --- | --- |')
  for (const { mutant: { guard, keeps, test }, outcome } of rows) {
    console.log(`| ${guard} | ${keeps} | \`${test.file}\`${test.project === 'stack' ? ' (PostgreSQL)' : ''} | ${outcome.killed ? cell(outcome.said) : `**survived**: ${cell(outcome.why)}`} |`)
  }
  process.exitCode = rows.every(({ outcome }) => outcome.killed) ? 0 : 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}

function copyTree(): string {
  const target = mkdtempSync(join(tmpdir(), 'yrd-mutants-'))
  // Links between the folders are relative and are copied with them; what comes from the registry stays where it is.
  cpSync(ROOT, target, { recursive: true, verbatimSymlinks: true, filter: (path) => path !== join(ROOT, 'node_modules') && !SKIPPED.has(path.slice(ROOT.length)) })
  symlinkSync(join(ROOT, 'node_modules'), join(target, 'node_modules'))
  return target
}

/** A test that fails without any mutant proves nothing. */
function requireGreen(dir: string, list: readonly Mutant[]): void {
  for (const [, [mutant]] of Map.groupBy(list, ({ test }) => JSON.stringify(test))) {
    const { status, output } = runTest(dir, mutant!.test)
    if (status !== 0) throw new Error(`${mutant!.test.file} fails as the tree is:\n${output}`)
  }
}

function tryMutant(dir: string, { file, from, to, test, says }: Mutant): Outcome {
  const path = join(dir, file)
  const text = readFileSync(path, 'utf8')
  if (text.split(from).length !== 2) return { killed: false, why: 'the guard is not where the mutant looks for it' }
  writeFileSync(path, text.replace(from, () => to))
  try {
    const { status, output } = runTest(dir, test)
    if (status === 0) return { killed: false, why: 'the test passed' }
    const lines = output.split('\n').filter((line) => line.trim() !== '' && !UNSAID.test(line))
    const said = lines.find((line) => says.test(line))
    return said === undefined ? { killed: false, why: `it failed for another reason: ${lines.findLast((line) => line.includes('Error')) ?? 'none was printed'}` } : { killed: true, said: said.trim().replace(/^[+-]?\s*"?/, '').replace(/"?,?$/, '') }
  } finally {
    writeFileSync(path, text)
  }
}

function runTest(dir: string, { project, file, name }: Mutant['test']): { status: number; output: string } {
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', project, file, ...(name === undefined ? [] : ['-t', name])]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: dir, encoding: 'utf8', timeout: 300_000, maxBuffer: 64 * 1024 * 1024, env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', SHRINK: 'no' } })
  return { status: status ?? 1, output: `${stdout}\n${stderr}` }
}

function cell(text: string): string {
  const short = text.length > 160 ? `${text.slice(0, 157)}…` : text
  return short.replaceAll('|', '\\|')
}
