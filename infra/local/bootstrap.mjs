#!/usr/bin/env node
// What `npm start`, `npm test` and their like run first: plain JavaScript for any Node from 20 on, without dependencies.
// Brings Node 24 and pnpm where the running ones do not serve, installs what the lockfile names, then runs the command.
// Everything is said on standard error: standard output belongs to the command (`hub … --json`).
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NODE_VERSION = '24.21.0'
const NODE_OLDEST = [24, 12] // type stripping without a flag or a warning
const PNPM_VERSION = '10.34.0'
const EXIT_RUNTIME = 1
const EXIT_ENVIRONMENT = 3

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const CACHE = process.env.HUB_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'yrd-hub')
const STAMP = join(ROOT, 'node_modules', '.hub-installed')

const counts = { passed: 0, failed: 1, skipped: 0 } // what `npm test` ends with; true as it stands when the tests are never reached

const COMMANDS = {
  start: (node, args) => run(node, [join(ROOT, 'infra/local/start.ts'), ...args]),
  hub: (node, args) => run(node, [join(ROOT, 'services/cli/index.ts'), ...args], { cwd: process.env.INIT_CWD || process.cwd() }),
  'check:extern': (node, args) => run(node, [join(ROOT, 'test/extern/index.ts'), ...args]),
  bench: (node, args) => run(node, [join(ROOT, 'test/bench/index.ts'), ...args]),
  faults: (node, args) => run(node, [join(ROOT, 'test/faults/index.ts'), ...args]),
  generate: async (node, args) => await run(node, [join(ROOT, 'schemas/generate.ts'), ...args]) || await run(node, [join(ROOT, 'test/docs/configuration.ts')]) || await run(node, [join(ROOT, 'test/docs/asyncapi.ts')]) || await run(node, [join(ROOT, 'test/docs/errors.ts')]),
  check,
  test,
}

await main(process.argv[2], process.argv.slice(3))

async function main(name, args) {
  if (!Object.hasOwn(COMMANDS, name)) fail(EXIT_RUNTIME, `用法：bootstrap.mjs ${Object.keys(COMMANDS).join('|')}`, `usage: bootstrap.mjs ${Object.keys(COMMANDS).join('|')}`)
  if (process.platform === 'win32') fail(EXIT_ENVIRONMENT, '请在 WSL 2 中运行（https://learn.microsoft.com/windows/wsl）。', 'On Windows run this inside WSL 2 (https://learn.microsoft.com/windows/wsl).')
  if (name === 'test') process.once('exit', closingLine)
  const installed = readText(STAMP) === installKey()
  const [node, pnpm] = await Promise.all([ensureNode(), installed ? undefined : ensurePnpm()])
  process.env.PATH = `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`
  if (pnpm) await install(node, pnpm, name)
  process.exitCode = await COMMANDS[name](node, args)
}

/** Type-checks and compares the generated code with its sources; each failure is one. */
async function check(node) {
  return await failedChecks(node) === 0 ? 0 : EXIT_RUNTIME
}

