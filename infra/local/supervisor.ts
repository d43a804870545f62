import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { LocalProblem } from './problem.ts'
import { processIdentity } from './process-identity.ts'

const WATCHDOG = fileURLToPath(new URL('./watchdog.sh', import.meta.url))

export interface ProcessSpec {
  name: string
  command: string
  args: string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  uid?: number
  gid?: number
  /** What asks it to end cleanly, and how long it may take before SIGKILL. */
  stopSignal: NodeJS.Signals
  graceMs: number
  /** Asked every 30 ms with everything the process has printed since this start. */
  ready: (printed: string) => boolean | Promise<boolean>
  readyTimeoutMs: number
}

export interface ManagedProcess {
  readonly name: string
  /** The pid of the real process (not of a wrapper); undefined while it does not run. */
  readonly pid: number | undefined
  readonly logFile: string
  /** Sends a signal, SIGKILL by default, and returns at once. */
  kill(signal?: NodeJS.Signals): void
  /** Resolves when the process does not run (at once when it is not running). */
  ended(): Promise<void>
  /** Ends the process cleanly if it still runs, then starts it again with the same ports and data; resolves when it is ready. */
  restart(): Promise<void>
  /** Ends it cleanly, with SIGKILL after its grace time. */
  stop(): Promise<void>
}

export interface Supervisor {
  readonly dataDir: string
  /** Starts a process and resolves when it is ready. @throws LocalProblem START_FAILED with the end of its log */
  start(spec: ProcessSpec): Promise<ManagedProcess>
  /** Stops what still runs, at once and in parallel, and gives the data directory free. */
  close(): Promise<void>
}

export interface SupervisorOptions {
  /** Called when a process ended without having been told to through its handle. */
  onUnexpectedEnd?: (name: string, how: string, logFile: string) => void
}

/**
 * Takes possession of a data directory: refuses when another launcher runs on it, ends what a killed launcher left
 * behind, and notes every child in `pids/`, so that the next launcher can do the same.
 * @throws LocalProblem ALREADY_RUNNING
 */
export async function openSupervisor(dataDir: string, options: SupervisorOptions = {}): Promise<Supervisor> {
  const pidDir = join(dataDir, 'pids')
  const logDir = join(dataDir, 'logs')
  mkdirSync(pidDir, { recursive: true })
  mkdirSync(logDir, { recursive: true })
  const launcher = readPid(join(pidDir, 'launcher'))
  if (launcher && launcher.pid !== process.pid && isAlive(launcher)) {
    throw new LocalProblem('ALREADY_RUNNING',
      `已有一个启动程序在使用 ${dataDir}（pid ${launcher.pid}）。请先停止它（在其终端按 Ctrl-C，或执行 kill ${launcher.pid}）。`,
      `Another launcher already uses ${dataDir} (pid ${launcher.pid}). Stop it first (Ctrl-C in its terminal, or kill ${launcher.pid}).`)
  }
  await reapLeftovers(pidDir)
  writePid(join(pidDir, 'launcher'), process.pid)
  const processes: ManagedProcess[] = []
  return {
    dataDir,
    async start(spec) {
      const managed = manage(spec, pidDir, join(logDir, `${spec.name}.log`), options)
      processes.push(managed)
      await managed.restart()
      return managed
    },
    async close() {
      await Promise.all(processes.map((each) => each.stop()))
      rmSync(join(pidDir, 'launcher'), { force: true })
    },
  }
}

