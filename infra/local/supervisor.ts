import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readSync, statSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { rotateBeforeStart, rotateWhileRunning } from './log-file.ts'
import { claimDataDir, notePid } from './pid-notes.ts'
import { LocalProblem } from './problem.ts'
import { spawnWatched, type Watched } from './watchdog.ts'

const POLL_MS = 30
const RESTART_DELAYS_MS = [1000, 2000, 5000, 10_000]

export interface ProcessSpec extends Watched {
  name: string
  env?: NodeJS.ProcessEnv
  cwd?: string
  uid?: number
  gid?: number
  /** Asked again and again with everything the process has printed since this start. */
  ready: (printed: string) => boolean | Promise<boolean>
  readyTimeoutMs: number
}

export interface ManagedProcess {
  readonly name: string
  /** The pid of the real process (not of a wrapper); undefined while it does not run. */
  readonly pid: number | undefined
  readonly logFile: string
  /** Sends a signal, SIGKILL by default, and returns at once. A process ended through this stays down until `restart`. */
  kill(signal?: NodeJS.Signals): void
  /** Resolves when the process does not run. */
  ended(): Promise<void>
  /** Ends the process cleanly if it still runs, then starts it with the same ports and data; resolves when it is ready. */
  restart(): Promise<void>
  /** Ends it cleanly, with SIGKILL after its grace time. */
  stop(): Promise<void>
}

export interface Supervisor {
  readonly dataDir: string
  /** Starts a process and resolves when it is ready. @throws LocalProblem START_FAILED with the end of its log */
  start(spec: ProcessSpec): Promise<ManagedProcess>
  /** Stops what still runs, in parallel, and gives the data directory free. */
  close(): Promise<void>
}

export interface SupervisorOptions {
  /**
   * Told when a process ended that nobody ended through its handle. `willRestart`: it crashed or was killed and is about to be
   * started again; one that somebody asked to end politely (SIGINT, SIGTERM) stays down.
   */
  onUnexpectedEnd?: (end: { name: string, how: string, logFile: string, willRestart: boolean }) => void
  /** Starts crashed processes again. Off in tests, which kill on purpose. */
  restartCrashed?: boolean
}

/**
 * Takes possession of a data directory (see claimDataDir) and starts processes on it, which live no longer than this one.
 * @throws LocalProblem ALREADY_RUNNING
 */
export async function openSupervisor(dataDir: string, options: SupervisorOptions = {}): Promise<Supervisor> {
  const pidDir = join(dataDir, 'pids')
  const logDir = join(dataDir, 'logs')
  mkdirSync(logDir, { recursive: true })
  const release = await claimDataDir(pidDir)
  const processes: ManagedProcess[] = []
  let closed = false
  return {
    dataDir,
    async start(spec) {
      if (closed) throw new Error('the supervisor is closed')
      const managed = manage(spec, pidDir, join(logDir, `${spec.name}.log`), options)
      processes.push(managed)
      await managed.restart()
      return managed
    },
    async close() {
      closed = true
      await Promise.all(processes.map((each) => each.stop()))
      release()
    },
  }
}

function manage(spec: ProcessSpec, pidDir: string, logFile: string, options: SupervisorOptions): ManagedProcess {
  let child: ChildProcess | undefined
  let toldToEnd = false
  let crashes = 0
  let restartTimer: NodeJS.Timeout | undefined

  const launch = async (): Promise<void> => {
    toldToEnd = false
    const logStart = rotateBeforeStart(logFile)
    const log = openSync(logFile, 'a')
    const { uid, gid, cwd, env } = spec
    const started = spawnWatched(spec, [log, log], {
      ...(env && { env }), ...(cwd !== undefined && { cwd }), ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }),
    })
    closeSync(log)
    child = started
    let end = ''
    let wasReady = false
    started.once('error', (error) => {
      end = error.message
      if (child === started) child = undefined
    })
    let stopRotating = (): void => {}
    started.once('exit', (code, signal) => {
      stopRotating()
      end = signal ?? `exit code ${code}`
      forget()
      if (child === started) child = undefined
      if (wasReady && !toldToEnd) onUnexpectedEnd(end, !endedPolitely(code, signal))
    })
    const forget = started.pid === undefined ? () => {} : notePid(pidDir, spec.name, started.pid, spec.stopSignal)
    const deadline = performance.now() + spec.readyTimeoutMs
    while (!await spec.ready(readFrom(logFile, logStart))) {
      const late = performance.now() > deadline
      if (late) await stop()
      if (late || child !== started) throw startFailed(spec.name, late ? `not ready after ${spec.readyTimeoutMs / 1000} s` : end, logFile, logStart)
      await sleep(POLL_MS)
    }
    wasReady = true
    // Not before: until then the end of the log is read from where this start began.
    stopRotating = rotateWhileRunning(logFile)
    if (child !== started) stopRotating()
  }

  const onUnexpectedEnd = (how: string, crashed: boolean): void => {
    const willRestart = crashed && options.restartCrashed === true
    options.onUnexpectedEnd?.({ name: spec.name, how, logFile, willRestart })
    if (!willRestart) return
    const delay = RESTART_DELAYS_MS[Math.min(crashes++, RESTART_DELAYS_MS.length - 1)]!
    restartTimer = setTimeout(() => {
      launch().then(() => { crashes = 0 }, () => { if (!toldToEnd) onUnexpectedEnd('did not start', true) })
    }, delay)
  }

  const stop = async (): Promise<void> => {
    toldToEnd = true
    clearTimeout(restartTimer)
    const running = child
    if (running?.pid === undefined) return
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
      if (['SIGKILL', 'SIGTERM', 'SIGINT', spec.stopSignal].includes(signal)) toldToEnd = true
      child?.kill(signal)
    },
    async ended() {
      if (child) await once(child, 'exit')
    },
    async restart() {
      await stop()
      await launch()
    },
    stop,
  }
}

/** Somebody asked it to end, and it did: a JVM answers SIGTERM with status 143, PostgreSQL and our services with 0. */
function endedPolitely(code: number | null, signal: NodeJS.Signals | null): boolean {
  return code === 0 || code === 130 || code === 143 || signal === 'SIGINT' || signal === 'SIGTERM'
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended
  }
}

function startFailed(name: string, how: string, logFile: string, logStart: number): LocalProblem {
  const tail = readFrom(logFile, logStart).trimEnd().split('\n').filter((line) => !/^\s+(at |\.\.\. \d+ more)/.test(line)).slice(-8).join('\n')
  return new LocalProblem('START_FAILED',
    `${name} 启动失败（${how}）。日志：${logFile}`,
    `${name} did not start (${how}). Log: ${logFile}${tail ? `\n${tail}` : ''}`)
}

function readFrom(file: string, offset: number): string {
  const fd = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(Math.max(0, statSync(file).size - offset))
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, offset)).toString('utf8')
  } finally {
    closeSync(fd)
  }
}
