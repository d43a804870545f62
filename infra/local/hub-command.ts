import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { childEnv } from './child-env.ts'
import { REPO_ROOT } from './paths.ts'
import { LocalProblem } from './problem.ts'
import { spawnWatched } from './watchdog.ts'

const CLI = join(REPO_ROOT, 'services/cli/index.ts')
const GRACE_MS = 2000

/** Runs `hub` on the local hub with our own output; resolves with its exit status. Ended when the signal aborts. */
export async function hub(args: readonly string[], localFile: string, signal: AbortSignal): Promise<number> {
  const child = spawnHub(args, localFile, [1, 2])
  const code = await endOf(child, signal)
  return code ?? 1
}

/** Runs `hub` and shows what it says only when it fails. @throws LocalProblem START_FAILED with its words */
export async function hubQuietly(args: readonly string[], localFile: string, signal: AbortSignal): Promise<void> {
  const child = spawnHub(args, localFile, ['pipe', 'pipe'])
  const [code, out, error] = await Promise.all([endOf(child, signal), text(child.stdout!), text(child.stderr!)])
  signal.throwIfAborted()
  if (code === 0) return
  const said = `${error}${out}`.trim()
  throw new LocalProblem('START_FAILED', `hub ${args.join(' ')} 失败（状态 ${code}）。`, `hub ${args.join(' ')} failed (status ${code}).${said ? `\n${said}` : ''}`)
}

function spawnHub(args: readonly string[], localFile: string, output: ['pipe' | number, 'pipe' | number]): ChildProcess {
  return spawnWatched({ command: process.execPath, args: [CLI, ...args], stopSignal: 'SIGTERM', graceMs: GRACE_MS }, output, { env: childEnv({ HUB_LOCAL_FILE: localFile }) })
}

async function endOf(child: ChildProcess, signal: AbortSignal): Promise<number | null> {
  const stop = (): void => void child.kill('SIGTERM')
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const [code] = await once(child, 'exit') as [number | null]
    return code
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
