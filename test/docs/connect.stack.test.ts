import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openHub, type Hub } from '../hub.ts'
import { blocksOf, differences, type Block } from './guide.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const GUIDE = readFileSync(`${ROOT}docs/guides/connect.md`, 'utf8')
const REGIONS = ['zj', 'sh'] as const

let hub: Hub

beforeAll(async () => {
  hub = await openHub({ regions: REGIONS })
})

afterAll(async () => {
  await hub?.[Symbol.asyncDispose]()
})

test('the English guide has the same examples', () => {
  const examples = (markdown: string): string[] => blocksOf(markdown).map(({ language, text }) => `${language}\n${text.replaceAll(/^\s*(#|\/\/) .*$/gm, '')}`)
  expect(examples(readFileSync(`${ROOT}docs/guides/connect.en.md`, 'utf8'))).toEqual(examples(GUIDE))
})

test('every command of the guide does what the guide says, in its order, against real gateways', { timeout: 120_000 }, async () => {
  expect(spawnSync('curl', ['--version']).error, '本机没有 curl：请安装后再测试 · there is no curl on this machine: install it, the guide is written for it').toBeUndefined()
  const dir = mkdtempSync(join(tmpdir(), 'yrd-hub-guide-'))
  const blocks = blocksOf(GUIDE)
  const { status, said } = await runAll(blocks.filter(isRun), dir)
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
  expect(faults).toEqual([])
})

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
async function runAll(blocks: readonly Block[], dir: string): Promise<{ status: number[]; said: (name: string) => string }> {
  writeFileSync(join(dir, 'guide.sh'), blocks.map(({ language, text }, i) => {
    const file = join(dir, `block-${i}.ts`)
    if (language === 'ts') writeFileSync(file, text)
    const body = language === 'sh' ? text : `(cd '${ROOT}' && node --input-type=module-typescript - < '${file}')\n`
    return `{\n${body}} > '${dir}/out-${i}' 2> '${dir}/error-${i}'\necho $? >> '${dir}/status'\n`
  }).join(''))
  const child = spawn('bash', ['-o', 'pipefail', join(dir, 'guide.sh')], { cwd: dir, env: { ...process.env, ...environment(dir) }, stdio: ['ignore', 'ignore', 'inherit'], timeout: 100_000, killSignal: 'SIGKILL' })
  await new Promise((resolve) => child.once('close', resolve))
  const said = (name: string): string => { try { return readFileSync(join(dir, name), 'utf8') } catch { return '' } }
  return { status: said('status').split('\n').filter(Boolean).map(Number), said }
}

/** The test's hub as the local run that the guide speaks of. `npm run hub` is the same command without npm, which would look for updates of the installation first. */
function environment(dir: string): NodeJS.ProcessEnv {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'npm'), `#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift\nexec node '${ROOT}services/cli/index.ts' "$@" 2>/dev/null\n`, { mode: 0o755 })
  mkdirSync(join(dir, 'regions'))
  for (const region of REGIONS) symlinkSync(dirname(hub.callersFile(region)), join(dir, 'regions', region))
  writeFileSync(join(dir, 'local.json'), '{}')
  return { PATH: `${bin}:${join(process.execPath, '..')}:${process.env['PATH']}`, HUB_LOCAL_FILE: join(dir, 'local.json'), HUB: hub.url('zj'), HUB_SH: hub.url('sh') }
}
