import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface Ended {
  readonly status: number
  readonly out: string
  readonly error: string
}

/** Runs a program to its end, or kills it after the deadline. */
export async function run(program: string, args: readonly string[], { deadlineMs = 600_000, env = {}, cwd }: { deadlineMs?: number; env?: NodeJS.ProcessEnv; cwd?: string } = {}): Promise<Ended> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, ...(cwd !== undefined && { cwd }), timeout: deadlineMs, killSignal: 'SIGKILL' })
  const ended = new Promise<number>((resolve, reject) => child.once('error', reject).once('close', (code) => resolve(code ?? -1)))
  const [status, out, error] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { status, out, error }
}
