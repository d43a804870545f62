import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalProblem } from './problem.ts'
import { processIdentity } from './process-identity.ts'

const LAUNCHER = 'launcher'
const LEFTOVER_GRACE_MS = 8000
const CLAIM_SETTLES_MS = 50

interface PidNote { pid: number, identity: string, stopSignal: NodeJS.Signals }

/**
 * Makes this process the one launcher of a data directory: refuses when another one runs on it, and first ends what a
 * killed launcher left behind. Returns a function that gives the directory free.
 * @throws LocalProblem ALREADY_RUNNING
 */
export async function claimDataDir(pidDir: string): Promise<() => void> {
  mkdirSync(pidDir, { recursive: true })
  const launcher = readNote(join(pidDir, LAUNCHER))
  if (launcher && launcher.pid !== process.pid && isAlive(launcher)) throw alreadyRunning(pidDir, launcher.pid)
  const release = notePid(pidDir, LAUNCHER, process.pid, 'SIGTERM')
  // Of two launchers that found nobody at the same instant the later writer stays; nothing is awaited between looking and writing.
  await sleep(CLAIM_SETTLES_MS)
  const owner = readNote(join(pidDir, LAUNCHER))
  if (owner?.pid !== process.pid) throw alreadyRunning(pidDir, owner?.pid)
  await Promise.all(readdirSync(pidDir).filter((name) => name !== LAUNCHER).map((name) => endLeftover(join(pidDir, name))))
  return release
}

function alreadyRunning(pidDir: string, pid: number | undefined): LocalProblem {
  return new LocalProblem('ALREADY_RUNNING',
    `已有一个启动程序在使用 ${dirname(pidDir)}（pid ${pid}）。请先停止它（在其终端按 Ctrl-C，或执行 kill ${pid}）。`,
    `Another launcher already uses ${dirname(pidDir)} (pid ${pid}). Stop it first (Ctrl-C in its terminal, or kill ${pid}).`)
}

/** Notes a running process for the next launcher; the returned function removes the note again. */
export function notePid(pidDir: string, name: string, pid: number, stopSignal: NodeJS.Signals): () => void {
  const file = join(pidDir, name)
  const identity = processIdentity(pid)
  if (identity !== undefined) writeFileSync(file, JSON.stringify({ pid, identity, stopSignal } satisfies PidNote))
  return () => rmSync(file, { force: true })
}

/** Its watchdog is normally at it already; the note makes sure, and makes us wait for the end. */
async function endLeftover(file: string): Promise<void> {
  const note = readNote(file)
  if (note && isAlive(note)) {
    tryKill(note.pid, note.stopSignal)
    const deadline = performance.now() + LEFTOVER_GRACE_MS
    while (isAlive(note) && performance.now() < deadline) await sleep(50)
    if (isAlive(note)) tryKill(-note.pid, 'SIGKILL')
    while (isAlive(note)) await sleep(20)
  }
  rmSync(file, { force: true })
}

function isAlive(note: PidNote): boolean {
  return processIdentity(note.pid) === note.identity
}

function readNote(file: string): PidNote | undefined {
  try {
    const note = JSON.parse(readFileSync(file, 'utf8')) as Partial<PidNote>
    return typeof note.pid === 'number' && typeof note.identity === 'string' ? note as PidNote : undefined
  } catch {
    return undefined
  }
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended
  }
}
