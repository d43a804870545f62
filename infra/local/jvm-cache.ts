import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Jdk } from './java.ts'
import { cacheDir } from './paths.ts'
import { spawnWatched } from './watchdog.ts'

const AOT_SINCE = 25
const READY_TIMEOUT_MS = 60_000
const DUMP_TIMEOUT_MS = 60_000

/** JVM flags that use the class cache of an artifact folder, once it has been made; a JVM that cannot use it ignores it. */
export function jvmFlags(jdk: Jdk, artifactDir: string): string[] {
  const file = cacheFile(jdk, artifactDir)
  if (!existsSync(file)) return []
  return jdk.major >= AOT_SINCE ? [`-XX:AOTCache=${file}`, '-Xlog:disable'] : [`-XX:SharedArchiveFile=${file}`, '-Xshare:auto', '-Xlog:disable']
}

/**
 * Runs the program once in training mode and keeps the cache the JVM writes when it ends. It only saves seconds later,
 * so whatever goes wrong is passed over in silence.
 */
export async function trainCache(
  jdk: Jdk,
  artifactDir: string,
  prepare: (dir: string) => Promise<{ args: string[], ready: (printed: string) => boolean | Promise<boolean> }>,
): Promise<void> {
  const file = cacheFile(jdk, artifactDir)
  if (existsSync(file)) return
  const dir = await mkdtemp(join(tmpdir(), 'yrd-hub-training-'))
  const output = join(dir, 'cache')
  try {
    const { args, ready } = await prepare(dir)
    const flag = jdk.major >= AOT_SINCE ? `-XX:AOTCacheOutput=${output}` : `-XX:ArchiveClassesAtExit=${output}`
    await runUntilReady({ command: jdk.java, args: [flag, ...args] }, dir, ready)
    await mkdir(join(cacheDir(), 'aot'), { recursive: true })
    const staged = `${file}.tmp-${process.pid}`
    await copyFile(output, staged)
    await rename(staged, file)
  } catch {
    // no cache: the program starts a second or two slower
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

async function runUntilReady(program: { command: string, args: string[] }, cwd: string, ready: (printed: string) => boolean | Promise<boolean>): Promise<void> {
  const child = spawnWatched({ ...program, stopSignal: 'SIGKILL', graceMs: 0 }, ['pipe', 'ignore'], { cwd })
  let printed = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => { printed += text })
  const ended = once(child, 'exit')
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (child.exitCode === null && performance.now() < deadline && !await ready(printed)) await sleep(50)
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), DUMP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

function cacheFile(jdk: Jdk, artifactDir: string): string {
  const key = createHash('sha256').update(`${jdk.version}\n${jdk.home}\n${artifactDir}`).digest('hex').slice(0, 12)
  return join(cacheDir(), 'aot', `${basename(artifactDir)}-java${jdk.major}-${key}.cache`)
}
