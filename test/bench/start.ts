import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { REPO_ROOT } from '@hub/local/paths'
import { figure, VoidRun, type Bench } from './bench.ts'

const BOOTSTRAP = join(REPO_ROOT, 'infra/local/bootstrap.mjs')
const EXIT_ENVIRONMENT = 3

/** `npm start -- --exit` on data that an earlier start made, until its table is printed. Uses the project's own data and its fixed ports. */
export const start: Bench = {
  name: 'start',
  what: '第二次 npm start 到打印表格 · second npm start until its table is printed',
  async run(context) {
    const rounds = context.quick ? 1 : 5
    const first = await startOnce(context.signal)
    context.say(`first  ${first.toFixed(1)} s`)
    const seconds: number[] = []
    for (let round = 1; round <= rounds; round++) {
      seconds.push(await startOnce(context.signal))
      context.say(`round ${round}  ${seconds.at(-1)!.toFixed(1)} s`)
    }
    const services = ['broker, registry, database', 'four regions (gateway, relay, replicator)']
    return [figure({ bench: 'start', unit: 's', better: 'lower', floor: 40, aim: 20, services, settings: { command: 'npm start -- --exit', rounds, startsBefore: 1 } }, seconds)]
  },
}

/** Seconds until the last line of the table; the four replicas were equal, or the exit status would not be 0. */
async function startOnce(signal: AbortSignal): Promise<number> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HUB_') || name === 'HUB_CACHE_DIR'))
  const began = performance.now()
  const child = spawn(process.execPath, [BOOTSTRAP, 'start', '--exit'], { cwd: REPO_ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  let printed: number | undefined
  let said = ''
  child.stdout.on('data', () => { printed = performance.now() })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-2000) })
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  signal.removeEventListener('abort', stop)
  signal.throwIfAborted()
  if (code === EXIT_ENVIRONMENT) throw new VoidRun(`npm start could not run here: ${said.trim().split('\n').slice(-2).join(' ')}`)
  if (code !== 0 || printed === undefined) throw new VoidRun(`npm start -- --exit ended with status ${code}: ${said.trim()}`)
  return (printed - began) / 1000
}
