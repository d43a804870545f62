import { spawn, type ChildProcess, type SpawnOptions, type StdioNull, type StdioPipe } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./watchdog.sh', import.meta.url))

export interface Watched {
  command: string
  args: string[]
  /** What ends it cleanly, and how long that may take before SIGKILL, when this process is gone. */
  stopSignal: NodeJS.Signals
  graceMs: number
}

/**
 * Spawns a command that ends when this process does, even when this process is killed with SIGKILL. The child's pid is the
 * command's own; it leads its own process group, so a Ctrl-C in the terminal reaches this process alone, which then stops things in order.
 */
export function spawnWatched(
  { command, args, stopSignal, graceMs }: Watched,
  output: [stdout: StdioNull | StdioPipe | number, stderr: StdioNull | StdioPipe | number],
  options: Omit<SpawnOptions, 'stdio' | 'detached'> = {},
): ChildProcess {
  const child = spawn('/bin/sh', [SCRIPT, stopSignal.replace('SIG', ''), String(Math.ceil(graceMs / 100)), command, ...args], {
    ...options, stdio: ['pipe', ...output], detached: true,
  })
  child.stdin?.on('error', () => {})
  child.once('exit', () => child.stdin?.end()) // lets the watchdog go
  return child
}