async function failedChecks(node) {
  let failed = 0
  const steps = [
    ['类型检查', 'type-check', [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.', '--noEmit']],
    ['检查生成的代码是否最新', 'generated code is current', [join(ROOT, 'schemas/generate.ts'), '--check']],
  ]
  for (const [zh, en, args] of steps) {
    if (!existsSync(args[0])) continue
    say(`… ${zh}`, en)
    const ok = await run(node, args) === 0
    say(`${ok ? '✓' : '✗'} ${zh}`, en)
    if (!ok) failed++
  }
  return failed
}

/** The last thing `npm test` says, whatever happened before. */
function closingLine() {
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`)
}

/** Checks, then all tests; a failed check counts as one failure. */
async function test(node, args) {
  const failedBefore = args.length === 0 ? await failedChecks(node) : 0
  const summaryFile = join(mkdtempSync(join(tmpdir(), 'yrd-hub-test-')), 'summary.json')
  const status = await run(node, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...args], { env: { HUB_TEST_SUMMARY: summaryFile } })
  const summary = readJson(summaryFile) ?? { passed: 0, failed: 0, skipped: 0 }
  rmSync(dirname(summaryFile), { recursive: true, force: true })
  const failed = summary.failed + failedBefore
  const broken = status !== 0 && failed === 0 ? 1 : 0 // vitest itself failed, for example in its set-up
  Object.assign(counts, summary, { failed: failed + broken })
  return status === 0 && failed === 0 && summary.passed > 0 ? 0 : EXIT_RUNTIME
}

async function ensureNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major === NODE_OLDEST[0] && minor >= NODE_OLDEST[1]) return process.execPath
  const mac = process.platform === 'darwin'
  // The platform packages behind the npm package `node`, which needs an install script to fetch them; macOS gets them later.
  const name = `${mac && process.arch === 'arm64' ? 'node-bin' : 'node'}-${process.platform}-${process.arch}`
  const dir = await fromNpm(`node-${NODE_VERSION}`, `${name}@${mac ? '24' : NODE_VERSION}`, 'Node 24')
  return join(dir, 'node_modules', name, 'bin', 'node')
}

async function ensurePnpm() {
  const dir = await fromNpm(`pnpm-${PNPM_VERSION}`, `pnpm@${PNPM_VERSION}`, 'pnpm')
  return join(dir, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
}

/** Installs one package into its own folder of the cache, through npm with its mirrors and proxies. */
async function fromNpm(folder, spec, what) {
  const dir = join(CACHE, 'toolchain', folder)
  if (existsSync(dir)) return dir
  const temporary = `${dir}.tmp-${process.pid}`
  mkdirSync(temporary, { recursive: true })
  writeFileSync(join(temporary, 'package.json'), '{"private":true}')
  try {
    const { status, output } = await runQuietly(`下载 ${what}`, `bringing ${what} (${spec})`, 'npm',
      ['install', '--prefix', temporary, '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', spec], { cwd: temporary })
    if (status === 'ENOENT') {
      fail(EXIT_ENVIRONMENT, `需要 npm 来下载 ${what}，但未找到 npm。请安装 Node.js 20 或更高版本（含 npm）。`, `npm is needed to bring ${what}, but there is none. Install Node.js 20 or newer, with npm.`)
    }
    if (status !== 0) {
      fail(EXIT_ENVIRONMENT, `下载 ${spec} 失败。首次启动需要网络（或 .npmrc 中配置的镜像）；之后可离线启动。`,
        `npm could not install ${spec}. The first start needs the network (or the registry of .npmrc); later ones do not.\n${output}`)
    }
    try {
      renameSync(temporary, dir)
    } catch (error) {
      if (!existsSync(dir)) throw error // another bootstrap was first
    }
    return dir
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Installs the workspace as the lockfile says; meanwhile broker and registry are fetched. */
async function install(node, pnpm, name) {
  const preparing = name === 'start' || name === 'test' ? run(node, [join(ROOT, 'infra/local/prepare.ts')], { stdout: 2 }) : Promise.resolve(0)
  const installing = runQuietly('安装依赖', 'installing dependencies', node,
    [pnpm, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'], { cwd: ROOT, env: { CI: 'true' } })
  const prepared = await Promise.race([preparing, installing.then(() => 0)])
  if (prepared !== 0) process.exit(prepared) // what is missing has been said; the installation ends with us
  const { status, output } = await installing
  if (status !== 0) {
    fail(EXIT_ENVIRONMENT, '安装依赖失败。首次启动需要网络（或 .npmrc 中配置的镜像）；之后可离线启动。',
      `pnpm could not install the dependencies. The first start needs the network (or the registry of .npmrc); later ones do not.\n${output}`)
  }
  writeFileSync(STAMP, installKey())
  const status2 = await preparing
  if (status2 !== 0) process.exit(status2)
}

/** Changes whenever an installation would give something else. */
function installKey() {
  const hash = createHash('sha256').update(`${PNPM_VERSION} ${process.platform} ${process.arch}\n`)
  const packages = ['schemas', 'test', 'infra/local', ...readdirSync(join(ROOT, 'services')).map((name) => `services/${name}`)]
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...packages.map((dir) => `${dir}/package.json`)]) {
    hash.update(`${file}\n${readText(join(ROOT, file)) ?? ''}\n`)
  }
  return hash.digest('hex')
}

/**
 * Runs a command in the foreground and resolves with its exit status. Signals are handed on and we wait for its end, so
 * that it can stop in order; it is also asked to stop when npm, which started us, is gone.
 */
function run(command, args, { cwd = ROOT, env = {}, stdout = 'inherit' } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['inherit', stdout, 'inherit'], env: { ...process.env, ...env, HUB_BOOTSTRAP_PID: String(process.pid) } })
    const handOn = (signal) => { child.kill(signal) }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, handOn)
    const watch = watchAncestors(() => child.kill('SIGTERM'))
    const finish = (status) => {
      for (const signal of signals) process.off(signal, handOn)
      clearInterval(watch)
      resolve(status)
    }
    child.once('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      finish(EXIT_RUNTIME)
    })
    child.once('exit', (code, signal) => finish(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : EXIT_RUNTIME)))
  })
}

/** Calls back once when the npm that runs us, or its shell between us, ends; a process started by hand may outlive its terminal. */
function watchAncestors(gone) {
  if (!process.env.npm_lifecycle_event) return undefined
  const parent = process.ppid
  const { name, above } = describeProcess(parent)
  const npm = /(^|[/-])(sh|bash|dash|zsh|ash)$/.test(name) ? above : undefined // otherwise the shell gave its place to us
  let told = false
  const timer = setInterval(() => {
    if (told || (process.ppid === parent && (npm === undefined || alive(npm)))) return
    told = true
    gone()
  }, 500)
  timer.unref()
  return timer
}

function describeProcess(pid) {
  const status = readText(`/proc/${pid}/status`)
  if (status) return { name: /^Name:\s+(.+)/m.exec(status)?.[1] ?? '', above: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) }
  const [above = '', ...name] = (spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '').trim().split(/\s+/)
  return { name: name.join(' '), above: Number(above) }
}

function alive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Runs a command whose own words matter only when it fails, saying every few seconds that it is still at it. */
function runQuietly(zh, en, command, args, { cwd, env = {} }) {
  return new Promise((resolve) => {
    const began = performance.now()
    say(`… ${zh}`, en)
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    const lines = []
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        lines.push(...text.split('\n').filter(Boolean))
        lines.splice(0, lines.length - 20)
      })
    }
    const ticker = setInterval(() => say(`· ${zh}：已用 ${seconds(began)} 秒`, `${en}: ${seconds(began)} s${progressOf(lines)}`), 5000)
    const stop = () => child.kill('SIGTERM')
    process.once('exit', stop)
    const finish = (status) => {
      clearInterval(ticker)
      process.off('exit', stop)
      if (status === 0) say(`✓ ${zh}`, `${en} (${seconds(began)} s)`)
      resolve({ status, output: lines.join('\n') })
    }
    child.once('error', (error) => finish(error.code))
    child.once('close', (code) => finish(code))
  })
}

/** pnpm's own last count of what it has fetched. */
function progressOf(lines) {
  const last = lines.findLast((line) => line.startsWith('Progress:'))
  return last ? ` (${last.slice('Progress: '.length)})` : ''
}

function seconds(began) {
  return Math.round((performance.now() - began) / 1000)
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function readJson(file) {
  const text = readText(file)
  return text ? JSON.parse(text) : undefined
}

function say(zh, en) {
  process.stderr.write(`        ${zh} · ${en}\n`)
}

function fail(status, zh, en) {
  process.stderr.write(`\n${zh}\n${en}\n`)
  process.exit(status)
}
