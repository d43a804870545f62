import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { blocksOf, differences, type Block } from './guide.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The text of a page of docs/guides. */
export function readGuide(name: string): string {
  return readFileSync(`${ROOT}docs/guides/${name}`, 'utf8')
}

/** The blocks of a page as one may compare them with those of its translation: comments are translated too. */
export function examplesOf(markdown: string): string[] {
  return blocksOf(markdown).map(({ language, text }) => `${language}\n${text.replaceAll(/^\s*(#|\/\/) .*$/gm, '')}`)
}

/** A folder for a run of a guide. */
export function guideDir(): string {
  return mkdtempSync(join(tmpdir(), 'yrd-hub-guide-'))
}

/**
 * Does what a guide says, in its order and in one shell. `npm run hub` is the same command without npm, which would look for updates of the installation first.
 * @param env what the guide's reader has in the environment. @returns where something else came about than is shown
 */
export async function runGuide(guide: string, dir: string, env: NodeJS.ProcessEnv): Promise<string[]> {
  expect(spawnSync('curl', ['--version']).error, '本机没有 curl：请安装后再测试 · there is no curl on this machine: install it, the guide is written for it').toBeUndefined()
  const blocks = blocksOf(guide)
  const { status, said } = await runAll(blocks.filter(isRun), dir, env)
  const faults: string[] = []
  let at = -1
  for (const [i, block] of blocks.entries()) {
    if (!isRun(block)) continue
    const [out, error, ended] = [said(`out-${++at}`), said(`error-${at}`), status[at]]
    if (ended !== 0 || error !== '') faults.push(`line ${block.line} ended with ${ended}: ${error}${out}`)
    const shown = blocks[i + 1]
    if (shown === undefined || isRun(shown)) continue
    faults.push(...compare(shown, out).map((fault) => `line ${shown.line} shows something else: ${fault}\n${out}`))
  }
  return faults
}

function compare(shown: Block, out: string): string[] {
  if (shown.language !== 'json') return differences(shown.text.trimEnd().split('\n'), out.trimEnd().split('\n'))
  try {
    return differences(JSON.parse(shown.text), JSON.parse(out))
  } catch {
    return ['no JSON']
  }
}

function isRun({ language }: Block): boolean {
  return language === 'sh' || language === 'ts'
}

/** Runs the blocks in one shell, so that one uses what another exported; TypeScript as its reader would, from the folder of the project. */
async function runAll(blocks: readonly Block[], dir: string, env: NodeJS.ProcessEnv): Promise<{ status: number[]; said: (name: string) => string }> {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift\nexec node '${ROOT}services/cli/index.ts' "$@" 2>/dev/null\n`, { mode: 0o755 })
  writeFileSync(join(dir, 'guide.sh'), blocks.map(({ language, text }, i) => {
    const file = join(dir, `block-${i}.ts`)
    if (language === 'ts') writeFileSync(file, text)
    const body = language === 'sh' ? text : `(cd '${ROOT}' && node --input-type=module-typescript - < '${file}')\n`
    return `{\n${body}} > '${dir}/out-${i}' 2> '${dir}/error-${i}'\necho $? >> '${dir}/status'\n`
  }).join(''))
  const child = spawn('bash', ['-o', 'pipefail', join(dir, 'guide.sh')], { cwd: dir, env: { ...process.env, PATH: `${bin}:${join(process.execPath, '..')}:${process.env['PATH']}`, ...env }, stdio: ['ignore', 'ignore', 'inherit'], timeout: 100_000, killSignal: 'SIGKILL' })
  await new Promise((resolve) => child.once('close', resolve))
  const said = (name: string): string => { try { return readFileSync(join(dir, name), 'utf8') } catch { return '' } }
  return { status: said('status').split('\n').filter(Boolean).map(Number), said }
}