function manage(spec: ProcessSpec, pidDir: string, logFile: string, options: SupervisorOptions): ManagedProcess {
  const pidFile = join(pidDir, spec.name)
  let child: ChildProcess | undefined
  let expected = false

  const launch = async (): Promise<void> => {
    expected = false
    const before = fileSize(logFile)
    const log = openSync(logFile, 'a')
    const started = spawn('/bin/sh', [WATCHDOG, spec.stopSignal.replace('SIG', ''), String(Math.ceil(spec.graceMs / 100)), spec.command, ...spec.args], {
      stdio: ['pipe', log, log],
      detached: true, // its own process group: a Ctrl-C in the terminal reaches the launcher alone, which then stops things in order
      env: spec.env ?? process.env,
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    })
    closeSync(log)
    started.stdin!.on('error', () => {})
    child = started
    let how = ''
    started.once('error', (error) => {
      how = error.message
      if (child === started) child = undefined
    })
    started.once('exit', (code, signal) => {
      how = signal ?? `exit code ${code}`
      started.stdin!.end() // lets the watchdog go
      rmSync(pidFile, { force: true })
      if (child === started) child = undefined
      if (!expected && becameReady) options.onUnexpectedEnd?.(spec.name, how, logFile)
    })
    if (started.pid !== undefined) writePid(pidFile, started.pid)
    let becameReady = false
    const deadline = performance.now() + spec.readyTimeoutMs
    while (!await spec.ready(readFrom(logFile, before))) {
      if (child !== started || performance.now() > deadline) {
        const late = child === started
        if (late) await stop()
        throw startFailed(spec.name, late ? `not ready after ${spec.readyTimeoutMs / 1000} s` : how, logFile, before)
      }
      await sleep(30)
    }
    becameReady = true
  }

  const stop = async (): Promise<void> => {
    const running = child
    if (!running) return
    expected = true
    const gone = once(running, 'exit')
    running.kill(spec.stopSignal)
    const timer = setTimeout(() => killGroup(running.pid!), spec.graceMs)
    await gone
    clearTimeout(timer)
  }

  return {
    name: spec.name,
    logFile,
    get pid() { return child?.pid },
    kill(signal = 'SIGKILL') {
      if (signal === 'SIGKILL' || signal === spec.stopSignal || signal === 'SIGTERM') expected = true
      child?.kill(signal)
    },
    async ended() {
      if (child) await once(child, 'exit')
    },
    async restart() {
      if (expected && child) await once(child, 'exit')
      await stop()
      await launch()
    },
    stop,
  }
}

/** Ends the processes a killed launcher left behind: its watchdogs are already at it, so they get a few seconds. */
async function reapLeftovers(pidDir: string): Promise<void> {
  const left = readdirSync(pidDir).filter((name) => name !== 'launcher').map((name) => ({ file: join(pidDir, name), ...readPid(join(pidDir, name)) }))
  await Promise.all(left.map(async ({ file, pid, identity }) => {
    if (pid !== undefined && identity !== undefined) {
      const leftover = { pid, identity }
      if (isAlive(leftover)) tryKill(pid, basename(file) === 'postgres' ? 'SIGINT' : 'SIGTERM')
      const deadline = performance.now() + 8000
      while (isAlive(leftover) && performance.now() < deadline) await sleep(50)
      if (isAlive(leftover)) killGroup(pid)
      while (isAlive(leftover)) await sleep(20)
    }
    rmSync(file, { force: true })
  }))
}

interface PidNote { pid: number, identity: string }

function isAlive(note: PidNote): boolean {
  return processIdentity(note.pid) === note.identity
}

function readPid(file: string): PidNote | undefined {
  try {
    const { pid, identity } = JSON.parse(readFileSync(file, 'utf8')) as Partial<PidNote>
    return typeof pid === 'number' && typeof identity === 'string' ? { pid, identity } : undefined
  } catch {
    return undefined
  }
}

function writePid(file: string, pid: number): void {
  const identity = processIdentity(pid)
  if (identity !== undefined) writeFileSync(file, JSON.stringify({ pid, identity }))
}

function killGroup(pid: number): void {
  tryKill(-pid, 'SIGKILL')
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended
  }
}

function startFailed(name: string, how: string, logFile: string, before: number): LocalProblem {
  const tail = readFrom(logFile, before).trimEnd().split('\n').slice(-12).join('\n')
  return new LocalProblem('START_FAILED',
    `${name} 启动失败（${how}）。日志：${logFile}`,
    `${name} did not start (${how}). Log: ${logFile}${tail ? `\n${tail}` : ''}`)
}

function fileSize(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

function readFrom(file: string, offset: number): string {
  return readFileSync(file).subarray(offset).toString('utf8')
}
